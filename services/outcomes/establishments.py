"""Establishments as a release has them, the schools whose lives they are, and the identifiers of these."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries
from services.outcomes.bulk import copy_lines
from services.outcomes.feeds.records import EstablishmentRecord
from services.outcomes.models import Release
from services.outcomes.rules.columnar import column
from services.outcomes.rules.succession import conversions, first_lives

ESTABLISHMENT = tuple(name for name in EstablishmentRecord._fields if name != "says_trust")
KEPT_ON = ("school_id", "release_id")
"""What an establishment has beside what a release says of it: its school, and the release that last changed it."""
MANY = 5_000
"""New URNs from which it is quicker to read all links than to follow those of each."""


async def upsert(
    session: AsyncSession, row: Release, records: Sequence[EstablishmentRecord], said: Sequence[str], now: datetime
) -> None:
    """The establishments as the release has them; those that it lacks, or says nothing new of, stay as they were."""
    urns = column(records, "urn")
    known = await queries.school_ids(session, urns)
    new = set(urns) - known.keys()
    schools = known | await schools_of(session, new, known, now)
    ends = {urn: f"\t{school}\t{row.id}" for urn, school in schools.items()}
    fresh = [line + ends[urn] for urn, line in zip(urns, said, strict=True) if urn in new]
    await copy_lines(session, "outcomes.establishment", (*ESTABLISHMENT, *KEPT_ON), fresh)
    await identify(session, row, since="opened_on")
    if len(fresh) < len(records):
        again = [line + ends[urn] for urn, line in zip(urns, said, strict=True) if urn not in new]
        await change(session, again, says_trust=records[0].says_trust)
        await identify(session, row, since=f"DATE '{row.published_on.isoformat()}'")
        await date_identifiers(session, row)


async def schools_of(
    session: AsyncSession, new: Collection[int], known: dict[int, str], now: datetime
) -> dict[int, str]:
    """The school of each new URN: that of the establishment which it continues, else one that is added."""
    if not new:
        return {}
    pairs = await queries.plain_successions(session, None if len(new) > MANY else new)
    older = {urn for pair in pairs for urn in pair} - known.keys() - set(new)
    known = known | await queries.school_ids(session, older)
    firsts = first_lives(new, conversions(pairs), known)
    lacking = sorted(set(firsts.values()) - known.keys())
    known.update(zip(lacking, await add_schools(session, len(lacking), now), strict=True))
    return {urn: known[first] for urn, first in firsts.items()}


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


async def identify(session: AsyncSession, row: Release, *, since: str) -> None:
    """Add the identifiers that schools did not have before, of establishments that the release has changed.

    A URN holds from opening to closing; the others from `since`, an expression of SQL.
    """
    added = (
        "INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, valid_to, source)"  # noqa: S608
        f" SELECT DISTINCT ON (e.school_id, i.scheme, i.value) e.school_id, i.scheme, i.value, {since},"
        " CASE WHEN i.scheme = 'urn' THEN e.closed_on END, :source"
        " FROM outcomes.establishment AS e, LATERAL (VALUES ('urn', e.urn::text),"
        " ('laestab', e.la_code || e.establishment_number), ('ukprn', e.ukprn)) AS i (scheme, value)"
        " WHERE e.release_id = :release AND i.value IS NOT NULL AND NOT EXISTS (SELECT FROM outcomes.school_identifier"
        " AS had WHERE had.school_id = e.school_id AND had.scheme = i.scheme AND had.value = i.value)"
        " ORDER BY e.school_id, i.scheme, i.value, e.urn"
    )
    await session.execute(text(added), {"release": row.id, "source": row.feed})


async def date_identifiers(session: AsyncSession, row: Release) -> None:
    """URNs hold from opening to closing, as the release now dates these."""
    dated = text(
        "UPDATE outcomes.school_identifier AS i SET valid_from = coalesce(e.opened_on, i.valid_from),"
        " valid_to = e.closed_on FROM outcomes.establishment AS e"
        " WHERE e.release_id = :release AND i.scheme = 'urn' AND i.school_id = e.school_id AND i.value = e.urn::text"
        " AND (coalesce(e.opened_on, i.valid_from), e.closed_on) IS DISTINCT FROM (i.valid_from, i.valid_to)"
    )
    await (await session.connection()).execute(dated, {"release": row.id})
