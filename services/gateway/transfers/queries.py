"""Every SELECT and lock about transfers."""

from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.models import Consent, Transfer, TransferStep
from services.kernel.errors import NotFound


async def transfer(session: AsyncSession, transfer_id: UUID) -> Transfer:
    """The transfer; raises NotFound when it is not the caller's to see."""
    found = (await session.exec(select(Transfer).where(Transfer.id == transfer_id))).one_or_none()
    if found is None:
        raise NotFound("No such transfer.")
    return found


async def locked_transfer(session: AsyncSession, transfer_id: UUID) -> Transfer:
    """The transfer, locked until the end of the transaction."""
    statement = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    found = (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("No such transfer.")
    return found


async def live_transfer(session: AsyncSession, contract_id: UUID) -> Transfer | None:
    """The contract's transfer that was not cancelled."""
    statement = select(Transfer).where(Transfer.contract_id == contract_id, Transfer.status != "cancelled")
    return (await session.exec(statement)).one_or_none()


async def transfers_page(
    session: AsyncSession, *, status: str | None, after: UUID | None, limit: int
) -> list[Transfer]:
    """Transfers after a place, oldest first."""
    statement = select(Transfer).order_by(col(Transfer.id)).limit(limit)
    if status is not None:
        statement = statement.where(Transfer.status == status)
    if after is not None:
        statement = statement.where(Transfer.id > after)
    return list(await session.exec(statement))


async def consents(session: AsyncSession, transfer_id: UUID) -> list[Consent]:
    """All decisions on a transfer, in the order in which they were recorded."""
    statement = select(Consent).where(Consent.transfer_id == transfer_id).order_by(col(Consent.id))
    return list(await session.exec(statement))


async def steps(session: AsyncSession, transfer_id: UUID) -> list[TransferStep]:
    """The steps of a transfer, in their order."""
    statement = select(TransferStep).where(TransferStep.transfer_id == transfer_id)
    return list(await session.exec(statement.order_by(col(TransferStep.place))))


async def next_reference(session: AsyncSession, year: int) -> str:
    """The next public reference of a transfer, such as TRF-2024-000001."""
    number = (await session.execute(select(func.nextval(text("'gateway.reference'"))))).scalar_one()
    return f"TRF-{year}-{number:06d}"
