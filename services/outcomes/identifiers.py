"""By which identifiers a school was known when: what its lives tell, and what is kept because they tell it no more."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.models import Release
from services.outcomes.schools import SchoolIdentifier


class Identifier(NamedTuple):
    """An identifier of a school for a time; `valid_to` is not included."""

    scheme: str
    value: str
    valid_from: date | None
    valid_to: date | None
    source: str


def told(since: str = "e.opened_on") -> str:
    """The query for what the lives of schools tell and is not kept; from the first life of each identifier.

    A URN holds from opening to closing; the others from `since`, an expression of SQL.
    """
    return (
        "SELECT DISTINCT ON (e.school_id, i.scheme, i.value) e.school_id, i.scheme, i.value,"  # noqa: S608
        f" CASE WHEN i.scheme = 'urn' THEN e.opened_on ELSE {since} END AS valid_from,"
        " CASE WHEN i.scheme = 'urn' THEN e.closed_on END AS valid_to, 'gias_establishments' AS source"
        " FROM outcomes.establishment AS e, LATERAL (VALUES ('urn', e.urn::text),"
        " ('laestab', e.la_code || e.establishment_number), ('ukprn', e.ukprn)) AS i (scheme, value)"
        " WHERE e.school_id = ANY(CAST(:schools AS uuid[])) AND i.value IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM outcomes.school_identifier AS kept WHERE kept.school_id = e.school_id"
        " AND kept.scheme = i.scheme AND kept.value = i.value) ORDER BY e.school_id, i.scheme, i.value, e.urn"
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


async def date_kept(session: AsyncSession, row: Release) -> None:
    """URNs that are kept hold from opening to closing, as the release now dates these."""
    dated = text(
        "UPDATE outcomes.school_identifier AS i SET valid_from = coalesce(e.opened_on, i.valid_from),"
        " valid_to = e.closed_on FROM outcomes.establishment AS e"
        " WHERE e.release_id = :release AND i.scheme = 'urn' AND i.school_id = e.school_id AND i.value = e.urn::text"
        " AND (coalesce(e.opened_on, i.valid_from), e.closed_on) IS DISTINCT FROM (i.valid_from, i.valid_to)"
    )
    await (await session.connection()).execute(dated, {"release": row.id})
