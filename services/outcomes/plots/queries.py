"""Every SELECT for pictures: results of schools, year by year, from releases that a verdict could rest on."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

YEARLY = text(
    "SELECT DISTINCT ON (o.measure, o.urn, o.academic_year) o.measure, o.urn, o.academic_year, o.value::float8,"
    " o.denominator, (r.decimals ->> o.measure)::int FROM outcomes.observation AS o"
    " JOIN outcomes.release AS r ON r.id = o.release_id WHERE o.measure = ANY(:measures) AND o.urn = ANY(:urns)"
    " AND o.state = 'ok' AND r.status IN ('current', 'superseded') AND (r.id = ANY(:used) OR (o.academic_year < :before"
    " AND r.number <= (SELECT max(number) FROM outcomes.release WHERE id = ANY(:used))))"
    " ORDER BY o.measure, o.urn, o.academic_year, (r.id = ANY(:used)) DESC,"
    " array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) DESC,"
    " r.confirmed_on DESC, r.number DESC"
)


class Result(NamedTuple):
    """A school's published result of a year, in the measure's unit; `pupils` None where the table has none.

    `decimals` are the places after the point to which it was published, None where the catalogue says it.
    """

    measure: str
    urn: int
    year: int
    value: float
    pupils: int | None
    decimals: int | None


async def yearly(
    session: AsyncSession, measures: Sequence[str], urns: Sequence[int], used: Sequence[UUID], before: int
) -> list[Result]:
    """Results in these measures of schools under these URNs from the releases of a verdict.

    For years before `before`, of which it says nothing, also from those that were there when its last one came.
    """
    asked = {"measures": measures, "urns": list(urns), "used": list(used), "before": before}
    return [Result(*row) for row in await session.execute(YEARLY, asked)]
