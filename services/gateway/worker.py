"""The gateway's workers: one takes records to contracts, follows what changed there, carries out transfers and
announces; one brings leaves into the log; the courier tells subscribers.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.gateway.calls import SELF
from services.gateway.courier import Courier
from services.gateway.following.service import SOURCES
from services.gateway.jobs import handlers
from services.gateway.log.jobs import KIND, Integration
from services.gateway.log.service import SOURCE
from services.gateway.models import Job
from services.gateway.outbound import Outbound, reach_of
from services.gateway.receiver import Receiver
from services.gateway.settings import Settings
from services.gateway.vault import Vault
from services.kernel.db import Database
from services.kernel.jobs import Worker, enqueue
from services.kernel.peers import Peer


def create_worker(
    database: Database, contracts: Peer, outcomes: Peer, settings: Settings, rotate: Callable[[], list[str]]
) -> Worker:
    """A worker on this database that speaks to these services, and has signing keys renewed by `rotate`."""
    receiver = Receiver(settings.hand_over_url, settings.hand_over_minutes)
    work = handlers(contracts, outcomes, settings, rotate, receiver)

    async def begin() -> None:
        """Make sure that events are being followed and announced, and that there is order here."""
        async with database.transaction(SELF) as session:
            for source in SOURCES:
                await enqueue(session, Job, kind="pull", key=source)
            await enqueue(session, Job, kind="announce", key="all")
            for kind in ("forget", "prune", "rotate"):
                await enqueue(session, Job, kind=kind, key="gateway", pause_seconds=60)

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


def create_courier(database: Database, settings: Settings) -> Courier:
    """A courier on this database, that reaches what this installation allows."""
    return Courier(
        database,
        Outbound(reach_of(settings)),
        Vault(settings.keys_dir),
        failing_days=settings.webhook_failing_days,
        poll_seconds=settings.poll_seconds,
    )
