"""What schools achieved year by year, as pictures may show it."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan, nan

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.models import Evaluation
from services.outcomes.plots import queries
from services.outcomes.plots.queries import Result
from services.outcomes.rules.matching import ENOUGH_PUPILS
from services.outcomes.rules.measures import MEASURES, ON_ROLL, Measure
from services.outcomes.rules.plots.subject import Subject, gap
from services.outcomes.rules.series import denominator, last_place, recovered
from services.outcomes.rules.suppression import protected

Series = dict[int, float]


async def series(session: AsyncSession, row: Evaluation, subject: Subject) -> tuple[Series, dict[int, Series]]:
    """Results year by year, in the measure's unit: the school's, and its comparators' by URN as they may be told.

    Of comparators only those of eleven pupils or more; where the table does not tell how many, by the census.
    """
    urn, measure = int(row.inputs["question"]["school_urn"]), subject.measure
    urns = [each.urn for each in subject.gathered.match.comparators]
    stored = {year: each for year, each in subject.gathered.readings.items() if gap(year, each) is None}
    before = min(subject.gathered.readings, default=subject.year)
    wanted = [code for code in (measure.code, measure.part_of, ON_ROLL) if code is not None]
    results = await queries.yearly(session, wanted, [urn, *urns], row.releases, before)
    own = {each.year: each.value for each in exact(measure, results) if each.urn == urn and each.year < before}
    own |= {year: each.value for year, each in stored.items() if each.value is not None}
    found: dict[int, Series] = {}
    for each in told(measure, results):
        found.setdefault(each.urn, {})[each.year] = each.value
    return own, {other: found[other] for other in urns if other in found and other != urn}


def exact(measure: Measure, results: Iterable[Result]) -> list[Result]:
    """Published results in a measure as exact as the method reckons with them."""
    of = [each for each in results if each.measure == measure.code]
    values = np.array([each.value for each in of], dtype=np.float64)
    pupils = np.array([each.pupils or 0 for each in of], dtype=np.int64)
    halves = np.array([last_place(measure, each.decimals) for each in of], dtype=np.float64)
    found, _halves = recovered(measure, values, pupils, pupils == 0, halves)
    return [each._replace(value=value) for each, value in zip(of, found.tolist(), strict=True)]


def told(measure: Measure, results: Sequence[Result]) -> list[Result]:
    """The same as others than the school may be told: none of fewer than eleven pupils, nor of an unknown number."""
    of = exact(measure, results)
    whole = (
        {(each.urn, each.year): each for each in exact(MEASURES[measure.part_of], results)} if measure.part_of else {}
    )
    rolls: dict[int, dict[int, int]] = {}
    for each in results:
        if each.measure == ON_ROLL:
            rolls.setdefault(each.urn, {})[each.year] = int(each.value)
    known = [beside(each, whole.get((each.urn, each.year)), rolls.get(each.urn, {})) for each in of]
    values, n, *wholes = np.array(known, dtype=np.float64).reshape(-1, 4).T
    found = protected(measure, values, n, (wholes[0], wholes[1]))
    found[n < ENOUGH_PUPILS] = nan
    return [each._replace(value=value) for each, value in zip(of, found.tolist(), strict=True) if not isnan(value)]


def beside(each: Result, whole: Result | None, rolls: Mapping[int, int]) -> tuple[float, float, float, float]:
    """A result and its pupils, and those of all pupils; these NaN where either's pupils are not told."""
    n, _proxy = denominator(each.pupils, rolls, None, each.year)
    if whole is None or whole.pupils is None or each.pupils is None:
        return each.value, n or 0, nan, nan
    return each.value, n or 0, whole.value, whole.pupils
