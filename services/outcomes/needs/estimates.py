"""The parts of need of every school of a phase: what its results of several years say together, and how surely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.outcomes.columns import STATES
from services.outcomes.observed import UNSEEN, Observed
from services.outcomes.panels import Panel
from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.inspection import Inspection, in_order
from services.outcomes.rules.measures import KeyStage, Kind, Measure
from services.outcomes.rules.population import Bools
from services.outcomes.rules.series import BASELINE_YEARS, NOT_USABLE
from services.outcomes.rules.suppression import SUPPRESS_UP_TO
from services.outcomes.rules.targeting import Component, component, predicted_by
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
    """The last three years of a measure that mean the same, as they may be told: of more than five pupils."""
    usable = [year for year in seen.years if year not in NOT_USABLE]
    alike = [year for year in usable if seen.measure.unchanged((year, usable[-1]))][-BASELINE_YEARS:]
    rows = tuple(seen.years.index(year) for year in alike)
    values, pupils = seen.fit[list(rows)], seen.pupils[list(rows)].astype(np.float64)
    there = ~np.isnan(values) & (pupils > 0)
    n = np.where(there, pupils, 0.0).sum(axis=0)
    total = np.where(there, values * pupils, 0.0).sum(axis=0)
    enough = n > SUPPRESS_UP_TO
    found = np.divide(total, n, out=np.full(len(n), np.nan), where=enough)
    return Pooled(seen.measure, tuple(alike), rows, found, np.where(enough, n, 0.0))


def protected(panel: Panel, key_stage: KeyStage) -> dict[str, Bools]:
    """For each part of need the schools of which something stands for a result that may not be told."""
    asked, nobody = ASKED[key_stage], np.zeros(len(panel.register.urns), dtype=np.bool_)
    of = {
        "attainment": (asked.attainment,),
        "progress": asked.progress,
        "absence": (asked.absence,),
        "disadvantage_gap": (asked.attainment, asked.disadvantaged),
        "inspection_age": (),
    }
    seen = {part: [panel.observed[code] for code in codes if panel.observed[code].years] for part, codes in of.items()}
    return {part: np.any([nobody, *map(stood_for, found)], axis=0) for part, found in seen.items()}


def stood_for(seen: Observed) -> Bools:
    """The schools of which something stands for the result of a year that is pooled."""
    rows = list(pooled(seen).rows)
    found: Bools = np.any(seen.hidden[rows] & ~np.isnan(seen.fit[rows]), axis=0)
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
