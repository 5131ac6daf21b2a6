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
from services.outcomes.evidence import Inspection, Judgement, TrustObservation
from services.outcomes.feeds import FEEDS, Feed
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.models import Observation, Release
from services.outcomes.progress import Phase
from services.outcomes.releases import queries, service
from services.outcomes.releases.reading import Base, Read, read
from services.outcomes.releases.service import Overtaken
from services.outcomes.rules.releases import Status

SELF = service_caller("outcomes")
EVIDENCE = {each.__tablename__ for each in (Observation, TrustObservation, Inspection, Judgement)}
"""Tables whose rows name the release that has them: one that is there twice came twice from its file."""


async def ingest(database: Database, key: str, now: datetime) -> None:
    """Read the file of the release `key`, then store it or refuse it; a release that was settled stays as it is."""
    async with database.transaction(SELF) as session:
        row = await queries.release(session, UUID(key))
        if row.status != Status.INGESTING:
            return
        content = await content_of(session, row.id)
    base = await base_of(database, row.feed)
    await settle(database, row, content, await found_in(row.feed, row.academic_year, content, base), now)


async def base_of(database: Database, code: str) -> Base | None:
    """The release that counts beside which a file of a feed may be read, where there is one."""
    if FEEDS[code].parse_in is None:
        return None
    async with database.transaction(SELF) as session:
        return await queries.base(session, code)


async def found_in(code: str, academic_year: int | None, content: bytes, base: Base | None) -> Read | FeedRefused:
    """What a file says, read beside the one that counts where that may be, or why it cannot be used."""
    progress.begin(Phase.PARSING)
    return await asyncio.to_thread(parse, FEEDS[code], academic_year, content, base)


async def settle(database: Database, row: Release, content: bytes, found: Read | FeedRefused, now: datetime) -> None:
    """Store what was found in the file of a release, or refuse it."""
    while not isinstance(found, FeedRefused):
        try:
            await store(database, row.id, found, now)
        except Overtaken:
            base = await base_of(database, row.feed)
            found = await found_in(row.feed, row.academic_year, content, base)
        except (DataError, psycopg.DataError, psycopg.errors.UniqueViolation) as error:
            found = unstorable(error)
        else:
            return
    async with database.transaction(SELF) as session:
        await refuse(session, release_id=row.id, refusal=found, caller=SELF, now=now)


async def store(database: Database, release_id: UUID, found: Read, now: datetime) -> None:
    """Keep what was read, in one transaction."""
    async with database.transaction(SELF) as session:
        await service.store(session, release_id=release_id, read=found, caller=SELF, now=now)


def unstorable(error: Exception) -> FeedRefused:
    """The refusal of a file that says what no column can hold; raises the error when it is not the file's fault."""
    cause = error.orig if isinstance(error, DataError) else error
    if isinstance(cause, psycopg.errors.UniqueViolation):
        table = cause.diag.table_name or ""
        if table not in EVIDENCE:
            raise error
        return FeedRefused("duplicate_rows", f"The file gives the same {table.replace('_', ' ')} more than once.")
    return FeedRefused("unstorable", f"The file holds a value that cannot be kept: {str(cause).splitlines()[0][:200]}.")


def parse(feed: Feed, academic_year: int | None, content: bytes, base: Base | None) -> Read | FeedRefused:
    """What a file says, or why it cannot be used."""
    try:
        return read(feed, academic_year, content, base)
    except FeedRefused as refusal:
        return refusal
