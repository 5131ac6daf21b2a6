"""Every SELECT on how contracts are invoiced and booked."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Finance


async def finance(session: AsyncSession, contract_id: UUID) -> Finance | None:
    """How a contract is invoiced, once its trust has said so."""
    return await session.get(Finance, contract_id)


async def finances(session: AsyncSession, contract_ids: Sequence[UUID]) -> dict[UUID, Finance]:
    """How contracts are invoiced, by contract."""
    found = await session.exec(select(Finance).where(col(Finance.contract_id).in_(contract_ids)))
    return {each.contract_id: each for each in found}
