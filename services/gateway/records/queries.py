"""Every SELECT about contracts as the gateway knows them, and about milestone records."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.models import ContractRef, Delivery, MilestoneRecord


async def contract_ref(session: AsyncSession, contract_id: UUID) -> ContractRef | None:
    """What the gateway knows of a contract, where the caller may see it."""
    statement = select(ContractRef).where(ContractRef.contract_id == contract_id)
    return (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()


async def records_page(
    session: AsyncSession, contract_id: UUID, *, after: UUID | None, limit: int
) -> list[tuple[MilestoneRecord, str | None]]:
    """A contract's records after a place, oldest first, each with what became of it."""
    statement = (
        select(MilestoneRecord, Delivery.result)
        .outerjoin(Delivery, col(Delivery.record_id) == MilestoneRecord.id)
        .where(MilestoneRecord.contract_id == contract_id)
        .order_by(col(MilestoneRecord.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(MilestoneRecord.id > after)
    return [(row, result) for row, result in await session.exec(statement)]


async def undelivered(session: AsyncSession, contract_id: UUID, limit: int = 100) -> list[MilestoneRecord]:
    """A contract's records that have not reached it, oldest first."""
    statement = (
        select(MilestoneRecord)
        .outerjoin(Delivery, col(Delivery.record_id) == MilestoneRecord.id)
        .where(MilestoneRecord.contract_id == contract_id, col(Delivery.record_id).is_(None))
        .order_by(col(MilestoneRecord.id))
        .limit(limit)
    )
    return list(await session.exec(statement))
