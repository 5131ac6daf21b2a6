"""Every SELECT about withdrawals of milestone records."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.models import MilestoneRecord, Withdrawal, WithdrawalDelivery
from services.kernel.errors import NotFound


async def record(session: AsyncSession, record_id: UUID) -> MilestoneRecord:
    """A milestone record; raises NotFound when it is not the caller's to see."""
    found = await session.get(MilestoneRecord, record_id)
    if found is None:
        raise NotFound("No such milestone record.")
    return found


async def undelivered(session: AsyncSession, contract_ids: Sequence[UUID], limit: int) -> list[Withdrawal]:
    """Withdrawals of contracts that have not reached it, oldest first."""
    statement = (
        select(Withdrawal)
        .outerjoin(WithdrawalDelivery, col(WithdrawalDelivery.withdrawal_id) == Withdrawal.id)
        .where(col(Withdrawal.contract_id).in_(contract_ids), col(WithdrawalDelivery.withdrawal_id).is_(None))
        .order_by(col(Withdrawal.id))
        .limit(limit)
    )
    return list(await session.exec(statement))
