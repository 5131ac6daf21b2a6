"""Which results of a school would tell of single pupils, and who may see them all the same."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.types import Kind
from services.outcomes import queries
from services.outcomes.disclosure import entitled
from services.outcomes.models import Observation
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.series import denominator
from services.outcomes.rules.suppression import Count, fit

ON_ROLL = "CENSUS_NOR"


async def disclosive(session: AsyncSession, urn: int, rows: Sequence[Observation]) -> set[tuple[str, int]]:
    """Measure and academic year of the results among these that may not be told to everybody."""
    there = [row for row in rows if row.value is not None and MEASURES[row.measure].judged]
    if not there:
        return set()
    wholes = {MEASURES[row.measure].part_of for row in there} - {None}
    beside = await queries.current_observations(session, urn, {ON_ROLL, *(each for each in wholes if each)})
    school = await queries.establishment(session, urn)
    rolls = {year: int(row.value) for (code, year), row in beside.items() if code == ON_ROLL and row.value is not None}

    def count(row: Observation) -> Count | None:
        n, proxy = denominator(row.denominator, rolls, school.pupils if school else None, row.academic_year)
        if not n or row.value is None:
            return None
        whole = beside.get((MEASURES[row.measure].part_of or "", row.academic_year))
        if proxy or whole is None or whole.value is None or whole.denominator is None:
            return Count(float(row.value), n)
        return Count(float(row.value), n, float(whole.value), whole.denominator)

    counts = {(row.measure, row.academic_year): count(row) for row in there}
    return {key for key, each in counts.items() if each is not None and not fit(MEASURES[key[0]], [each])}


async def sees_all(session: AsyncSession, urn: int, caller: Caller) -> bool:
    """Whether the caller sees every result of the school."""
    school = await queries.establishment(session, urn)
    if school is None:
        return caller.kind in {Kind.DFE, Kind.SERVICE}
    present = [each.trust_uid for each in await queries.memberships(session, [urn]) if each.left_on is None]
    place = {"region": school.region, "la_code": school.la_code}
    return entitled(caller, urn=urn, trust_uid=present[0] if present else None, **place)
