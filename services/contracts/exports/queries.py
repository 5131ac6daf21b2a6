"""Every SELECT for exports."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim


async def paid_on(session: AsyncSession, claim_ids: Sequence[UUID]) -> dict[UUID, date]:
    """The days on which claims were paid, by claim."""
    paid = select(Claim).where(col(Claim.id).in_(claim_ids), col(Claim.paid_on).is_not(None))
    return {claim.id: claim.paid_on for claim in await session.exec(paid) if claim.paid_on}
