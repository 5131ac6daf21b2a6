"""Work that arrives as a row: act (foreign, no transaction open), then record (one transaction)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.contracts import calls, queries, service
from services.contracts.calls import SELF
from services.kernel.db import Database
from services.kernel.jobs import Handler
from services.kernel.peers import Peer


async def activate(database: Database, key: str, now: datetime) -> None:
    """The first day of a contract."""
    async with database.transaction(SELF) as session:
        await service.activate(session, contract_id=UUID(key), caller=SELF, now=now)


async def close(database: Database, key: str, now: datetime) -> None:
    """The day after the last one of a contract."""
    async with database.transaction(SELF) as session:
        await service.close(session, contract_id=UUID(key), caller=SELF, now=now)


def handlers(outcomes: Peer) -> Mapping[str, Handler]:
    """What to do for each kind of job."""

    async def ring_fence(database: Database, key: str, now: datetime) -> None:
        """Open the ring-fence in outcomes, or set its end there; then note that it stands."""
        async with database.transaction(SELF) as session:
            row = await queries.contract(session, UUID(key))
        body = {
            "school_urn": row.school_urn,
            "supplier_uid": row.supplier_uid,
            "starts_on": row.starts_on.isoformat(),
            "ends_on": (row.ended_on or row.ends_on).isoformat(),
            "organisation": row.organisation,
        }
        await calls.ring_fence(outcomes, row.id, body)
        async with database.transaction(SELF) as session:
            await service.note_ring_fence(session, contract_id=row.id, body=body, caller=SELF, now=now)

    return {"activate": activate, "close": close, "ring_fence": ring_fence}
