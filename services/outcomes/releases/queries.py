"""Every SELECT and lock on releases."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, func, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.errors import NotFound
from services.outcomes.feeds.lines import ENTRY, Known
from services.outcomes.models import CurrentRelease, Rejection, Release, ReleaseLines
from services.outcomes.releases.reading import Base
from services.outcomes.rules.releases import REFERENCE_YEAR, Part, Stage, Standing, Status


async def release(session: AsyncSession, release_id: UUID) -> Release:
    """The release; raises NotFound when there is none."""
    found = await session.get(Release, release_id)
    if found is None:
        raise NotFound("No such release.")
    return found


async def lock_ingest(session: AsyncSession) -> None:
    """Wait until no other release is being stored; they follow one another, so that pointers and register agree."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('outcomes.ingest', 0))")
    await (await session.connection()).execute(lock)


async def releases_page(
    session: AsyncSession, *, filters: dict[str, Any], before: UUID | None, limit: int
) -> list[Release]:
    """Releases that came before a place, newest first, that have the given values in the given columns."""
    statement = select(Release).order_by(col(Release.id).desc()).limit(limit)
    for name, value in filters.items():
        if value is not None:
            statement = statement.where(getattr(Release, name) == value)
    if before is not None:
        statement = statement.where(col(Release.id) < before)
    return list(await session.exec(statement))


async def rejections_page(session: AsyncSession, release_id: UUID, *, after: int | None, limit: int) -> list[Rejection]:
    """Rejected rows of a release after a place, in the order of the file."""
    statement = select(Rejection).where(Rejection.release_id == release_id)
    if after is not None:
        statement = statement.where(col(Rejection.place) > after)
    return list(await session.exec(statement.order_by(col(Rejection.place)).limit(limit)))


async def holders(session: AsyncSession, feed: str) -> dict[Part, Release]:
    """The releases of a feed that count now, by what they count for."""
    statement = (
        select(CurrentRelease.academic_year, CurrentRelease.measure, Release)
        .join(Release, col(Release.id) == col(CurrentRelease.release_id))
        .where(CurrentRelease.feed == feed)
    )
    return {Part(year, measure): row for year, measure, row in await session.exec(statement)}


async def base(session: AsyncSession, feed: str) -> Base | None:
    """The release of reference data that counts for a feed, where lines are known from it."""
    statement = (
        select(Release.id, Release.layout, ReleaseLines.reading, ReleaseLines.entries)
        .join(CurrentRelease, col(CurrentRelease.release_id) == col(Release.id))
        .join(ReleaseLines, col(ReleaseLines.release_id) == col(Release.id))
        .where(CurrentRelease.feed == feed, CurrentRelease.academic_year == REFERENCE_YEAR)
    )
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        return None
    release_id, layout, reading, entries = found
    return Base(release_id, Known(str(layout), reading, np.frombuffer(entries, dtype=ENTRY)))


async def forget_lines(session: AsyncSession, feed: str) -> None:
    """Forget the lines that are known from releases of a feed."""
    of_feed = select(Release.id).where(Release.feed == feed)
    gone = delete(ReleaseLines).where(col(ReleaseLines.release_id).in_(of_feed))
    await session.exec(gone.execution_options(synchronize_session=False))


async def twins(session: AsyncSession, row: Release, values_hash: str) -> list[Release]:
    """Releases of the same feed with the same bytes or values that were read before, in the order of arrival."""
    same = (Release.feed == row.feed, Release.values_hash == values_hash, Release.id != row.id)
    read = col(Release.status).in_([Status.CURRENT, Status.SUPERSEDED])
    return list(await session.exec(select(Release).where(*same, read).order_by(col(Release.number))))


async def counting(session: AsyncSession, feeds: Sequence[str], parts: Sequence[Part]) -> list[UUID]:
    """The releases of these feeds that count for any of these parts."""
    pointer = CurrentRelease
    wanted = (col(pointer.feed).in_(feeds), tuple_(col(pointer.academic_year), col(pointer.measure)).in_(parts))
    statement = select(pointer.release_id).where(*wanted).distinct()
    return list(await session.exec(statement.order_by(col(pointer.release_id))))


async def held(session: AsyncSession, release_ids: Sequence[UUID]) -> dict[UUID, list[Part]]:
    """For each of these releases what it counts for, in order."""
    pointer = CurrentRelease
    statement = select(pointer).where(col(pointer.release_id).in_(release_ids))
    found: dict[UUID, list[Part]] = {each: [] for each in release_ids}
    for row in await session.exec(statement.order_by(col(pointer.academic_year), col(pointer.measure))):
        found[row.release_id].append(Part(row.academic_year, row.measure))
    return found


async def counts(
    session: AsyncSession, table: Any, releases: Iterable[Release], academic_year: int
) -> dict[tuple[UUID, str], int]:
    """How many rows of a table each of these releases gave for each measure of an academic year."""
    key = (table.release_id, table.measure)
    wanted = (table.release_id.in_({each.id for each in releases}), table.academic_year == academic_year)
    rows = await session.exec(select(*key, func.count()).where(*wanted).group_by(*key))
    return {(release_id, measure): count for release_id, measure, count in rows}


def standing(row: Release, values_hash: str | None = None) -> Standing:
    """What the release is ranked by."""
    return Standing(
        row.id, Stage(row.release_status), row.confirmed_on, row.number, values_hash or row.values_hash or ""
    )
