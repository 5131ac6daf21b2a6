"""Publishing, as work that arrives as a row."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from services.contracts.calls import SELF
from services.contracts.models import Job
from services.contracts.publication import service
from services.contracts.rules.ocds.parties import Publisher
from services.kernel.db import Database
from services.kernel.jobs import Together, enqueue

LOOK_AGAIN_SECONDS = 3600
TOGETHER = 25
"""So many contracts are published in one transaction."""
log = structlog.get_logger("ringfence.publication")


def publishing(publisher: Publisher | None) -> Together:
    """The handler that publishes under this publisher; without one it waits for somebody to name it."""

    async def publish(database: Database, keys: Sequence[str], now: datetime) -> None:
        """Tell the public what has happened to contracts."""
        async with database.transaction(SELF) as session:
            if publisher is not None:
                ids = [UUID(key) for key in keys]
                await service.publish(session, contract_ids=ids, publisher=publisher, now=now)
                return
            for key in keys:
                log.warning("not published: RINGFENCE_OCID_PREFIX is not set", contract_id=key)
                await enqueue(session, Job, kind="publish", key=key, pause_seconds=LOOK_AGAIN_SECONDS)

    return Together(publish, TOGETHER)
