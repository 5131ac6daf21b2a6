"""The contracts worker: activation and closing by the clock, ring-fences in outcomes."""

from services.contracts.jobs import handlers
from services.contracts.models import Job
from services.contracts.settings import Settings
from services.kernel.db import Database
from services.kernel.jobs import Worker
from services.kernel.peers import Peer


def create_worker(database: Database, outcomes: Peer, settings: Settings) -> Worker:
    """A worker on this database that speaks to this outcomes service."""
    return Worker(database, Job, handlers(outcomes), poll_seconds=settings.poll_seconds)
