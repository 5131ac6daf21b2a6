"""Writing leaves: each in the transaction of the fact that it tells of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.logbook import Leaf
from services.gateway.rules.log import leaf_data, leaf_hash


async def append_leaf(
    session: AsyncSession, *, kind: str, subject_id: UUID, facts: dict[str, Any], now: datetime
) -> str:
    """Write a leaf in the caller's transaction; gives its hash. `facts` may not hold personal data."""
    data = leaf_data(kind, str(subject_id), facts)
    digest = leaf_hash(data)
    session.add(Leaf(kind=kind, subject_id=subject_id, data=data, leaf_hash=digest, written_at=now))
    return digest
