"""By which identifiers a school was known when: what its lives tell, and what is kept because they tell it no more."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.models import Release
from services.outcomes.rules.membership import TRANSFER
from services.outcomes.schools import SchoolIdentifier


class Identifier(NamedTuple):
    """An identifier of a school for a time; `valid_to` is not included."""

    scheme: str
    value: str
    valid_from: date | None
    valid_to: date | None
    source: str


TOLD_BY = (
    "outcomes.establishment AS e CROSS JOIN LATERAL (VALUES ('urn', e.urn::text),"
    " ('laestab', e.la_code || e.establishment_number), ('ukprn', e.ukprn)) AS i (scheme, value)"
)
FIRST = "(array_agg(e.opened_on ORDER BY e.closed_on NULLS LAST, e.opened_on NULLS FIRST, e.urn))[1]"
"""Since when lives tell an identifier: since the opening of the one that closed first."""
OPEN = "bool_or(e.closed_on IS NULL AND e.status <> 'closed')"
ENDED = f"CASE WHEN NOT {OPEN} THEN max(e.closed_on) END"
"""Until when: until the last of them has closed, as far as its day is known."""
TOLD = (
    "SELECT e.school_id, i.scheme, i.value, CASE WHEN i.scheme = 'urn' OR CAST(:since AS date) IS NULL"  # noqa: S608
    " OR bool_and(coalesce(e.closed_on <= :since, false)) "
    f" THEN {FIRST} ELSE :since END AS valid_from, {ENDED} AS valid_to, 'gias_establishments' AS source FROM {TOLD_BY}"
    " WHERE e.school_id = ANY(CAST(:schools AS uuid[])) AND i.value IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM outcomes.school_identifier AS kept WHERE kept.school_id = e.school_id"
    " AND kept.scheme = i.scheme AND kept.value = i.value) GROUP BY e.school_id, i.scheme, i.value"
)
"""What the lives of schools tell and is not kept: since the first of those that tell it opened, until the last closed.

What is told from the day `since` on holds from then, but for URNs, and for what only lives tell that had closed before.
"""
KNOWN = text(
    "SELECT scheme, value, valid_from, valid_to, source FROM (SELECT school_id, scheme, value, valid_from, valid_to,"  # noqa: S608
    f" source FROM outcomes.school_identifier WHERE school_id = ANY(:schools) UNION ALL ({TOLD})) AS known"
    " ORDER BY scheme, valid_from NULLS FIRST, value"
)
LIVES = text(
    "SELECT school_id, urn FROM outcomes.establishment WHERE school_id = ANY(:schools) UNION"
    " SELECT school_id, value::int FROM outcomes.school_identifier WHERE scheme = 'urn' AND school_id = ANY(:schools)"
)


async def identifiers(session: AsyncSession, school_id: UUID) -> list[Identifier]:
    """The identifiers that a school has had, with their dates."""
    return [Identifier(*row) for row in await session.execute(KNOWN, {"schools": [school_id], "since": None})]


async def urns_of(session: AsyncSession, school_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """School and URN of every URN that these schools have had."""
    found = await session.execute(LIVES, {"schools": list(school_ids)})
    return [(school_id, urn) for school_id, urn in found]


KEEP = text(f"INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, valid_to, source) {TOLD}")


async def keep(session: AsyncSession, school_ids: Collection[UUID], *, since: date | None = None) -> None:
    """Keep what the lives of these schools tell, before they tell something else; what is kept already stays as it is.

    Identifiers hold from the opening, or from the day `since` which they are told.
    """
    await session.execute(KEEP, {"schools": list(school_ids), "since": since})


async def kept(session: AsyncSession, school_id: UUID) -> list[SchoolIdentifier]:
    """All identifiers of a school, each kept as a row of its own that may be changed."""
    await keep(session, [school_id])
    return list(await session.exec(select(SchoolIdentifier).where(SchoolIdentifier.school_id == school_id)))


TOUCHED = (
    "(SELECT school_id FROM outcomes.establishment WHERE release_id = :release"
    " UNION SELECT unnest(CAST(:schools AS uuid[])))"
)
DATED = text(
    "UPDATE outcomes.school_identifier AS kept SET valid_from = told.valid_from, valid_to ="  # noqa: S608
    " CASE WHEN told.ended IS NOT NULL THEN greatest(told.valid_from, told.ended) END FROM"
    " (SELECT k.school_id, k.scheme, k.value, CASE WHEN k.scheme = 'urn' THEN coalesce(min(e.opened_on), k.valid_from)"
    f" ELSE coalesce(k.valid_from, {FIRST}) END AS valid_from, {OPEN} AS open,"
    f" CASE WHEN NOT {OPEN} THEN coalesce(max(e.closed_on), k.valid_to) END AS ended"
    f" FROM outcomes.school_identifier AS k JOIN ({TOLD_BY})"
    f" ON (e.school_id, i.scheme, i.value) = (k.school_id, k.scheme, k.value) WHERE k.school_id IN {TOUCHED}"
    " GROUP BY k.school_id, k.scheme, k.value) AS told"
    " WHERE (kept.school_id, kept.scheme, kept.value) = (told.school_id, told.scheme, told.value)"
    " AND (kept.scheme = 'urn' OR told.open OR kept.valid_to IS NULL)"
    " AND (kept.valid_from, kept.valid_to) IS DISTINCT FROM (told.valid_from, told.ended)"
    " AND NOT (told.open AND kept.valid_to IS NOT NULL AND EXISTS (SELECT FROM outcomes.school_identifier"
    " AS given WHERE (given.school_id, given.scheme) = (kept.school_id, kept.scheme) AND given.value <> kept.value"
    f" AND given.source = '{TRANSFER}'))"
)
LOST = text(
    "UPDATE outcomes.school_identifier AS kept SET valid_to = greatest(kept.valid_from, silent.closed_on)"  # noqa: S608
    f" FROM (SELECT e.school_id, i.scheme, max(e.closed_on) AS closed_on FROM {TOLD_BY} WHERE i.value IS NULL"
    f" AND e.school_id IN {TOUCHED} GROUP BY e.school_id, i.scheme HAVING count(e.closed_on) = count(*)) AS silent"
    " WHERE (kept.school_id, kept.scheme) = (silent.school_id, silent.scheme) AND kept.valid_to IS NULL"
    f" AND kept.source <> '{TRANSFER}' AND NOT EXISTS (SELECT FROM {TOLD_BY}"
    " WHERE (e.school_id, i.scheme, i.value) = (kept.school_id, kept.scheme, kept.value))"
)
"""What no life tells any more, though none has told another instead, holds until those without any have closed."""


async def date_kept(session: AsyncSession, release_id: UUID | None, school_ids: Collection[str] = ()) -> None:
    """Let what is kept hold until the last life that tells it, or told it last, has closed, as these are dated now.

    Of schools that the release changed, and of these. URNs hold from opening. What a transfer has ended does not begin
    again because the register tells it still.
    """
    connection = await session.connection()
    for statement in (DATED, LOST):
        await connection.execute(statement, {"release": release_id, "schools": list(school_ids)})


OVER = text(
    "UPDATE outcomes.school_identifier AS kept SET valid_to = :on"  # noqa: S608
    " FROM unnest(CAST(:schools AS uuid[]), CAST(:schemes AS text[])) AS other (school_id, scheme)"
    " WHERE (kept.school_id, kept.scheme) = (other.school_id, other.scheme) AND kept.valid_to IS NULL"
    f" AND coalesce(kept.valid_from <= :on, true) AND NOT EXISTS (SELECT FROM {TOLD_BY} WHERE"
    " (e.school_id, i.scheme, i.value) = (kept.school_id, kept.scheme, kept.value)"
    " AND coalesce(e.closed_on > :on, e.status <> 'closed'))"
)


async def end(session: AsyncSession, row: Release, others: Sequence[tuple[UUID, str]]) -> None:
    """The release tells other identifiers of these schools and schemes: those that no open life tells have ended."""
    schools, schemes = ([each[at] for each in others] for at in (0, 1))
    facts = {"on": row.published_on, "schools": schools, "schemes": schemes}
    await (await session.connection()).execute(OVER, facts)
