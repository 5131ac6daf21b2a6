"""Every SELECT on single milestones and on records that have arrived."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.models import AppliedRecord, Milestone


async def applied_record(session: AsyncSession, record_id: UUID) -> AppliedRecord | None:
    """What became of a record, when it has arrived before."""
    return await session.get(AppliedRecord, record_id)


async def milestone(session: AsyncSession, contract_id: UUID, code: str) -> Milestone | None:
    """One milestone of a contract."""
    return await session.get(Milestone, (contract_id, code))
