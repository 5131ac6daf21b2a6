"""The outcomes worker: fetches published files and reads them."""

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.jobs import Worker, enqueue
from services.outcomes.jobs import handlers
from services.outcomes.models import Job
from services.outcomes.settings import Settings


def create_worker(database: Database, settings: Settings) -> Worker:
    """A worker on this database."""

    async def begin() -> None:
        """Make sure that there is order here."""
        async with database.transaction(service_caller("outcomes")) as session:
            await enqueue(session, Job, kind="forget", key="outcomes", pause_seconds=60)

    return Worker(database, Job, handlers(settings.hosts()), poll_seconds=settings.poll_seconds, begin=begin)
