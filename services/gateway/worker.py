"""The gateway's workers: one takes records to contracts, follows what changed there, opens and carries out transfers,
and announces; the other, the courier, tells subscribers.
"""

from services.gateway.calls import SELF
from services.gateway.courier import Courier
from services.gateway.jobs import handlers
from services.gateway.models import Job
from services.gateway.outbound import Outbound, reach_of
from services.gateway.settings import Settings
from services.gateway.vault import Vault
from services.kernel.db import Database
from services.kernel.jobs import Worker, enqueue
from services.kernel.peers import Peer


def create_worker(database: Database, contracts: Peer, outcomes: Peer, settings: Settings) -> Worker:
    """A worker on this database that speaks to these services."""
    work = handlers(contracts, outcomes, settings.pull_seconds)

    async def begin() -> None:
        """Make sure that the events of contracts are being followed, and announced."""
        async with database.transaction(SELF) as session:
            await enqueue(session, Job, kind="pull", key="contracts")
            await enqueue(session, Job, kind="announce", key="all")

    return Worker(database, Job, work, poll_seconds=settings.poll_seconds, begin=begin)


def create_courier(database: Database, settings: Settings) -> Courier:
    """A courier on this database, that reaches what this installation allows."""
    return Courier(
        database,
        Outbound(reach_of(settings)),
        Vault(settings.keys_dir),
        failing_days=settings.webhook_failing_days,
        poll_seconds=settings.poll_seconds,
    )
