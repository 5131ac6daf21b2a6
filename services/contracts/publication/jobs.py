"""Publishing, as work that arrives as a row."""

from datetime import datetime
from uuid import UUID

import structlog

from services.contracts.calls import SELF
from services.contracts.models import Job
from services.contracts.publication import service
from services.contracts.rules.ocds.parties import Publisher
from services.kernel.db import Database
from services.kernel.jobs import Handler, enqueue

LOOK_AGAIN_SECONDS = 3600
log = structlog.get_logger("ringfence.publication")


def publishing(publisher: Publisher | None) -> Handler:
    """The handler that publishes under this publisher; without one it waits for somebody to name it."""

    async def publish(database: Database, key: str, now: datetime) -> None:
        """Tell the public what has happened to a contract."""
        async with database.transaction(SELF) as session:
            if publisher is None:
                log.warning("not published: RINGFENCE_OCID_PREFIX is not set", contract_id=key)
                await enqueue(session, Job, kind="publish", key=key, pause_seconds=LOOK_AGAIN_SECONDS)
                return
            await service.publish(session, contract_id=UUID(key), publisher=publisher, now=now)

    return publish
