"""Which results of a school would tell of single pupils, and who may see them all the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.types import Kind
from services.outcomes import queries
from services.outcomes.models import Observation
from services.outcomes.rules.measures import MEASURES, ON_ROLL
from services.outcomes.rules.series import denominator
from services.outcomes.rules.suppression import Count, fit


class Result(NamedTuple):
    """A school's result of a year, in the measure's unit; no `denominator` where the table does not tell the pupils."""

    measure: str
    academic_year: int
    value: float
    denominator: int | None


Results = Mapping[tuple[str, int], Result]
"""Results of a school by measure and academic year."""


async def seen_whole(session: AsyncSession, urn: int, caller: Caller) -> bool:
    """Whether the caller sees every result of a school: DfE, a commissioner of its area, and who answers for it now."""
    if caller.kind in {Kind.DFE, Kind.SERVICE}:
        return True
    school = await queries.establishment(session, urn)
    if school is None:
        return False
    if caller.kind is Kind.COMMISSIONER:
        return school.region in caller.regions or school.la_code in caller.la_codes
    trusts = {each.trust_uid for each in await queries.memberships(session, [urn]) if not each.left_on}
    return str(urn) in caller.urns or caller.trust_uid in trusts


async def disclosive(session: AsyncSession, urn: int, rows: Sequence[Observation]) -> set[tuple[str, int]]:
    """Measure and academic year of the results among these that may not be told to everybody."""
    there = results_in(rows)
    if not any(MEASURES[measure].judged for measure, _year in there):
        return set()
    beside = await queries.current_observations(session, urn, needed_beside({measure for measure, _year in there}))
    school = await queries.establishment(session, urn)
    return telling(there, results_in(beside.values()), school.pupils if school else None)


def results_in(rows: Iterable[Observation]) -> Results:
    """Those of one school's observations that have a value."""
    return {
        (row.measure, row.academic_year): Result(row.measure, row.academic_year, float(row.value), row.denominator)
        for row in rows
        if row.value is not None
    }


def needed_beside(measures: Iterable[str]) -> set[str]:
    """What must be known beside results in these measures: the pupils on roll, and those whom a part is of."""
    return {ON_ROLL, *(whole for each in measures if (whole := MEASURES[each].part_of) is not None)}


def telling(results: Results, beside: Results, on_roll: int | None) -> set[tuple[str, int]]:
    """Measure and academic year of those of a school's results that may not be told to everybody."""
    rolls = {year: int(each.value) for (code, year), each in beside.items() if code == ON_ROLL}

    def count(each: Result) -> Count | None:
        n, proxy = denominator(each.denominator, rolls, on_roll, each.academic_year)
        if not n:
            return None
        whole = beside.get((MEASURES[each.measure].part_of or "", each.academic_year))
        if proxy or whole is None or whole.denominator is None:
            return Count(each.value, n)
        return Count(each.value, n, whole.value, whole.denominator)

    counts = {key: count(each) for key, each in results.items() if MEASURES[each.measure].judged}
    return {key for key, each in counts.items() if each is not None and not fit(MEASURES[key[0]], [each])}
