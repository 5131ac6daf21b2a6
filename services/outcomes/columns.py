"""Observations as arrays: what a release says never changes, so each of its columns is read once and kept.

A column is one measure in one academic year as one release has it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.releases import REFERENCE_YEAR, Stage
from services.outcomes.rules.values import ValueState

KEPT = 400
"""Columns kept by a process: of 20,000 schools each takes 0.4 MB."""
STATES = tuple(ValueState)


class Key(NamedTuple):
    """What a column is known by."""

    release_id: UUID
    measure: str
    academic_year: int


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One measure in one academic year as one release has it, by URN: NaN without a value, -1 without pupils.

    `decimals` are the places after the point to which it was published, None where the catalogue says it.
    """

    urns: NDArray[np.int32]
    values: Floats
    pupils: NDArray[np.int32]
    states: NDArray[np.uint8]
    decimals: int | None = None


class Source(NamedTuple):
    """A release that counts in an academic year, for some measures."""

    release_id: UUID
    academic_year: int
    stage: Stage
    measures: tuple[str, ...]


KEEP: OrderedDict[Key, Column] = OrderedDict()
READ = text(
    "SELECT release_id, measure, academic_year,"
    " (SELECT (r.decimals ->> measure)::int FROM outcomes.release r WHERE r.id = release_id) AS decimals,"
    " string_agg(int4send(urn), ''::bytea) AS urns,"
    " string_agg(float8send(coalesce(value::float8, 'NaN')), ''::bytea) AS values,"
    " string_agg(int4send(coalesce(denominator, -1)), ''::bytea) AS pupils,"
    " string_agg(int2send((array_position(CAST(:states AS text[]), state::text) - 1)::int2), ''::bytea) AS states"
    " FROM (SELECT * FROM outcomes.observation WHERE release_id = ANY(:releases) AND measure = ANY(:measures)"
    " AND academic_year = ANY(:years) ORDER BY release_id, measure, academic_year, urn) AS o"
    " GROUP BY release_id, measure, academic_year"
)
COUNTING = text(
    "SELECT c.release_id, c.academic_year, r.release_status, array_agg(c.measure::text ORDER BY c.measure) AS measures"
    " FROM outcomes.current_release c JOIN outcomes.release r ON r.id = c.release_id"
    " WHERE c.academic_year <> :reference GROUP BY c.release_id, c.academic_year, r.id ORDER BY c.academic_year,"
    " array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) DESC,"
    " r.confirmed_on DESC, r.number DESC"
)


async def sources(session: AsyncSession) -> tuple[Source, ...]:
    """The releases that count, by academic year; within a year, those that go before others come first."""
    rows = await session.execute(COUNTING, {"reference": REFERENCE_YEAR})
    return tuple(Source(each, year, Stage(stage), tuple(measures)) for each, year, stage, measures in rows)


async def columns(session: AsyncSession, measures: Sequence[str], used: Sequence[Source]) -> dict[Key, Column]:
    """The columns of these measures in the releases that count for them."""
    wanted = [
        Key(each.release_id, code, each.academic_year) for code in measures for each in used if code in each.measures
    ]
    answer = {key: KEEP[key] for key in wanted if key in KEEP}
    lacking = [key for key in wanted if key not in answer]
    if lacking:
        asked = {
            "releases": list({key.release_id for key in lacking}),
            "measures": list({key.measure for key in lacking}),
            "years": list({key.academic_year for key in lacking}),
            "states": [state.value for state in STATES],
        }
        found = dict.fromkeys(lacking, NOTHING)
        for row in await session.execute(READ, asked):
            key = Key(row.release_id, row.measure, row.academic_year)
            found[key] = Column(
                np.frombuffer(row.urns, ">i4").astype(np.int32),
                np.frombuffer(row.values, ">f8").astype(np.float64),
                np.frombuffer(row.pupils, ">i4").astype(np.int32),
                np.frombuffer(row.states, ">i2").astype(np.uint8),
                row.decimals,
            )
        KEEP.update(found)
        answer.update(found)
    while len(KEEP) > KEPT:
        KEEP.popitem(last=False)
    return answer


NOTHING = Column(
    np.empty(0, dtype=np.int32),
    np.empty(0, dtype=np.float64),
    np.empty(0, dtype=np.int32),
    np.empty(0, dtype=np.uint8),
)
