"""The gateway worker: takes records to contracts, follows what changed there, opens and carries out transfers."""

from collections.abc import Callable

from services.gateway.calls import SELF
from services.gateway.jobs import handlers
from services.gateway.models import Job
from services.gateway.settings import Settings
from services.kernel.db import Database
from services.kernel.jobs import Worker, enqueue
from services.kernel.peers import Peer


def create_worker(
    database: Database, contracts: Peer, outcomes: Peer, settings: Settings, rotate: Callable[[], list[str]]
) -> Worker:
    """A worker on this database that speaks to these services, and has signing keys renewed by `rotate`."""
    work = handlers(contracts, outcomes, settings.pull_seconds, rotate)

    async def begin() -> None:
        """Make sure that the events of contracts are being followed, and that there is order here."""
        async with database.transaction(SELF) as session:
            await enqueue(session, Job, kind="pull", key="contracts")
            for kind in ("forget", "rotate"):
                await enqueue(session, Job, kind=kind, key="gateway", pause_seconds=60)

    return Worker(database, Job, work, poll_seconds=settings.poll_seconds, begin=begin)
