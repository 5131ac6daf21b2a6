"""The verdict on a contract: each agreed outcome against its target and against matched schools, then together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from services.outcomes.rules.comparators import CALIPER, ENOUGH, NEIGHBOURS
from services.outcomes.rules.effects import Effect, difference_in_differences
from services.outcomes.rules.intervals import Interval
from services.outcomes.rules.matching import NO_MATCH, Candidate, Match, comparable, match, match_listed
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term, assessed_on, census_on
from services.outcomes.rules.series import EVALUATION_YEARS, Pooled, Reading, accountable_years, interval, pool
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.verdict import (
    AddedValue,
    ContractScore,
    MeasureStatus,
    Target,
    Weighed,
    contract_score,
    measure_verdict,
    target_result,
    value_result,
)

METHOD_VERSION = "2026.1"
SUPPRESS_UP_TO, TOO_FEW_UP_TO, UNRELIABLE_UP_TO = 5, 10, 29


class Run(StrEnum):
    """Whether a verdict may rest on provisional data."""

    INTERIM = "interim"
    FINAL = "final"


class Missing(StrEnum):
    """Why an outcome cannot be judged (METHOD.md 3.9)."""

    NO_ACCOUNTABLE_SERIES = "no_accountable_series"
    NOT_PRODUCED = "not_produced"
    SUPPRESSED = "suppressed"
    LOW_COVERAGE = "low_coverage"
    N_TOO_SMALL = "n_too_small"
    NO_COMPARATORS = "no_comparators"
    NO_BASELINE = "no_baseline"
    PROVISIONAL_ONLY = "provisional_only"


class TargetMode(StrEnum):
    """How a target was put, in the measure's unit unless said otherwise (METHOD.md 3.8).

    A number to reach; a change from the baseline; a change on top of that of the comparators; or the percentile of the
    comparators to reach, in the better direction.
    """

    ABSOLUTE = "absolute"
    CHANGE = "change"
    RELATIVE = "relative"
    PERCENTILE = "percentile"


AGAINST_OTHERS = frozenset({TargetMode.RELATIVE, TargetMode.PERCENTILE})
METHOD: dict[str, float | str] = {
    "version": METHOD_VERSION,
    "comparators": NEIGHBOURS,
    "minimum_comparators": ENOUGH,
    "caliper_sd": CALIPER,
    "evaluation_years": EVALUATION_YEARS,
    "minimum_pupils": TOO_FEW_UP_TO + 1,
    "rating_confidence": 0.8,
    "payment_confidence": 0.9,
}
"""What is fixed with an agreed outcome; the confidences are those of `Effect.lower80` and `Effect.lower90`."""


WITHHELD = {ValueState.SUPPRESSED: Missing.SUPPRESSED, ValueState.LOW_COVERAGE: Missing.LOW_COVERAGE}


@dataclass(frozen=True, slots=True)
class Agreed:
    """An outcome as agreed and frozen; `baseline` is None where none could be agreed. `weight` is a share of 1.

    `comparators` are the URNs that were fixed with it, nearest first; None where they are chosen at evaluation.
    """

    code: str
    measure: Measure
    weight: float
    critical: bool
    mode: TargetMode
    target: float
    baseline: Pooled | None
    comparators: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged: whose results, for which supplier, over which term, as of which academic year."""

    school: Candidate
    supplier_uid: str
    term: Term
    year: int
    run: Run


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """One outcome judged: a status with its reasons, and every figure that it rests on, in the measure's unit."""

    code: str
    measure: str
    status: MeasureStatus
    reasons: tuple[str, ...]
    weight: float
    critical: bool
    baseline: Pooled | None = None
    target: float | None = None
    actual: Pooled | None = None
    actual_interval: Interval | None = None
    target_result: Target | None = None
    value_result: AddedValue | None = None
    effect: Effect | None = None
    match: Match | None = None
    stage: Stage | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractResult:
    """The contract judged; `stage` is the least settled of the results that it rests on."""

    score: ContractScore
    measures: tuple[MeasureResult, ...]
    stage: Stage | None
    critical_not_met: tuple[str, ...]
    flags: tuple[str, ...]


def judge(question: Question, outcomes: Sequence[tuple[Agreed, Candidate, Sequence[Candidate]]]) -> ContractResult:
    """Judge every agreed outcome, each with the school and all other schools as its measure shows them."""
    measures = tuple(judge_measure(question, *each) for each in outcomes)
    weighed = [Weighed(each.status, reliable_weight(each), each.critical) for each in measures]
    stages = [each.stage for each in measures if each.stage is not None]
    return ContractResult(
        score=contract_score(weighed),
        measures=measures,
        stage=min(stages, key=lambda stage: stage.rank, default=None),
        critical_not_met=tuple(
            each.code for each in measures if each.critical and each.status is MeasureStatus.NOT_MET
        ),
        flags=tuple(sorted({flag for each in measures for flag in each.flags})),
    )


def reliable_weight(result: MeasureResult) -> float:
    """The weight that counts: half where the cohort is small (METHOD.md 3.6)."""
    return result.weight / 2 if "low_reliability" in result.flags else result.weight


def judge_measure(question: Question, agreed: Agreed, school: Candidate, others: Sequence[Candidate]) -> MeasureResult:
    """One outcome by METHOD.md 3.9: first whether it can be judged, then target and added value, then both."""
    years = accountable_years(question.term, agreed.measure.key_stage, question.year)[-EVALUATION_YEARS:]
    readings = [school.readings[year] for year in years if year in school.readings and school.readings[year].usable]
    actual, first = pool(readings), agreed.baseline
    missing = why_not(question, years, school.readings, actual, agreed)
    if missing or actual is None or first is None:
        return not_measurable(agreed, missing, readings)
    found, effect = added_value(question, agreed, first, actual, school, others)
    target = target_of(agreed, first.value, found)
    if target is None:
        return not_measurable(agreed, [Missing.NO_COMPARATORS], readings)
    bounds = interval(agreed.measure, actual)
    half = float(agreed.measure.rounding_half_width)
    reached = target_result(actual.value, first.value, target, agreed.measure.direction, half, bounds)
    value = value_result(effect)
    verdict = measure_verdict(reached, value)
    return MeasureResult(
        code=agreed.code,
        measure=agreed.measure.code,
        status=verdict.status,
        reasons=verdict.reasons,
        weight=agreed.weight,
        critical=agreed.critical,
        baseline=first,
        target=target,
        actual=actual,
        actual_interval=bounds,
        target_result=reached,
        value_result=value,
        effect=effect,
        match=found,
        stage=stage_of(readings),
        flags=(*notes(agreed, actual, readings, school.readings), *found.flags),
    )


def not_measurable(agreed: Agreed, missing: Sequence[Missing], readings: Sequence[Reading]) -> MeasureResult:
    """An outcome that cannot be judged, with every reason why."""
    return MeasureResult(
        code=agreed.code,
        measure=agreed.measure.code,
        status=MeasureStatus.NOT_MEASURABLE,
        reasons=tuple(missing),
        weight=agreed.weight,
        critical=agreed.critical,
        baseline=agreed.baseline,
        stage=stage_of(readings),
    )


def target_of(agreed: Agreed, baseline: float, found: Match) -> float | None:
    """The number to reach, in the measure's unit; None where it hangs on comparators and there are too few."""
    if agreed.mode is TargetMode.ABSOLUTE:
        return agreed.target
    if agreed.mode is TargetMode.CHANGE:
        return baseline + agreed.target
    if len(found.comparators) < ENOUGH:
        return None
    if agreed.mode is TargetMode.RELATIVE:
        changes = [each.outcome - each.baseline for each in found.comparators]
        return baseline + sum(changes) / len(changes) + agreed.target
    share = agreed.target if agreed.measure.direction > 0 else 100 - agreed.target
    return float(np.percentile([each.outcome for each in found.comparators], share))


def why_not(
    question: Question, years: Sequence[int], readings: Mapping[int, Reading], actual: Pooled | None, agreed: Agreed
) -> list[Missing]:
    """Every reason why the outcome cannot be judged; none when it can."""
    found = []
    if question.year not in years:
        found.append(Missing.NO_ACCOUNTABLE_SERIES)
    else:
        last = readings.get(question.year)
        if last is None or not last.usable:
            found.append(WITHHELD.get(last.state, Missing.NOT_PRODUCED) if last else Missing.NOT_PRODUCED)
        elif actual is not None and actual.n <= SUPPRESS_UP_TO:
            found.append(Missing.SUPPRESSED)
        elif actual is not None and actual.n <= TOO_FEW_UP_TO:
            found.append(Missing.N_TOO_SMALL)
        if last is not None and question.run is Run.FINAL and last.stage is Stage.PROVISIONAL:
            found.append(Missing.PROVISIONAL_ONLY)
    if agreed.baseline is None:
        found.append(Missing.NO_BASELINE)
    return found


def stage_of(readings: Sequence[Reading]) -> Stage | None:
    """The least settled stage among the readings."""
    return min((each.stage for each in readings), key=lambda stage: stage.rank, default=None)


def added_value(
    question: Question,
    agreed: Agreed,
    first: Pooled,
    actual: Pooled,
    school: Candidate,
    others: Sequence[Candidate],
) -> tuple[Match, Effect | None]:
    """The matched schools and the difference in differences; no effect with fewer than two of them."""
    measure = agreed.measure
    window = (census_on(min(first.years)), assessed_on(measure.key_stage, max(actual.years)))
    alike = [each for each in others if comparable(school, each, question.supplier_uid, window)]
    if agreed.comparators is None:
        found = match(school, alike, first.value, first.years, actual.years)
    else:
        found = match_listed(school, agreed.comparators, alike, first.value, first.years, actual.years)
    if len(found.comparators) < 2:
        return (found if found.comparators else NO_MATCH), None
    pairs = [(each.baseline, each.outcome) for each in found.comparators]
    return found, difference_in_differences(first.value, actual.value, pairs, measure.direction)


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
