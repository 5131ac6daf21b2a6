"""The contracts worker: what the clock does to contracts, and their ring-fences in outcomes."""

from services.contracts.jobs import handlers
from services.contracts.models import Job
from services.contracts.offers.jobs import lapse
from services.contracts.publication.jobs import publishing
from services.contracts.settings import Settings
from services.contracts.variations.jobs import vary
from services.kernel.db import Database
from services.kernel.jobs import Worker
from services.kernel.peers import Peer


def create_worker(database: Database, outcomes: Peer, settings: Settings) -> Worker:
    """A worker on this database that speaks to this outcomes service."""
    work = {**handlers(outcomes), "lapse": lapse, "vary": vary, "publish": publishing(settings.publisher())}
    return Worker(database, Job, work, poll_seconds=settings.poll_seconds)
