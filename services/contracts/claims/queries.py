"""Every SELECT on claims, and on who recorded the evidence that they rest on."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.models import AppliedRecord, Milestone, Outcome, Payment
from services.contracts.rules.claims import WAITING
from services.kernel.errors import NotFound


async def claim(session: AsyncSession, claim_id: UUID) -> Claim:
    """The claim; raises NotFound when there is none, or it is not the caller's to see."""
    statement = select(Claim).where(Claim.id == claim_id)
    found = (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("No such claim.")
    return found


async def claims(session: AsyncSession, claim_ids: Sequence[UUID]) -> list[Claim]:
    """Claims by their ids, oldest first."""
    return list(await session.exec(select(Claim).where(col(Claim.id).in_(claim_ids)).order_by(col(Claim.id))))


async def claims_page(
    session: AsyncSession,
    *,
    contract_id: UUID | None,
    status: str | None,
    late_on: date | None,
    after: UUID | None,
    limit: int,
) -> list[Claim]:
    """Claims after a place, oldest first; with `late_on`, those that should have been paid before that day."""
    statement = select(Claim).order_by(col(Claim.id)).limit(limit)
    if contract_id is not None:
        statement = statement.where(Claim.contract_id == contract_id)
    if status is not None:
        statement = statement.where(Claim.status == status)
    if late_on is not None:
        statement = statement.where(col(Claim.status).in_(WAITING), col(Claim.due_on) < late_on)
    if after is not None:
        statement = statement.where(Claim.id > after)
    return list(await session.exec(statement))


async def next_number(session: AsyncSession, contract_id: UUID) -> int:
    """The number of a contract's next claim; the contract is locked."""
    highest = select(func.coalesce(func.max(Claim.number), 0)).where(Claim.contract_id == contract_id)
    return int((await session.exec(highest)).one()) + 1


async def payments(session: AsyncSession, contract_id: UUID) -> dict[tuple[str, str], Payment]:
    """The payments of a contract, by kind and code."""
    statement = select(Payment).where(Payment.contract_id == contract_id).order_by(col(Payment.id))
    return {(each.kind, each.code): each for each in await session.exec(statement)}


async def titles(session: AsyncSession, contract_id: UUID) -> dict[tuple[str, str], str]:
    """What milestones and outcomes of a contract are called, by kind and code."""
    promised = select(Milestone.code, Milestone.title).where(Milestone.contract_id == contract_id)
    agreed = select(Outcome.code, Outcome.measure).where(Outcome.contract_id == contract_id)
    found = {("milestone", code): title for code, title in await session.exec(promised)}
    return found | {("outcome", code): measure for code, measure in await session.exec(agreed)}


async def recorders(session: AsyncSession, contract_id: UUID, codes: Sequence[str]) -> dict[str, str]:
    """The credentials that recorded the decisions on milestones, by code, where that is known."""
    statement = (
        select(Milestone.code, AppliedRecord.recorded_by)
        .join(AppliedRecord, col(AppliedRecord.record_id) == Milestone.record_id)
        .where(Milestone.contract_id == contract_id, col(Milestone.code).in_(codes))
    )
    return {code: found for code, found in await session.exec(statement) if found is not None}
