"""Every SELECT on assessments and findings."""

from datetime import date
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.conduct import Finding, KpiAssessment
from services.contracts.models import Contract
from services.contracts.rules.claims import ClaimStatus
from services.contracts.rules.performance import FindingKind, still_open
from services.contracts.suppliers.queries import live_matters


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


async def concerns(session: AsyncSession, row: Contract, today: date) -> list[dict[str, str]]:
    """What is open about a contract, its payments and its supplier, by kind and in words without names and sums."""
    kinds = (await live_matters(session, [int(row.school["urn"])])).get(row.supplier_uid, set())
    found = [{"kind": kind.value, "detail": f"a {kind} about the supplier"} for kind in sorted(kinds)]
    last = max((each.assessed_on for each in await assessments(session, [row.id])), default=None)
    for each in await findings(session, [row.id]):
        kind = FindingKind(each.kind)
        if still_open(kind, each.opened_on, each.closes_on, last, today):
            words = f"{kind.replace('_', ' ')} {each.number} of {each.opened_on}"
            found.append({"kind": kind.value, "detail": words})
    for claim in await disputed(session, row.id):
        codes = ", ".join(line["code"] for line in claim.lines)
        since = claim.disputes[-1]["since"]
        found.append({"kind": "dispute", "detail": f"claim {claim.reference} for {codes} since {since}"})
    return found


async def disputed(session: AsyncSession, contract_id: UUID) -> list[Claim]:
    """The claims of a contract that are in dispute."""
    statement = select(Claim).where(Claim.contract_id == contract_id, Claim.status == ClaimStatus.DISPUTED)
    return list(await session.exec(statement.order_by(col(Claim.number))))
