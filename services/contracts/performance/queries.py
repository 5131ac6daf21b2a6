"""Every SELECT on assessments and findings."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.conduct import Finding, KpiAssessment
from services.contracts.models import Contract
from services.contracts.rules.claims import ClaimStatus
from services.contracts.rules.performance import FindingKind, still_open
from services.contracts.suppliers.queries import matters_about


async def assessments(session: AsyncSession, contract_ids: list[UUID]) -> list[KpiAssessment]:
    """KPI assessments in the order in which they were made."""
    statement = select(KpiAssessment).where(col(KpiAssessment.contract_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(KpiAssessment.number))))


async def assessed(session: AsyncSession, contract_id: UUID, evaluation_id: UUID) -> bool:
    """Whether this evaluation has been taken as an assessment already."""
    made = (KpiAssessment.contract_id == contract_id, KpiAssessment.evaluation_id == evaluation_id)
    return (await session.exec(select(KpiAssessment.number).where(*made))).first() is not None


async def findings(session: AsyncSession, contract_ids: list[UUID]) -> list[Finding]:
    """Opportunities to improve and findings, in the order in which they were recorded."""
    statement = select(Finding).where(col(Finding.contract_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(Finding.number))))


async def concerns(session: AsyncSession, rows: Sequence[Contract], today: date) -> dict[UUID, list[dict[str, str]]]:
    """By contract: what is open about it, its payments and its supplier, in words without names and sums."""
    ids, found = [row.id for row in rows], {}
    matters = await matters_about(session, [(row.supplier_uid, int(row.school["urn"])) for row in rows])
    last = await last_assessed(session, ids)
    noted, disputes = await findings(session, ids), await disputed(session, ids)
    for row in rows:
        kinds = sorted(matters.get((row.supplier_uid, int(row.school["urn"])), set()))
        told = [(kind.value, f"a {kind} about the supplier") for kind in kinds]
        for each in (each for each in noted if each.contract_id == row.id):
            kind = FindingKind(each.kind)
            if still_open(kind, each.opened_on, each.closes_on, last.get(row.id), today):
                told.append((kind.value, f"{kind.replace('_', ' ')} {each.number} of {each.opened_on}"))
        for claim in (each for each in disputes if each.contract_id == row.id):
            codes, since = ", ".join(line["code"] for line in claim.lines), claim.disputes[-1]["since"]
            told.append(("dispute", f"claim {claim.reference} for {codes} since {since}"))
        found[row.id] = [{"kind": kind, "detail": detail} for kind, detail in told]
    return found


async def last_assessed(session: AsyncSession, contract_ids: Sequence[UUID]) -> dict[UUID, date]:
    """The days on which performance under contracts was last assessed, where it was."""
    latest = sa_select(col(KpiAssessment.contract_id), func.max(col(KpiAssessment.assessed_on)))
    found = await session.execute(
        latest.where(col(KpiAssessment.contract_id).in_(contract_ids)).group_by("contract_id")
    )
    return {row[0]: row[1] for row in found}


async def disputed(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Claim]:
    """The claims of contracts that are in dispute."""
    statement = select(Claim).where(col(Claim.contract_id).in_(contract_ids), Claim.status == ClaimStatus.DISPUTED)
    return list(await session.exec(statement.order_by(col(Claim.number))))
