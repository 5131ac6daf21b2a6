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
ENDED = "CASE WHEN count(e.closed_on) = count(*) THEN max(e.closed_on) END AS valid_to"
"""Until when lives tell an identifier: until the last of them has closed."""


def told(since: str = "e.opened_on") -> str:
    """The query for what the lives of schools tell and is not kept; from the first life of each identifier.

    Until the last has closed. A URN holds from opening; the others from `since`, an expression of SQL, but from opening
    too where only a school that had closed before is told to have had another.
    """
    return (
        "SELECT e.school_id, i.scheme, i.value, (array_agg(CASE WHEN i.scheme = 'urn'"  # noqa: S608
        f" OR e.closed_on <= {since} THEN e.opened_on ELSE {since} END ORDER BY e.urn))[1] AS valid_from,"
        f" {ENDED}, 'gias_establishments' AS source FROM {TOLD_BY}"
        " WHERE e.school_id = ANY(CAST(:schools AS uuid[])) AND i.value IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM outcomes.school_identifier AS kept WHERE kept.school_id = e.school_id"
        " AND kept.scheme = i.scheme AND kept.value = i.value) GROUP BY e.school_id, i.scheme, i.value"
    )


KNOWN = text(
    "SELECT scheme, value, valid_from, valid_to, source FROM (SELECT school_id, scheme, value, valid_from, valid_to,"  # noqa: S608
    f" source FROM outcomes.school_identifier WHERE school_id = ANY(:schools) UNION ALL ({told()})) AS known"
    " ORDER BY scheme, valid_from NULLS FIRST, value"
)
LIVES = text(
    "SELECT school_id, urn FROM outcomes.establishment WHERE school_id = ANY(:schools) UNION"
    " SELECT school_id, value::int FROM outcomes.school_identifier WHERE scheme = 'urn' AND school_id = ANY(:schools)"
)


async def identifiers(session: AsyncSession, school_id: UUID) -> list[Identifier]:
    """The identifiers that a school has had, with their dates."""
    return [Identifier(*row) for row in await session.execute(KNOWN, {"schools": [school_id]})]


async def urns_of(session: AsyncSession, school_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """School and URN of every URN that these schools have had."""
    found = await session.execute(LIVES, {"schools": list(school_ids)})
    return [(school_id, urn) for school_id, urn in found]


async def keep(session: AsyncSession, school_ids: Collection[UUID], *, since: str = "e.opened_on") -> None:
    """Keep what the lives of these schools tell, before they tell something else; what is kept already stays as it is.

    Identifiers hold from the opening, or from `since`, an expression of SQL.
    """
    kept = "INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, valid_to, source) "
    await session.execute(text(kept + told(since)), {"schools": list(school_ids)})


async def kept(session: AsyncSession, school_id: UUID) -> list[SchoolIdentifier]:
    """All identifiers of a school, each kept as a row of its own that may be changed."""
    await keep(session, [school_id])
    return list(await session.exec(select(SchoolIdentifier).where(SchoolIdentifier.school_id == school_id)))


DATED = text(
    "UPDATE outcomes.school_identifier AS kept SET valid_from = told.valid_from, valid_to ="  # noqa: S608
    " CASE WHEN told.valid_to IS NOT NULL THEN greatest(told.valid_from, told.valid_to) END FROM"
    " (SELECT k.school_id, k.scheme, k.value, CASE WHEN k.scheme = 'urn' THEN coalesce(min(e.opened_on), k.valid_from)"
    f" ELSE k.valid_from END AS valid_from, {ENDED} FROM outcomes.school_identifier AS k JOIN ({TOLD_BY})"
    " ON (e.school_id, i.scheme, i.value) = (k.school_id, k.scheme, k.value)"
    " WHERE k.school_id IN (SELECT school_id FROM outcomes.establishment WHERE release_id = :release)"
    " GROUP BY k.school_id, k.scheme, k.value) AS told"
    " WHERE (kept.school_id, kept.scheme, kept.value) = (told.school_id, told.scheme, told.value)"
    " AND (kept.scheme = 'urn' OR told.valid_to IS NULL OR kept.valid_to IS NULL)"
    " AND (kept.valid_from, kept.valid_to) IS DISTINCT FROM (told.valid_from, told.valid_to)"
    " AND NOT (told.valid_to IS NULL AND kept.valid_to IS NOT NULL AND EXISTS (SELECT FROM outcomes.school_identifier"
    " AS given WHERE (given.school_id, given.scheme) = (kept.school_id, kept.scheme) AND given.value <> kept.value"
    f" AND given.source = '{TRANSFER}'))"
)


async def date_kept(session: AsyncSession, row: Release) -> None:
    """What is kept and told holds until the last life that tells it has closed, as the release now dates these.

    URNs hold from opening. What a transfer has ended does not begin again because the register tells it still.
    """
    await (await session.connection()).execute(DATED, {"release": row.id})


OVER = text(
    "UPDATE outcomes.school_identifier AS kept SET valid_to = :on"  # noqa: S608
    " FROM unnest(CAST(:schools AS uuid[]), CAST(:schemes AS text[])) AS other (school_id, scheme)"
    " WHERE (kept.school_id, kept.scheme) = (other.school_id, other.scheme) AND kept.valid_to IS NULL"
    f" AND coalesce(kept.valid_from <= :on, true) AND NOT EXISTS (SELECT FROM {TOLD_BY} WHERE"
    " (e.school_id, i.scheme, i.value) = (kept.school_id, kept.scheme, kept.value)"
    " AND coalesce(e.closed_on > :on, true))"
)


async def end(session: AsyncSession, row: Release, others: Sequence[tuple[UUID, str]]) -> None:
    """The release tells other identifiers of these schools and schemes: those that no open life tells have ended."""
    schools, schemes = ([each[at] for each in others] for at in (0, 1))
    facts = {"on": row.published_on, "schools": schools, "schemes": schemes}
    await (await session.connection()).execute(OVER, facts)
