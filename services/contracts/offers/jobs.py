"""Offers that wait for their last day."""

from datetime import datetime
from uuid import UUID

from services.contracts.calls import SELF
from services.contracts.offers import service
from services.kernel.db import Database


async def lapse(database: Database, key: str, now: datetime) -> None:
    """The day after the last one of an offer."""
    async with database.transaction(SELF) as session:
        await service.lapse(session, contract_id=UUID(key), caller=SELF, now=now)
