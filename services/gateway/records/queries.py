"""Every SELECT about contracts as the gateway knows them, and about milestone records."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.logbook import LogEntry
from services.gateway.models import ContractRef, Delivery, MilestoneRecord, Withdrawal


async def contract_ref(session: AsyncSession, contract_id: UUID) -> ContractRef | None:
    """What the gateway knows of a contract, where the caller may see it."""
    statement = select(ContractRef).where(ContractRef.contract_id == contract_id)
    return (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()


async def contract_refs(session: AsyncSession, wanted: Iterable[UUID]) -> list[ContractRef]:
    """What the gateway knows of these contracts, of those that the caller may see."""
    statement = select(ContractRef).where(col(ContractRef.contract_id).in_(sorted(wanted)))
    return list(await session.exec(statement.execution_options(populate_existing=True)))


Standing = tuple[MilestoneRecord, str | None, int | None, datetime | None]
"""A record, what became of it at its contract, its place in the log, and when it was withdrawn."""


async def records_page(session: AsyncSession, contract_id: UUID, *, after: UUID | None, limit: int) -> list[Standing]:
    """A contract's records after a place, oldest first, each with what became of it."""
    in_log = col(LogEntry.leaf_hash) == func.decode(MilestoneRecord.leaf_hash, "hex")
    statement = (
        select(MilestoneRecord, Delivery.result, LogEntry.index, Withdrawal.withdrawn_at)
        .outerjoin(Delivery, col(Delivery.record_id) == MilestoneRecord.id)
        .outerjoin(LogEntry, in_log)
        .outerjoin(Withdrawal, col(Withdrawal.record_id) == MilestoneRecord.id)
        .where(MilestoneRecord.contract_id == contract_id)
        .order_by(col(MilestoneRecord.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(MilestoneRecord.id > after)
    return [(row, result, place, gone) for row, result, place, gone in await session.exec(statement)]


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


async def withdrawal_of(session: AsyncSession, record_id: UUID) -> Withdrawal | None:
    """The withdrawal of a record, where it was taken back."""
    return (await session.exec(select(Withdrawal).where(Withdrawal.record_id == record_id))).one_or_none()
