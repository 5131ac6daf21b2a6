"""Every SELECT on payments."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.models import Payment
from services.contracts.rules.money import PaymentKind


async def payments(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Payment]:
    """All payments of contracts, in the order of their making."""
    statement = select(Payment).where(col(Payment.contract_id).in_(contract_ids)).order_by(col(Payment.id))
    return list(await session.exec(statement))


async def of_milestones(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Payment]:
    """The payments of contracts for their milestones."""
    wanted = (col(Payment.contract_id).in_(contract_ids), Payment.kind == PaymentKind.MILESTONE)
    return list(await session.exec(select(Payment).where(*wanted)))


async def instalments(session: AsyncSession, contract_id: UUID) -> list[Payment]:
    """The instalments of a contract's fee, by their last day."""
    wanted = (Payment.contract_id == contract_id, Payment.kind == PaymentKind.FEE)
    return list(await session.exec(select(Payment).where(*wanted).order_by(col(Payment.period_ends_on))))


async def payment(session: AsyncSession, contract_id: UUID, kind: str, code: str) -> Payment | None:
    """The payment for one part of a contract, where that part pays anything."""
    statement = select(Payment).where(Payment.contract_id == contract_id, Payment.kind == kind, Payment.code == code)
    return (await session.exec(statement)).one_or_none()
