"""The contracts worker: what the clock does to contracts, their ring-fences, and verdicts that were reopened."""

from services.contracts.calls import SELF
from services.contracts.evaluations.jobs import SOURCE, catching_up, hearing
from services.contracts.jobs import handlers
from services.contracts.models import Job
from services.contracts.offers.jobs import lapse
from services.contracts.publication.jobs import publishing
from services.contracts.settings import Settings
from services.contracts.variations.jobs import vary
from services.kernel.db import Database
from services.kernel.jobs import Handler, Worker, enqueue
from services.kernel.peers import Peer


def create_worker(database: Database, outcomes: Peer, settings: Settings) -> Worker:
    """A worker on this database that speaks to this outcomes service."""
    work: dict[str, Handler] = {
        **handlers(outcomes),
        "lapse": lapse,
        "vary": vary,
        "publish": publishing(settings.publisher()),
        "award": catching_up(outcomes),
        "hear": hearing(outcomes, settings.hear_seconds),
    }

    async def begin() -> None:
        """Make sure that the events of outcomes are being followed, and that there is order here."""
        async with database.transaction(SELF) as session:
            await enqueue(session, Job, kind="hear", key=SOURCE)
            await enqueue(session, Job, kind="forget", key="contracts", pause_seconds=60)

    return Worker(database, Job, work, poll_seconds=settings.poll_seconds, begin=begin)
