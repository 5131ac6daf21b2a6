"""Variations that wait for their day."""

from datetime import datetime
from uuid import UUID

from services.contracts.calls import SELF
from services.contracts.variations import effect
from services.kernel.db import Database


async def vary(database: Database, key: str, now: datetime) -> None:
    """The day of a contract's variation."""
    async with database.transaction(SELF) as session:
        await effect.vary(session, contract_id=UUID(key), caller=SELF, now=now)
