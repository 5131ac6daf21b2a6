"""Every SELECT on reviews."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import Review


async def reviews(session: AsyncSession, contract_id: UUID) -> list[Review]:
    """A contract's reviews in the order in which they were held."""
    statement = select(Review).where(Review.contract_id == contract_id).order_by(col(Review.number))
    return list(await session.exec(statement))
