"""Whether an outcome can be judged at all, what was added to it, and what a reader must know of its figures."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from services.outcomes.rules.agreement import (
    TOO_FEW_UP_TO,
    UNRELIABLE_UP_TO,
    Agreed,
    Missing,
    Run,
    why_unusable,
)
from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.effects import Effect, difference_in_differences
from services.outcomes.rules.matching import Match
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import EVALUATION_YEARS, Pooled, Reading, accountable_years, pool
from services.outcomes.rules.shrinkage import empirical_bayes, paule_mandel
from services.outcomes.rules.suppression import SUPPRESS_UP_TO

UNLIKE_SIZE = 2
"""Times by which cohorts differ before chance in them is reckoned apart (METHOD.md 3.4)."""


def evaluated_years(term: Term, agreed: Agreed, year: int) -> tuple[int, ...]:
    """The last two academic years, up to `year`, for which the supplier answers."""
    return accountable_years(term, agreed.measure.key_stage, year)[-EVALUATION_YEARS:]


def actual_readings(term: Term, agreed: Agreed, year: int, readings: Mapping[int, Reading]) -> list[Reading]:
    """The school's usable results of the years evaluated."""
    years = evaluated_years(term, agreed, year)
    return [readings[each] for each in years if each in readings and readings[each].usable]


def first_alone(term: Term, agreed: Agreed, years: Sequence[int]) -> bool:
    """Whether the first of several years of a term would be judged by itself, which says too little (METHOD.md 3.1)."""
    of_term = accountable_years(term, agreed.measure.key_stage, term.ends_on.year)
    return len(of_term) > 1 and tuple(years) == of_term[:1]


def why_not(
    agreed: Agreed,
    year: int,
    run: Run,
    term: Term,
    readings: Mapping[int, Reading],
    actual: Pooled | None,
) -> list[Missing]:
    """Every reason why the outcome cannot be judged as of `year`; none when it can."""
    found, years = [], evaluated_years(term, agreed, year)
    if run is Run.FINAL and first_alone(term, agreed, years):
        found.append(Missing.FIRST_YEAR_ALONE)
    if year not in years:
        found.append(Missing.NO_ACCOUNTABLE_SERIES)
    else:
        last = readings.get(year)
        if last is None or not last.usable:
            found.append(why_unusable(last))
        elif actual is not None and actual.n <= SUPPRESS_UP_TO:
            found.append(Missing.SUPPRESSED)
        elif actual is not None and actual.n <= TOO_FEW_UP_TO:
            found.append(Missing.N_TOO_SMALL)
        if last is not None and run is Run.FINAL and last.stage is Stage.PROVISIONAL:
            found.append(Missing.PROVISIONAL_ONLY)
    if agreed.baseline is None:
        found.append(Missing.NO_BASELINE)
    elif not agreed.measure.unchanged((*agreed.baseline.years, *(actual.years if actual else ()))):
        found.append(Missing.VERSION_BREAK)
    return found


def stage_of(readings: Sequence[Reading]) -> Stage | None:
    """The least settled stage among the readings."""
    return min((each.stage for each in readings), key=lambda stage: stage.rank, default=None)


def change_variance(measure: Measure, first: Pooled, actual: Pooled) -> float:
    """What chance in pupils alone adds to the variance of a change, in the measure's squared unit."""
    before, after = measure.over(first.years), measure.over(actual.years)
    return before.sampling_variance(first.value, first.n) + after.sampling_variance(actual.value, actual.n)


def change_variances(measure: Measure, first: Pooled, actual: Pooled, found: Match) -> Floats:
    """The same of the changes of the comparators, between the same years."""
    before, after, them = measure.over(first.years), measure.over(actual.years), found.columns
    earlier = before.sampling_variances(them.baselines, them.baselines_n)
    return earlier + after.sampling_variances(them.outcomes, them.outcomes_n)


def added_value(agreed: Agreed, first: Pooled, actual: Pooled, found: Match) -> Effect | None:
    """The difference in differences against the matched schools; None with fewer than two of them."""
    if len(found.comparators) < 2:
        return None
    pairs = [(each.baseline, each.outcome) for each in found.comparators]
    sampling = None
    usual = median([each.outcome_n for each in found.comparators])
    if not usual / UNLIKE_SIZE <= actual.n <= usual * UNLIKE_SIZE:
        others = float(change_variances(agreed.measure, first, actual, found).mean())
        sampling = (change_variance(agreed.measure, first, actual), others)
    return difference_in_differences(first.value, actual.value, pairs, agreed.measure.direction, sampling)


def shrunk(agreed: Agreed, first: Pooled, actual: Pooled, found: Match) -> float | None:
    """The improvement beyond the comparators', drawn towards none the less its cohorts can say (METHOD.md 3.7, 3.12).

    The comparators' own changes tell how far schools truly differ (empirical Bayes). In the measure's unit, better ones
    positive; None with fewer than two comparators.
    """
    if len(found.comparators) < 2:
        return None
    them, variances = found.columns, change_variances(agreed.measure, first, actual, found)
    alike = paule_mandel(them.outcomes - them.baselines, np.sqrt(np.maximum(variances, LEAST_VARIANCE)))
    own = math.sqrt(max(change_variance(agreed.measure, first, actual), LEAST_VARIANCE))
    change = actual.value - first.value
    return agreed.measure.direction * (empirical_bayes([change] * 2, [own] * 2, alike)[0] - alike.mean)


LEAST_VARIANCE = 1e-9
"""A result of none or all of the pupils has no spread of its own; it is not taken for certain."""


def pre_trend(agreed: Agreed, readings: Mapping[int, Reading], found: Match) -> float | None:
    """How far the school drifted from its comparators in the last year before the term, in standard errors.

    None where there is a single year, or too few comparators to say. Source: METHOD.md 3.3, placebo before the term.
    """
    years = agreed.baseline.years if agreed.baseline else ()
    changes = [each.pre_change for each in found.comparators if each.pre_change is not None]
    last = pool(readings[year] for year in years[-1:] if year in readings)
    earlier = pool(readings[year] for year in years[:-1] if year in readings)
    if last is None or earlier is None or len(changes) < 2:
        return None
    effect = difference_in_differences(earlier.value, last.value, [(0.0, each) for each in changes])
    return effect.tau / effect.se if effect.se > 0 else None


def notes(agreed: Agreed, actual: Pooled, used: Sequence[Reading], readings: Mapping[int, Reading]) -> tuple[str, ...]:
    """What a reader of the verdict must know about the figures."""
    found = []
    if len(actual.years) == 1:
        found.append("single_year")
    if actual.n <= UNRELIABLE_UP_TO:
        found.append("low_reliability")
    if any(each.n_is_proxy for each in used):
        found.append("denominator_proxy")
    years = agreed.baseline.years if agreed.baseline else ()
    if any(after - before > 1 for before, after in pairwise(years)):
        found.append("baseline_gap")
    now = pool(readings[year] for year in years if year in readings)
    if agreed.baseline and (now is None or abs(now.value - agreed.baseline.value) > 1e-9):
        found.append("baseline_restated")
    return tuple(found)
