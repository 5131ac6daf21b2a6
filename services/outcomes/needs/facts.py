"""What is known of every school of a phase that speaks for or against help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.outcomes.columns import STATES
from services.outcomes.panels import UNSEEN, Observed, Panel
from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.inspection import Inspection, in_order, standing, stuck
from services.outcomes.rules.measures import KeyStage, Kind, Measure
from services.outcomes.rules.population import Bools
from services.outcomes.rules.series import BASELINE_YEARS, NOT_USABLE
from services.outcomes.rules.shrinkage import paule_mandel, posterior
from services.outcomes.rules.suppression import SUPPRESS_UP_TO, withheld
from services.outcomes.rules.targeting import (
    THRESHOLDS,
    Component,
    Facts,
    below_limits,
    below_quantile,
    component,
    predicted_by,
)
from services.outcomes.rules.values import ValueState

DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Asked:
    """The measures that stand for each part of need at a key stage."""

    attainment: str
    disadvantaged: str
    progress: tuple[str, ...]
    absence: str = "ABS_OVERALL"

    @property
    def measures(self) -> tuple[str, ...]:
        """All of them."""
        return (self.attainment, self.disadvantaged, *self.progress, self.absence)


ASKED = {
    KeyStage.KS2: Asked("KS2_RWM_EXP", "KS2_RWM_EXP_DIS", ("KS2_READ_PROG", "KS2_WRIT_PROG", "KS2_MAT_PROG")),
    KeyStage.KS4: Asked("KS4_A8", "KS4_A8_DIS", ("KS4_P8",)),
}
PHASES = {
    "Primary": KeyStage.KS2,
    "Middle deemed primary": KeyStage.KS2,
    "Secondary": KeyStage.KS4,
    "Middle deemed secondary": KeyStage.KS4,
    "All-through": KeyStage.KS4,
}


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Up to three years of a measure as one, for every school: NaN and 0 pupils where there is nothing to show.

    `rows` are the places of the years in what was observed, earliest first.
    """

    measure: Measure
    years: tuple[int, ...]
    rows: tuple[int, ...]
    values: Floats
    pupils: Floats

    @property
    def errors(self) -> Floats:
        """What chance in the pupils gives each value, as a standard error in the measure's unit."""
        return error_of(self.measure.over(self.years), self.values, self.pupils)


def error_of(measure: Measure, values: Floats, pupils: Floats) -> Floats:
    """The standard errors of values over pupils; a proportion's at the mean of all, so that 0 and 100 have one too."""
    known = ~np.isnan(values)
    middle = float(np.average(values[known], weights=pupils[known])) if known.any() else 50.0
    spread = measure.spread_at(middle if measure.kind is Kind.PROPORTION else 0.0)
    found: Floats = spread / np.sqrt(np.where(pupils > 0, pupils, np.nan))
    return found


def pooled(seen: Observed) -> Pooled:
    """The last three years of a measure that mean the same; five pupils or fewer are not shown (METHOD.md 3.6)."""
    usable = [year for year in seen.years if year not in NOT_USABLE]
    alike = [year for year in usable if seen.measure.unchanged((year, usable[-1]))][-BASELINE_YEARS:]
    rows = tuple(seen.years.index(year) for year in alike)
    values, pupils = seen.values[list(rows)], seen.pupils[list(rows)].astype(np.float64)
    there = ~np.isnan(values) & (pupils > 0)
    n = np.where(there, pupils, 0.0).sum(axis=0)
    total = np.where(there, values * pupils, 0.0).sum(axis=0)
    enough = n > SUPPRESS_UP_TO
    found = np.divide(total, n, out=np.full(len(n), np.nan), where=enough)
    return Pooled(seen.measure, tuple(alike), rows, found, np.where(enough, n, 0.0))


def telling(panel: Panel, key_stage: KeyStage) -> dict[str, Bools]:
    """For each part of need the schools of which it would tell of single pupils, in any of the years pooled.

    The pooled figure less the years that are shown would tell of the year that is not.
    """
    asked = ASKED[key_stage]
    of = {
        "attainment": (asked.attainment,),
        "progress": asked.progress,
        "absence": (asked.absence,),
        "disadvantage_gap": (asked.attainment, asked.disadvantaged),
    }
    nobody = np.zeros(len(panel.register.urns), dtype=np.bool_)
    return {
        part: np.any([nobody, *(tells(panel, code) for code in codes if panel.observed[code].years)], axis=0)
        for part, codes in of.items()
    }


def tells(panel: Panel, code: str) -> Bools:
    """The schools of which a measure would tell of single pupils in any of the years pooled."""
    seen = panel.observed[code]
    rows = list(pooled(seen).rows)
    wholes = None
    if seen.measure.part_of is not None:
        whole, nothing = panel.observed[seen.measure.part_of], np.full(len(panel.register.urns), np.nan)
        counts = np.where(whole.proxies, np.nan, whole.pupils)
        at = [whole.years.index(seen.years[row]) if seen.years[row] in whole.years else None for row in rows]
        columns = [[nothing if place is None else each[place] for place in at] for each in (whole.values, counts)]
        wholes = np.array(columns[0]), np.array(columns[1])
    tells_alone = withheld(seen.measure, seen.values[rows], seen.pupils[rows].astype(np.float64), wholes)
    found: Bools = np.any(tells_alone, axis=0)
    return found


def merged(parts: Sequence[Pooled]) -> tuple[Floats, Floats, Floats]:
    """Several measures of the same pupils as their mean, its standard error (no smaller than theirs), and pupils."""
    values = np.mean([each.values for each in parts], axis=0)
    errors = np.mean([each.errors for each in parts], axis=0)
    return values, errors, np.min([each.pupils for each in parts], axis=0)


def components(panel: Panel, key_stage: KeyStage, ages: Floats) -> tuple[list[Component], dict[str, tuple[int, ...]]]:
    """The parts of need that any school has figures for, and the academic years that each speaks of."""
    asked = ASKED[key_stage]
    seen = {code: pooled(panel.observed[code]) for code in asked.measures if panel.observed[code].years}
    found: list[Component] = []
    years: dict[str, tuple[int, ...]] = {}

    def add(name: str, made: Component | None, spoken_of: tuple[int, ...]) -> None:
        if made is not None:
            found.append(made)
            years[name] = spoken_of

    whole = seen.get(asked.attainment)
    if whole is not None:
        add("attainment", component("attainment", 1, whole.values, whole.errors, whole.pupils), whole.years)
    progress = [seen[code] for code in asked.progress if code in seen]
    if len(progress) == len(asked.progress):
        add("progress", component("progress", 1, *merged(progress)), progress[0].years)
    absent = seen.get(asked.absence)
    if absent is not None:
        add("absence", component("absence", -1, absent.values, absent.errors, absent.pupils), absent.years)
    apart = seen.get(asked.disadvantaged)
    if apart is not None and whole is not None and found and found[0].name == "attainment":
        gap = whole.values - apart.values
        model = predicted_by(found[0])
        add("disadvantage_gap", component("disadvantage_gap", -1, gap, apart.errors, apart.pupils, model), apart.years)
    nothing = np.full(len(ages), np.nan)
    add("inspection_age", component("inspection_age", -1, ages, np.zeros(len(ages)), nothing), ())
    return found, years


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
    last = seen.values[-THRESHOLDS.low_progress_years :]
    known: Bools = np.all(~np.isnan(last), axis=0)
    low: Bools = known & np.all(np.nan_to_num(last) < THRESHOLDS.low_progress, axis=0)
    return low, known


def under_limits(seen: Observed) -> tuple[Bools, Bools]:
    """Whether a school was under the funnel's lower limit in two of the last three years."""
    rows = pooled(seen).rows
    scores, spreads = [], []
    for row in rows:
        values, pupils = seen.values[row], seen.pupils[row].astype(np.float64)
        measure = seen.measure.over((seen.years[row],))
        known = ~np.isnan(values) & (pupils > SUPPRESS_UP_TO)
        values = np.where(known, values, np.nan)
        middle = float(np.average(values[known], weights=pupils[known])) if known.any() else np.nan
        scores.append(seen.measure.direction * (values - middle))
        spreads.append(np.nan_to_num(error_of(measure, values, pupils)))
    return below_limits(np.array(scores), np.array(spreads))


def falling(seen: Observed) -> tuple[Bools, Bools]:
    """Whether the change from the first to the last of three years, shrunk, is among the lowest tenth."""
    rows = pooled(seen).rows
    count = seen.values.shape[1]
    if len(rows) < 2:
        return unknown(count)
    (first, last), pupils = (seen.values[[rows[0], rows[-1]]]), seen.pupils[[rows[0], rows[-1]]].astype(np.float64)
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


def ages(count: int, inspected: Mapping[int, Sequence[Inspection]], on: date) -> Floats:
    """Years since the last graded inspection of each school; NaN where none is known."""
    found = np.full(count, np.nan)
    for place, history in inspected.items():
        graded = in_order(history)
        if graded:
            found[place] = (on - graded[-1].started_on).days / DAYS_A_YEAR
    return found


def reasons(panel: Panel, key_stage: KeyStage, name: str) -> list[str]:
    """For every school why it has no figure of its own for a part of need, by the last year that speaks of it."""
    asked = ASKED[key_stage]
    codes = {"attainment": asked.attainment, "disadvantage_gap": asked.disadvantaged, "progress": asked.progress[0]}
    if name == "inspection_age":
        return ["not_inspected"] * len(panel.register.urns)
    seen = panel.observed[codes.get(name, asked.absence)]
    found = [ValueState.MISSING] * len(panel.register.urns)
    for row in pooled(seen).rows:
        for place in np.flatnonzero(seen.origins[row] != UNSEEN).tolist():
            found[place] = STATES[seen.states[row, place]]
    return [str(ValueState.SUPPRESSED if each is ValueState.OK else each) for each in found]
