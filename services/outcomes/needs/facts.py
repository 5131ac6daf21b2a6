"""What is known of every school of a phase that speaks for or against help."""

from collections.abc import Mapping, Sequence

import numpy as np

from services.outcomes.needs.estimates import ASKED, Asked, error_of, pooled
from services.outcomes.observed import Observed
from services.outcomes.panels import Panel
from services.outcomes.rules.inspection import Inspection, in_order, standing, stuck
from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.population import Bools
from services.outcomes.rules.shrinkage import paule_mandel, posterior
from services.outcomes.rules.targeting import THRESHOLDS, Facts, below_limits, below_quantile, component, predicted_by


def facts(panel: Panel, key_stage: KeyStage, inspected: Mapping[int, Sequence[Inspection]]) -> list[Facts]:
    """What the tiers are decided by, for every school; `inspected` are the inspections by place."""
    asked, count = ASKED[key_stage], len(panel.register.urns)
    attainment = panel.observed[asked.attainment]
    low, low_known = low_attainment(panel, asked) if attainment.years else unknown(count)
    progress, progress_known = low_progress(panel, asked) if key_stage is KeyStage.KS4 else unknown(count)
    below, below_known = under_limits(attainment) if attainment.years else unknown(count)
    falls, falls_known = falling(attainment) if attainment.years else unknown(count)
    found = []
    for place in range(count):
        history = inspected.get(place, ())
        found.append(
            Facts(
                concern=standing(history).concern,
                stuck=stuck(history) if in_order(history) else None,
                low_attainment=bool(low[place]) if low_known[place] else None,
                low_progress=bool(progress[place]) if progress_known[place] else None,
                below_limits=bool(below[place]) if below_known[place] else None,
                falling=bool(falls[place]) if falls_known[place] else None,
            )
        )
    return found


def unknown(count: int) -> tuple[Bools, Bools]:
    """Neither true nor known, of any school."""
    return np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)


def low_attainment(panel: Panel, asked: Asked) -> tuple[Bools, Bools]:
    """Whether a school is below a quarter of schools both for all pupils and for the disadvantaged.

    Where the disadvantaged are too few to be published, they are what is expected of a school with its results: else
    small schools would be missed.
    """
    whole, apart = pooled(panel.observed[asked.attainment]), panel.observed[asked.disadvantaged]
    low = below_quantile(whole.values, THRESHOLDS.low_quantile)
    if apart.years:
        own = pooled(apart).values
        first = component("attainment", 1, whole.values, whole.errors, whole.pupils)
        if first is not None:
            own = np.where(np.isnan(own), predicted_by(first)(own)[0], own) if (~np.isnan(own)).sum() > 2 else own
        low &= below_quantile(own, THRESHOLDS.low_quantile)
    return low, ~np.isnan(whole.values)


def low_progress(panel: Panel, asked: Asked) -> tuple[Bools, Bools]:
    """Whether Progress 8 was below -0.5 in the last three years that have it, and whether it is known for all three."""
    seen = panel.observed[asked.progress[0]]
    if len(seen.years) < THRESHOLDS.low_progress_years:
        return unknown(len(panel.register.urns))
    last = seen.fit[-THRESHOLDS.low_progress_years :]
    known: Bools = np.all(~np.isnan(last), axis=0)
    low: Bools = known & np.all(np.nan_to_num(last) < THRESHOLDS.low_progress, axis=0)
    return low, known


def under_limits(seen: Observed) -> tuple[Bools, Bools]:
    """Whether a school was under the funnel's lower limit in two of the last three years."""
    rows = pooled(seen).rows
    scores, spreads = [], []
    for row in rows:
        values, pupils = seen.fit[row], seen.pupils[row].astype(np.float64)
        measure = seen.measure.over((seen.years[row],))
        known = ~np.isnan(values) & (pupils > 0)
        values = np.where(known, values, np.nan)
        middle = float(np.average(values[known], weights=pupils[known])) if known.any() else np.nan
        scores.append(seen.measure.direction * (values - middle))
        spreads.append(np.nan_to_num(error_of(measure, values, pupils)))
    return below_limits(np.array(scores), np.array(spreads))


def falling(seen: Observed) -> tuple[Bools, Bools]:
    """Whether the change from the first to the last of three years, shrunk, is among the lowest tenth."""
    rows = pooled(seen).rows
    count = seen.fit.shape[1]
    if len(rows) < 2:
        return unknown(count)
    (first, last), pupils = (seen.fit[[rows[0], rows[-1]]]), seen.pupils[[rows[0], rows[-1]]].astype(np.float64)
    then, now = (seen.measure.over((seen.years[rows[at]],)) for at in (0, -1))
    errors = np.hypot(error_of(then, first, pupils[0]), error_of(now, last, pupils[1]))
    change = seen.measure.direction * (last - first)
    known = ~np.isnan(change) & ~np.isnan(errors)
    if int(known.sum()) < 2:
        return unknown(count)
    common = paule_mandel(change[known], errors[known])
    shrunk = np.full(count, np.nan)
    shrunk[known] = posterior(change[known], errors[known] ** 2, common)[0]
    tenth = below_quantile(shrunk, THRESHOLDS.falling_quantile)
    return (tenth if common.tau2 > 0 else np.zeros(count, dtype=np.bool_)), known
