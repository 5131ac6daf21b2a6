"""Reading a published file: act (parse, no transaction open), then record (one transaction)."""

import asyncio
from datetime import datetime
from uuid import UUID

import psycopg
from sqlalchemy.exc import DataError

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.outcomes import progress
from services.outcomes.arrivals.queries import content as content_of
from services.outcomes.arrivals.service import refuse
from services.outcomes.feeds import FEEDS, Feed
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.models import Observation
from services.outcomes.progress import Phase
from services.outcomes.releases import queries, service
from services.outcomes.releases.reading import Base, Read, read
from services.outcomes.releases.service import Overtaken
from services.outcomes.rules.releases import Status

SELF = service_caller("outcomes")


async def ingest(database: Database, key: str, now: datetime, content: bytes | None = None) -> None:
    """Read the file of the release `key`, then store it or refuse it; a release that was settled stays as it is.

    `content` is given where the bytes are at hand; else they are taken from the database.
    """
    release_id = UUID(key)
    async with database.transaction(SELF) as session:
        row = await queries.release(session, release_id)
        if row.status != Status.INGESTING:
            return
        if content is None:
            content = await content_of(session, release_id)
        feed = FEEDS[row.feed]
        base = await queries.base(session, row.feed) if feed.parse_in else None
    progress.begin(Phase.PARSING)
    found = await asyncio.to_thread(parse, feed, row.academic_year, content, base)
    if not isinstance(found, FeedRefused):
        try:
            await store(database, release_id, found, now)
        except Overtaken:
            await ingest(database, key, now, content)
            return
        except (DataError, psycopg.DataError, psycopg.errors.UniqueViolation) as error:
            found = unstorable(error)
    if isinstance(found, FeedRefused):
        async with database.transaction(SELF) as session:
            await refuse(session, release_id=release_id, refusal=found, caller=SELF, now=now)


async def store(database: Database, release_id: UUID, found: Read, now: datetime) -> None:
    """Keep what was read, in one transaction."""
    async with database.transaction(SELF) as session:
        await service.store(session, release_id=release_id, read=found, caller=SELF, now=now)


def unstorable(error: Exception) -> FeedRefused:
    """The refusal of a file that says what no column can hold; raises the error when it is not the file's fault."""
    cause = error.orig if isinstance(error, DataError) else error
    if isinstance(cause, psycopg.errors.UniqueViolation):
        if cause.diag.table_name != Observation.__tablename__:
            raise error
        return FeedRefused("duplicate_rows", "The file gives the same measure of the same school more than once.")
    return FeedRefused("unstorable", f"The file holds a value that cannot be kept: {str(cause).splitlines()[0][:200]}.")


def parse(feed: Feed, academic_year: int | None, content: bytes, base: Base | None) -> Read | FeedRefused:
    """What a file says, or why it cannot be used."""
    try:
        return read(feed, academic_year, content, base)
    except FeedRefused as refusal:
        return refusal
