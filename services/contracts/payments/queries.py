"""Every SELECT on payments."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.models import Payment
from services.contracts.rules.money import PaymentKind


async def payments_page(
    session: AsyncSession, *, contract_id: UUID | None, status: str | None, after: UUID | None, limit: int
) -> list[Payment]:
    """Payments after a place, in the order of their making."""
    statement = select(Payment).order_by(col(Payment.id)).limit(limit)
    if contract_id is not None:
        statement = statement.where(Payment.contract_id == contract_id)
    if status is not None:
        statement = statement.where(Payment.status == status)
    if after is not None:
        statement = statement.where(Payment.id > after)
    return list(await session.exec(statement))


async def payments(session: AsyncSession, contract_id: UUID) -> list[Payment]:
    """All payments of a contract, in the order of their making."""
    statement = select(Payment).where(Payment.contract_id == contract_id).order_by(col(Payment.id))
    return list(await session.exec(statement))


async def instalments(session: AsyncSession, contract_id: UUID) -> list[Payment]:
    """The instalments of a contract's fee, by their last day."""
    wanted = (Payment.contract_id == contract_id, Payment.kind == PaymentKind.FEE)
    return list(await session.exec(select(Payment).where(*wanted).order_by(col(Payment.period_ends_on))))


async def payment(session: AsyncSession, contract_id: UUID, kind: str, code: str) -> Payment | None:
    """The payment for one part of a contract, where that part pays anything."""
    statement = select(Payment).where(Payment.contract_id == contract_id, Payment.kind == kind, Payment.code == code)
    return (await session.exec(statement)).one_or_none()
