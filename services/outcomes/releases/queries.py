"""Every SELECT and lock on releases."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.errors import NotFound
from services.outcomes.feeds.lines import ENTRY, Known
from services.outcomes.models import CurrentRelease, Rejection, Release, ReleaseLines
from services.outcomes.releases.reading import Base
from services.outcomes.rules.releases import REFERENCE_YEAR, Stage, Standing, Status, confirmed
from services.outcomes.schools import Establishment


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


async def holders(session: AsyncSession, feed: str) -> dict[int, Release]:
    """The releases of a feed that count now, by academic year."""
    statement = (
        select(CurrentRelease.academic_year, Release)
        .join(Release, col(Release.id) == col(CurrentRelease.release_id))
        .where(CurrentRelease.feed == feed)
    )
    return dict((await session.exec(statement)).all())


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


async def authorities(session: AsyncSession, urns: Sequence[int]) -> tuple[set[str], set[str]]:
    """The local authorities of these schools, and of all schools that are open, by the register."""
    its = func.bool_or(col(Establishment.urn) == func.any(list(urns)))
    is_open = func.bool_or(col(Establishment.status).startswith("open"))
    found = (await session.exec(select(Establishment.la_code, its, is_open).group_by(Establishment.la_code))).all()
    return {code for code, of_these, _open in found if of_these}, {code for code, _of, opened in found if opened}


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


async def standings(session: AsyncSession, feed: str, holders: Mapping[int, Release]) -> dict[int, Standing]:
    """What the releases that count are ranked by: each is as new as the last that repeated its values."""
    ids = {each.id for each in holders.values()}
    again: dict[UUID | None, list[Standing]] = {}
    for row in await session.exec(select(Release).where(Release.feed == feed, col(Release.same_values_as).in_(ids))):
        again.setdefault(row.same_values_as, []).append(standing(row))
    return {year: confirmed(standing(each), again.get(each.id, [])) for year, each in holders.items()}


async def years_held(session: AsyncSession, release_id: UUID) -> list[int]:
    """The academic years in which a release counts."""
    statement = select(CurrentRelease.academic_year).where(CurrentRelease.release_id == release_id)
    return list(await session.exec(statement.order_by(col(CurrentRelease.academic_year))))


async def counting(session: AsyncSession, feeds: Sequence[str], years: Sequence[int]) -> list[UUID]:
    """The releases of these feeds that count in any of these academic years."""
    pointer = CurrentRelease
    wanted = (col(pointer.feed).in_(feeds), col(pointer.academic_year).in_(years))
    statement = select(pointer.release_id).where(*wanted).distinct()
    return list(await session.exec(statement.order_by(col(pointer.release_id))))


async def years_by_release(session: AsyncSession, release_ids: Sequence[UUID]) -> dict[UUID, list[int]]:
    """For each of these releases the academic years in which it counts."""
    pointer = CurrentRelease
    statement = select(pointer.release_id, pointer.academic_year).where(col(pointer.release_id).in_(release_ids))
    found: dict[UUID, list[int]] = {}
    for release_id, year in await session.exec(statement.order_by(col(pointer.academic_year))):
        found.setdefault(release_id, []).append(year)
    return found


async def counts_of_year(
    session: AsyncSession, table: Any, release_id: UUID, academic_year: int
) -> tuple[int, dict[str, int]]:
    """How many rows of a table a release gave for an academic year, and how many values of each measure."""
    wanted = (table.release_id == release_id, table.academic_year == academic_year)
    counts = (func.count(), func.count(table.value))
    rows = (await session.exec(select(table.measure, *counts).where(*wanted).group_by(table.measure))).all()
    return sum(each[1] for each in rows), {measure: values for measure, _count, values in rows}


def standing(row: Release, values_hash: str | None = None) -> Standing:
    """What the release is ranked by."""
    return Standing(
        row.id, Stage(row.release_status), row.published_on, row.number, values_hash or row.values_hash or ""
    )
