"""What becomes of a release whose file was read: where it counts, or why it must not."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.jobs import enqueue_all
from services.outcomes import progress
from services.outcomes import service as register
from services.outcomes.arrivals.queries import content, locked_release
from services.outcomes.arrivals.service import refuse, tell
from services.outcomes.copies import copy_rows
from services.outcomes.feeds import FEEDS, Feed, Kept, siblings
from services.outcomes.feeds.lines import Known
from services.outcomes.feeds.records import FeedRefused, Parsed
from services.outcomes.models import CurrentRelease, Job, Rejection, Release, ReleaseLines
from services.outcomes.progress import Phase
from services.outcomes.releases import effect, queries
from services.outcomes.releases.reading import Read
from services.outcomes.rules import releases as rules
from services.outcomes.rules.releases import REFERENCE, REFERENCE_YEAR, Part, Reason, Settlement, Status
from services.outcomes.rules.years import academic_year_text


class Overtaken(Exception):
    """The release beside which a file was read does not count any more: it must be read again."""


async def store(session: AsyncSession, *, release_id: UUID, read: Read, caller: Caller, now: datetime) -> None:
    """Keep what was read and decide where it counts. Storing the same release again changes nothing."""
    parsed = read.parsed
    await queries.lock_ingest(session)
    row = await locked_release(session, release_id)
    if row.status != Status.INGESTING:
        return
    feed = FEEDS[row.feed]
    await count(session, row, parsed)
    holders = await queries.holders(session, row.feed)
    twins = {twin.id: twin for twin in await queries.twins(session, row, read.values_hash)}
    settlement = rules.settle(
        queries.standing(row, read.values_hash),
        read.parts,
        {part: queries.standing(holder) for part, holder in holders.items()},
        [queries.standing(twin) for twin in twins.values()],
    )
    if read.base and settlement.parts and holders[REFERENCE].id != read.base:
        raise Overtaken
    fragments = await fragments_of(session, feed, read, settlement, holders)
    refusal = broken(row, read, settlement, fragments)
    if refusal is not None:
        await refuse(session, release_id=row.id, refusal=refusal, caller=caller, now=now)
        return
    if fragments:
        settlement = settlement.without(fragments, Reason.MUCH_SMALLER)
        row.detail = f"It does not count for every year. {' '.join(fragments.values())}"
    progress.begin(Phase.STORING, len(parsed.records))
    row.values_hash, row.ingested_at = read.values_hash, now
    row.status, row.reason_code, row.same_values_as = settlement.status, settlement.reason, settlement.same_values_as
    if settlement.same_values_as is None:
        await effect.add(session, feed.kept, row, parsed.records, read.said, newest=bool(settlement.parts))
    else:
        await confirm(session, twins[settlement.same_values_as], row)
        if feed.kept is Kept.REGISTER:
            await register.settle_closings(session, caller, now)
    if settlement.parts:
        await point(session, row, settlement, holders, caller, now)
    if feed.kept is Kept.REGISTER and settlement.parts:
        before = partial(earlier, session, feed, row, holders)
        facts: dict[str, Any] = {"records": parsed.records, "said": read.said, "again": read.again, "earlier": before}
        finding = asyncio.ensure_future(asyncio.to_thread(read.known))
        await register.apply(session, row=row, **facts, caller=caller, now=now)
        await remember(session, row, await finding)
    progress.begin(Phase.SETTLING)
    counted = [academic_year_text(year) for year in settlement.years if year != REFERENCE_YEAR]
    counts = {name: getattr(row, name) for name in ("rows_read", "rows_accepted", "rows_ignored", "rows_rejected")}
    told = {"reason_code": row.reason_code, "detail": row.detail, "counts_for": counted, **counts}
    tell(session, row, "release.ingested", caller, now, **told)


async def count(session: AsyncSession, row: Release, parsed: Parsed[Any]) -> None:
    """Count the rows of the file, and keep every rejected one with its reason."""
    rejected = len({each.row for each in parsed.rejections})
    row.layout, row.rows_read, row.rows_ignored, row.rows_rejected = (
        parsed.layout,
        parsed.rows,
        parsed.ignored,
        rejected,
    )
    row.rows_accepted = parsed.rows - parsed.ignored - rejected
    row.decimals = dict(parsed.decimals) or None
    session.add(row)
    rows = [(row.id, at, each.row, each.key, each.code, each.detail) for at, each in enumerate(parsed.rejections, 1)]
    await copy_rows(session, Rejection, ("release_id", "place", "row", "key", "code", "detail"), rows)


async def confirm(session: AsyncSession, twin: Release, row: Release) -> None:
    """A release is said again: where that makes it newer than those of other feeds, verdicts on these are reopened."""
    before = twin.confirmed_on
    twin.confirmed_on = rules.confirmed(queries.standing(twin), queries.standing(row)).published_on
    session.add(twin)
    if twin.confirmed_on != before:
        held = (await queries.held(session, [twin.id]))[twin.id]
        beside = await queries.counting(session, siblings(row.feed), held)
        await enqueue_all(session, Job, kind="reopen", keys=[f"{each} {row.id}" for each in beside])


async def earlier(session: AsyncSession, feed: Feed, row: Release, holders: Mapping[Part, Release]) -> Sequence[Any]:
    """The records of the release of an earlier day that counted before this one; none where it is of the same day."""
    holder = holders.get(REFERENCE)
    if holder is None or holder.confirmed_on >= row.published_on:
        return ()
    try:
        return (await asyncio.to_thread(feed.parse, await content(session, holder.id), None)).records
    except FeedRefused:
        return ()


async def remember(session: AsyncSession, row: Release, known: Known | None) -> None:
    """Keep the lines of the register that counts now, by which the next one is read, and forget those before."""
    await queries.forget_lines(session, row.feed)
    if known is not None:
        session.add(ReleaseLines(release_id=row.id, reading=known.reading, entries=known.entries.tobytes()))


def broken(row: Release, read: Read, settlement: Settlement, fragments: Mapping[int, str]) -> FeedRefused | None:
    """Why the file must not take the place of good data, though it could be read; None when it may in some year."""
    if rules.mostly_rejected(row.rows_read, row.rows_ignored, row.rows_rejected) or not read.parts:
        words = f"{row.rows_rejected} of {row.rows_read - row.rows_ignored} rows were rejected; see its rejections."
        return FeedRefused(Reason.MOSTLY_REJECTED, words)
    if fragments and len(fragments) == len(settlement.years):
        return FeedRefused(Reason.MUCH_SMALLER, " ".join(fragments.values()))
    return None


async def fragments_of(
    session: AsyncSession, feed: Feed, read: Read, settlement: Settlement, holders: Mapping[Part, Release]
) -> dict[int, str]:
    """The years of those that it won of which the file is but a part, beside what counts, each with words on it.

    A list of inspections takes the place of none: those of before stay known.
    """
    found: dict[int, str] = {}
    if feed.kept is Kept.INSPECTIONS:
        return found
    for year in settlement.years:
        taken = {part: holders[part] for part in settlement.parts if part.academic_year == year and part in holders}
        if year == REFERENCE_YEAR:
            present = sum(holder.rows_accepted for holder in taken.values())
        else:
            counts = await queries.counts(session, effect.YEARLY[feed.kept], taken.values(), year)
            present = sum(counts.get((holder.id, part.measure), 0) for part, holder in taken.items())
        records = sum(read.parts[part] for part in taken)
        if rules.much_smaller(records, present):
            of = "It" if year == REFERENCE_YEAR else f"Of {academic_year_text(year)} it"
            named = " and ".join(map(str, sorted({holder.number for holder in taken.values()})))
            found[year] = f"{of} has {records} records where release {named} has {present}: a part of a file?"
    return found


async def point(
    session: AsyncSession,
    row: Release,
    settlement: Settlement,
    holders: Mapping[Part, Release],
    caller: Caller,
    now: datetime,
) -> None:
    """Let the release count in the parts that it won; releases that count nowhere any more are superseded.

    Verdicts that rest on a release of the feed in a year of which parts were won are reopened, since they may have
    lacked what it did not have, and those on releases of other feeds that give the same measures: of these, which go on
    counting, some results may be shown from this release now.
    """
    await session.flush()
    rows = [{"feed": row.feed, "release_id": row.id, **part._asdict()} for part in settlement.parts]
    pointer = insert(CurrentRelease).values(rows)
    of = ["feed", "academic_year", "measure"]
    await session.exec(
        pointer.on_conflict_do_update(index_elements=of, set_={"release_id": pointer.excluded.release_id})
    )
    replaced = {holders[part].id: holders[part] for part in settlement.parts if part in holders}
    beside = await queries.counting(session, siblings(row.feed), settlement.parts)
    of_year = {holder.id for part, holder in holders.items() if part.academic_year in settlement.years}
    keys = [f"{each} {row.id}" for each in sorted({*of_year, *beside})]
    await enqueue_all(session, Job, kind="reopen", keys=keys)
    left = await queries.held(session, list(replaced))
    for holder in replaced.values():
        if not left[holder.id]:
            holder.status, holder.reason_code = Status.SUPERSEDED, Reason.REPLACED
            session.add(holder)
            tell(session, holder, "release.superseded", caller, now, reason_code=Reason.REPLACED, replaced_by=row.id)
