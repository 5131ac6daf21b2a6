"""Every SELECT for statements."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.models import Contract


async def contracts_of(session: AsyncSession, supplier_uid: str) -> list[Contract]:
    """The contracts of a trust that the caller may see, oldest first."""
    statement = select(Contract).where(Contract.supplier_uid == supplier_uid).order_by(col(Contract.id))
    return list(await session.exec(statement))


async def claim_references(session: AsyncSession, contract_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What claims of contracts are called, by id."""
    statement = select(Claim.id, Claim.reference).where(col(Claim.contract_id).in_(contract_ids))
    return dict((await session.exec(statement)).all())
