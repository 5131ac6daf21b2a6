"""How a published file comes in: sent as it is, or fetched from where it was published."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.errors import Unprocessable
from services.kernel.events import record
from services.kernel.jobs import enqueue
from services.kernel.types import uuid7
from services.outcomes.arrivals import queries
from services.outcomes.feeds import FEEDS, Feed
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.models import Event, Job, Release, ReleaseFile
from services.outcomes.remote.downloads import Downloaded
from services.outcomes.remote.errors import FetchFailed
from services.outcomes.remote.patience import Patience
from services.outcomes.rules.releases import Stage, Status
from services.outcomes.rules.years import academic_year_text

RETRIES = Patience(attempts=6, first_pause=10.0, longest_pause=300.0)
"""Further attempts at a file that did not come, over some ten minutes."""
LONGEST_TAG = 200
EMPTY = FeedRefused("fetch_empty", "What came from the address has no bytes.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is said of a file that comes in: `academic_year` only where the file does not name it.

    `source_url` and `source_version` tell where it was published, where that is known.
    """

    feed: str
    academic_year: int | None
    stage: Stage
    published_on: date
    source_url: str | None = None
    source_version: str | None = None


class UnknownFeed(Unprocessable):
    """No feed has this code."""

    code = "unknown_feed"
    title = "No such feed"


class AcademicYearNeeded(Unprocessable):
    """The feed's files do not say which year they are about, and neither does the request."""

    code = "academic_year_needed"
    title = "The academic year is needed"


class AcademicYearNotTaken(Unprocessable):
    """The feed's files say themselves which years they are about, or are about none."""

    code = "academic_year_not_taken"
    title = "This feed takes no academic year"


class BadFile(Unprocessable):
    """The file has no bytes."""

    code = "empty_file"
    title = "The file is empty"


class PublishedInFuture(Unprocessable):
    """What was published cannot be dated after today."""

    code = "published_in_future"
    title = "The publication date lies in the future"


def feed_of(code: str, academic_year: int | None) -> Feed:
    """The feed of this code, if a file of it may be sent for this year; else a 422 that says why not."""
    feed = FEEDS.get(code)
    if feed is None:
        raise UnknownFeed(f"{code[:40]!r} is not a feed. The feeds are: {', '.join(sorted(FEEDS))}.")
    if feed.needs_year and academic_year is None:
        raise AcademicYearNeeded(f"Files of {code} do not name their year; send academic_year, such as 2018/19.")
    if not feed.needs_year and academic_year is not None:
        raise AcademicYearNotTaken(f"Files of {code} name their years themselves; leave academic_year out.")
    return feed


async def receive(
    session: AsyncSession, *, asked: Arrival, filename: str, content: bytes, caller: Caller, today: date, now: datetime
) -> Release:
    """Keep a published file and ask for it to be read; raises a 422 for what no feed could read.

    `today` is the real day: publications belong to the real world, also where the clock of contracts was moved.
    """
    row = await announce(session, asked, filename, caller, today, now)
    if not content:
        raise BadFile("The file has no bytes; was it read to its end before?")
    await keep(session, row, content)
    tell(session, row, "release.received", caller, now, sha256=row.sha256)
    return row


async def expect(
    session: AsyncSession, *, asked: Arrival, filename: str, caller: Caller, today: date, now: datetime
) -> Release:
    """Ask for a published file to be fetched from its address, and then read."""
    row = await announce(session, asked, filename, caller, today, now)
    await enqueue(session, Job, kind="fetch", key=f"{row.id} 1")
    tell(session, row, "release.expected", caller, now, source_url=row.source_url)
    return row


def plain_name(filename: str) -> str:
    """The last part of a file's name, as it may be shown: no folders, nothing unprintable, at most 200 characters."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[-200:] or "file"


async def announce(
    session: AsyncSession, asked: Arrival, filename: str, caller: Caller, today: date, now: datetime
) -> Release:
    """A release whose file is still to be kept; raises a 422 for what no feed could read."""
    feed_of(asked.feed, asked.academic_year)
    if asked.published_on > today:
        raise PublishedInFuture(f"{asked.published_on.isoformat()} lies in the future.")
    row = Release(
        id=uuid7(),
        feed=asked.feed,
        academic_year=asked.academic_year,
        release_status=asked.stage,
        confirmed_on=asked.published_on,
        published_on=asked.published_on,
        source_url=asked.source_url,
        source_version=asked.source_version,
        filename=plain_name(filename),
        status=Status.INGESTING,
        created_by=caller.actor(),
        created_at=now,
    )
    session.add(row)
    await session.flush()
    return row


async def keep(session: AsyncSession, row: Release, content: bytes) -> None:
    """Keep the bytes of a release, and ask for them to be read."""
    row.size_bytes = len(content)
    row.sha256, packed = await asyncio.to_thread(queries.pack, content)
    session.add(row)
    session.add(ReleaseFile(release_id=row.id, content=packed, packing=queries.PACKING))
    await enqueue(session, Job, kind="ingest", key=str(row.id))


async def fetched(session: AsyncSession, *, release_id: UUID, file: Downloaded, caller: Caller, now: datetime) -> None:
    """The file came: keep it. Saying so again changes nothing."""
    row = await queries.locked_release(session, release_id)
    if row.status != Status.INGESTING or row.sha256:
        return
    if not file.content:
        await refuse(session, release_id=release_id, refusal=EMPTY, caller=caller, now=now)
        return
    row.etag = file.etag if file.etag and len(file.etag) <= LONGEST_TAG else None
    await keep(session, row, file.content)
    tell(session, row, "release.fetched", caller, now, sha256=row.sha256, source_url=row.source_url)


async def not_fetched(
    session: AsyncSession, *, release_id: UUID, attempt: int, error: FetchFailed, caller: Caller, now: datetime
) -> None:
    """The file did not come: try again after a pause where that may help, else refuse the release."""
    if error.passing and attempt < RETRIES.attempts:
        pause = RETRIES.pause(attempt, error)
        await enqueue(session, Job, kind="fetch", key=f"{release_id} {attempt + 1}", pause_seconds=pause)
        return
    refusal = FeedRefused(error.code, error.detail)
    await refuse(session, release_id=release_id, refusal=refusal, caller=caller, now=now)


def tell(session: AsyncSession, row: Release, kind: str, caller: Caller, now: datetime, **data: Any) -> None:
    """Write the event of a change to a release."""
    facts = {
        "feed": row.feed,
        "academic_year": None if row.academic_year is None else academic_year_text(row.academic_year),
        "release_status": row.release_status,
        "status": row.status,
        **data,
    }
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)


async def refuse(
    session: AsyncSession, *, release_id: UUID, refusal: FeedRefused, caller: Caller, now: datetime
) -> None:
    """The file cannot be used: say why, and change nothing else. Saying so again changes nothing."""
    row = await queries.locked_release(session, release_id)
    if row.status != Status.INGESTING:
        return
    row.status, row.reason_code, row.detail, row.ingested_at = Status.REFUSED, refusal.code, refusal.detail, now
    if refusal.missing:
        row.detail = f"{refusal.detail} Columns that were looked for: {', '.join(refusal.missing)}."
    session.add(row)
    missing = list(refusal.missing)
    tell(session, row, "release.refused", caller, now, reason_code=refusal.code, detail=row.detail, missing=missing)
