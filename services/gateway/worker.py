"""The gateway worker: takes records to contracts, follows what changed there, opens and carries out transfers."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.gateway.calls import SELF
from services.gateway.following.service import SOURCES
from services.gateway.jobs import handlers
from services.gateway.log.jobs import KIND, Integration
from services.gateway.log.service import SOURCE
from services.gateway.models import Job
from services.gateway.receiver import Receiver
from services.gateway.settings import Settings
from services.kernel.db import Database
from services.kernel.jobs import Worker, enqueue
from services.kernel.peers import Peer


def create_worker(database: Database, contracts: Peer, outcomes: Peer, settings: Settings) -> Worker:
    """A worker on this database that speaks to these services."""
    receiver = Receiver(settings.hand_over_url, settings.hand_over_minutes)
    work = handlers(contracts, outcomes, settings.pull_seconds, receiver)

    async def begin() -> None:
        """Make sure that the events of the other services are being followed."""
        async with database.transaction(SELF) as session:
            for source in SOURCES:
                await enqueue(session, Job, kind="pull", key=source)

    return Worker(database, Job, work, poll_seconds=settings.poll_seconds, begin=begin)


def create_log_worker(database: Database, key: Ed25519PrivateKey, settings: Settings) -> Worker:
    """A worker of its own for the log: a service that is slow to answer does not keep leaves out of the tree."""
    pause = settings.integrate_seconds
    work = {KIND: Integration(settings.log_origin, key, pause)}

    async def begin() -> None:
        """Make sure that leaves are being integrated."""
        async with database.transaction(SELF) as session:
            await enqueue(session, Job, kind=KIND, key=SOURCE)

    return Worker(database, Job, work, poll_seconds=pause, begin=begin)
