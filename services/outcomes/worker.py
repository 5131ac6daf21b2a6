"""The outcomes worker: fetches published files and reads them."""

from services.kernel.db import Database
from services.kernel.jobs import Worker
from services.outcomes.jobs import handlers
from services.outcomes.models import Job
from services.outcomes.settings import Settings


def create_worker(database: Database, settings: Settings) -> Worker:
    """A worker on this database."""
    return Worker(database, Job, handlers(settings.hosts()), poll_seconds=settings.poll_seconds)
