"""Which lives are of one school."""

import secrets
from collections.abc import Collection

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.types import uuid7
from services.outcomes import identifiers, queries
from services.outcomes.rules.succession import conversions, first_lives, united

TAIL = 12
"""Digits of an id by which schools that are added together differ."""
MANY = 5_000
"""New URNs from which it is quicker to read all links than to follow those of each."""


async def schools_of(session: AsyncSession, new: Collection[int], known: dict[int, str]) -> dict[int, str]:
    """The school of each new URN: that of the establishment which it continues, else a new one.

    A URN that a transfer has announced is that of its school, whether or not there is a link yet.
    """
    if not new:
        return {}
    pairs = await successions(session, new)
    older = {urn for pair in pairs for urn in pair} - known.keys() - set(new)
    told = {**known, **await queries.school_ids(session, older), **await queries.announced_urns(session)}
    firsts = first_lives(set(new) - told.keys(), conversions(pairs), told)
    lacking = sorted(set(firsts.values()) - told.keys())
    told.update(zip(lacking, new_schools(len(lacking)), strict=True))
    return {urn: told[firsts.get(urn, urn)] for urn in new}


async def successions(session: AsyncSession, urns: Collection[int] | None) -> list[tuple[int, int]]:
    """The plain successions that these URNs are linked by, however far; for many URNs or None, all that there are."""
    return await queries.plain_successions(session, None if urns is None or len(urns) > MANY else urns)


def new_schools(n: int) -> list[str]:
    """Ids for so many schools, as text: time-ordered (UUIDv7), one after another."""
    head, first = str(uuid7())[:-TAIL], secrets.randbits(4 * TAIL - 1)
    return [f"{head}{first + at:0{TAIL}x}" for at in range(n)]


UNITED = text(
    "UPDATE outcomes.establishment AS e SET school_id = moved.school_id"
    " FROM unnest(cast(:urns AS int[]), cast(:schools AS uuid[])) AS moved (urn, school_id) WHERE e.urn = moved.urn"
)
KEPT_APART = text(
    "SELECT DISTINCT moved.school_id FROM unnest(cast(:before AS uuid[]), cast(:schools AS uuid[]))"
    " AS moved (before, school_id) JOIN outcomes.school_identifier AS i ON i.school_id = moved.before"
)
KNOWN_BY = text(
    "INSERT INTO outcomes.school_identifier AS kept (school_id, scheme, value, valid_from, valid_to, source)"
    " SELECT moved.school_id, i.scheme, i.value, CASE WHEN count(i.valid_from) = count(*) THEN min(i.valid_from) END,"
    " CASE WHEN count(i.valid_to) = count(*) THEN max(i.valid_to) END, max(i.source)"
    " FROM unnest(cast(:before AS uuid[]), cast(:schools AS uuid[]), cast(:urns AS int[]))"
    " AS moved (before, school_id, urn) JOIN outcomes.school_identifier AS i ON i.school_id = moved.before"
    " WHERE i.scheme <> 'urn' OR i.value = moved.urn::text GROUP BY moved.school_id, i.scheme, i.value"
    " ON CONFLICT (school_id, scheme, value) DO UPDATE SET"
    " valid_from = CASE WHEN kept.valid_from < excluded.valid_from THEN kept.valid_from"
    " WHEN kept.valid_from IS NOT NULL THEN excluded.valid_from END,"
    " valid_to = CASE WHEN kept.valid_to > excluded.valid_to THEN kept.valid_to"
    " WHEN kept.valid_to IS NOT NULL THEN excluded.valid_to END"
)
"""What was kept of each is kept of the one school: of an identifier of both, from the first of them until the last."""


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
    apart = (await session.execute(KEPT_APART, {name: arrays[name] for name in ("before", "schools")})).scalars()
    await identifiers.keep(session, apart.all())
    connection = await session.connection()
    for statement in (UNITED, KNOWN_BY):
        names = statement.compile().params
        await connection.execute(statement, {name: arrays[name] for name in names})
    await identifiers.date_kept(session, None, set(moved.values()))
