"""Which lives are of one school, and by which identifiers it was known when."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries
from services.outcomes.models import Release
from services.outcomes.rules.succession import conversions, first_lives, united

MANY = 5_000
"""New URNs from which it is quicker to read all links than to follow those of each."""


async def schools_of(
    session: AsyncSession, new: Collection[int], known: dict[int, str], now: datetime
) -> dict[int, str]:
    """The school of each new URN: that of the establishment which it continues, else one that is added.

    A URN that a transfer has announced is that of its school, whether or not there is a link yet.
    """
    if not new:
        return {}
    pairs = await successions(session, new)
    older = {urn for pair in pairs for urn in pair} - known.keys() - set(new)
    told = {**known, **await queries.school_ids(session, older), **await queries.announced_urns(session)}
    firsts = first_lives(set(new) - told.keys(), conversions(pairs), told)
    lacking = sorted(set(firsts.values()) - told.keys())
    told.update(zip(lacking, await add_schools(session, len(lacking), now), strict=True))
    return {urn: told[firsts.get(urn, urn)] for urn in new}


async def successions(session: AsyncSession, urns: Collection[int] | None) -> list[tuple[int, int]]:
    """The plain successions that these URNs are linked by, however far; for many URNs or None, all that there are."""
    return await queries.plain_successions(session, None if urns is None or len(urns) > MANY else urns)


async def add_schools(session: AsyncSession, n: int, now: datetime) -> Sequence[str]:
    """Add `n` schools; gives their ids, as text."""
    added = text(
        "INSERT INTO outcomes.school (id, created_at) SELECT uuidv7(), :now FROM generate_series(1, :n)"
        " RETURNING id::text"
    )
    return (await session.execute(added, {"n": n, "now": now})).scalars().all()


UNITED = text(
    "UPDATE outcomes.establishment AS e SET school_id = moved.school_id"
    " FROM unnest(cast(:urns AS int[]), cast(:schools AS uuid[])) AS moved (urn, school_id) WHERE e.urn = moved.urn"
)
KNOWN_BY = text(
    "INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, valid_to, source)"
    " SELECT moved.school_id, i.scheme, i.value, i.valid_from, i.valid_to, i.source"
    " FROM unnest(cast(:before AS uuid[]), cast(:schools AS uuid[]), cast(:urns AS int[]))"
    " AS moved (before, school_id, urn) JOIN outcomes.school_identifier AS i ON i.school_id = moved.before"
    " WHERE i.scheme <> 'urn' OR i.value = moved.urn::text ON CONFLICT DO NOTHING"
)


async def unite(session: AsyncSession, urns: Collection[int] | None = None) -> None:
    """Make one school of lives that links show to have followed one another, in whatever order files came.

    With `urns`, of those only that these are linked with. A school goes by its first life. What has been one school
    stays one: no link that is withdrawn takes it apart.
    """
    pairs = await successions(session, urns)
    known = await queries.school_ids(session, {urn for pair in pairs for urn in pair})
    moved = united(known, conversions(pairs))
    if not moved:
        return
    arrays = {"urns": list(moved), "schools": list(moved.values()), "before": [known[urn] for urn in moved]}
    connection = await session.connection()
    for statement in (UNITED, KNOWN_BY):
        names = statement.compile().params
        await connection.execute(statement, {name: arrays[name] for name in names})


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
