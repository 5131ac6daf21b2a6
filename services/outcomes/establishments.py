"""Establishments as a release has them, the schools whose lives they are, and the identifiers of these."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries
from services.outcomes.bulk import copy_lines
from services.outcomes.feeds.records import EstablishmentRecord
from services.outcomes.models import Release
from services.outcomes.rules.statements import texts
from services.outcomes.rules.succession import conversions, first_lives

ESTABLISHMENT = tuple(name for name in EstablishmentRecord._fields if name != "says_trust")
KEPT_ON = ("school_id", "release_id")
"""What an establishment has beside what a release says of it: its school, and the release that last changed it."""
IDENTIFIER = ("school_id", "scheme", "value", "valid_from", "valid_to", "source")
MANY = 5_000
"""New URNs from which it is quicker to read all links than to follow those of each."""


async def upsert(
    session: AsyncSession, row: Release, records: Sequence[EstablishmentRecord], said: Sequence[str], now: datetime
) -> None:
    """The establishments as the release has them; those that it lacks, or says nothing new of, stay as they were."""
    urns = [each.urn for each in records]
    known = await queries.school_ids(session, urns)
    new = set(urns) - known.keys()
    firsts, added = await schools_of(session, new, known, now)
    schools = known | firsts
    ends = [f"\t{schools[urn]}\t{row.id}" for urn in urns]
    fresh = [line + end for urn, line, end in zip(urns, said, ends, strict=True) if urn in new]
    await copy_lines(session, "outcomes.establishment", (*ESTABLISHMENT, *KEPT_ON), fresh)
    if len(fresh) < len(records):
        again = [line + end for urn, line, end in zip(urns, said, ends, strict=True) if urn not in new]
        await change(session, again, says_trust=records[0].says_trust)
    had = {schools[urn] for urn in urns} - added
    await identify(session, row, records, schools, new, await queries.identifiers_of(session, had))
    if len(fresh) < len(records):
        await date_identifiers(session, row)


async def schools_of(
    session: AsyncSession, new: Collection[int], known: dict[int, str], now: datetime
) -> tuple[dict[int, str], set[str]]:
    """The school of each new URN, that of the establishment which it continues or one that is added; and the added."""
    if not new:
        return {}, set()
    pairs = await queries.plain_successions(session, None if len(new) > MANY else new)
    older = {urn for pair in pairs for urn in pair} - known.keys() - set(new)
    known = known | await queries.school_ids(session, older)
    firsts = first_lives(new, conversions(pairs), known)
    lacking = sorted(set(firsts.values()) - known.keys())
    added = await add_schools(session, len(lacking), now)
    known.update(zip(lacking, added, strict=True))
    return {urn: known[first] for urn, first in firsts.items()}, set(added)


async def add_schools(session: AsyncSession, n: int, now: datetime) -> Sequence[str]:
    """Add `n` schools; gives their ids, as text."""
    added = text(
        "INSERT INTO outcomes.school (id, created_at) SELECT uuidv7(), :now FROM generate_series(1, :n)"
        " RETURNING id::text"
    )
    return (await session.execute(added, {"n": n, "now": now})).scalars().all()


async def change(session: AsyncSession, again: Sequence[str], *, says_trust: bool) -> None:
    """Bring establishments that were known before to what is said of them now, where that is something else."""
    said = [name for name in ESTABLISHMENT if name not in ({"urn"} if says_trust else {"urn", "trust_uid"})]
    connection = await session.connection()
    await connection.execute(
        text("CREATE TEMPORARY TABLE again (LIKE outcomes.establishment INCLUDING DEFAULTS) ON COMMIT DROP")
    )
    await copy_lines(session, "again", (*ESTABLISHMENT, *KEPT_ON), again)
    old, new = (", ".join(f"{table}.{name}" for name in said) for table in ("e", "again"))
    changed = ", ".join(f"{name} = again.{name}" for name in (*said, "release_id"))
    await connection.execute(
        text(
            f"UPDATE outcomes.establishment AS e SET {changed} FROM again"  # noqa: S608
            f" WHERE e.urn = again.urn AND ({old}) IS DISTINCT FROM ({new})"
        )
    )


async def identify(
    session: AsyncSession,
    row: Release,
    records: Sequence[EstablishmentRecord],
    schools: dict[int, str],
    new: Collection[int],
    had: Iterable[tuple[str, str, str]],
) -> None:
    """Add the identifiers that a school did not have before; a URN holds from opening to closing.

    `schools` are the schools by URN, of which the `new` ones were not there before; `had` what they have: school,
    scheme and value.
    """
    opened, closed = (texts([getattr(each, name) for each in records]) for name in ("opened_on", "closed_on"))
    found: dict[str, str] = {}
    for each, since, until in zip(records, opened, closed, strict=True):
        school = schools[each.urn]
        begins = since if each.urn in new else str(row.published_on)
        found.setdefault(f"{school}\turn\t{each.urn}", f"{begins}\t{until}")
        if each.establishment_number:
            found.setdefault(f"{school}\tlaestab\t{each.la_code}{each.establishment_number}", f"{begins}\t\\N")
        if each.ukprn is not None:
            found.setdefault(f"{school}\tukprn\t{each.ukprn}", f"{begins}\t\\N")
    for identifier in had:
        found.pop("\t".join(identifier), None)
    lines = [f"{key}\t{dates}\t{row.feed}" for key, dates in found.items()]
    await copy_lines(session, "outcomes.school_identifier", IDENTIFIER, lines)


async def date_identifiers(session: AsyncSession, row: Release) -> None:
    """URNs hold from opening to closing, as the release now dates these."""
    dated = text(
        "UPDATE outcomes.school_identifier AS i SET valid_from = coalesce(e.opened_on, i.valid_from),"
        " valid_to = e.closed_on FROM outcomes.establishment AS e"
        " WHERE e.release_id = :release AND i.scheme = 'urn' AND i.school_id = e.school_id AND i.value = e.urn::text"
        " AND (coalesce(e.opened_on, i.valid_from), e.closed_on) IS DISTINCT FROM (i.valid_from, i.valid_to)"
    )
    await (await session.connection()).execute(dated, {"release": row.id})
