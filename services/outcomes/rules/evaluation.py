"""The verdict on a contract: each agreed outcome against its target and against matched schools, then together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.outcomes.rules.agreement import COHORT_SHIFT, Agreed, Missing, TargetMode
from services.outcomes.rules.comparators import ENOUGH
from services.outcomes.rules.effects import Effect
from services.outcomes.rules.evidence import (
    actual_readings,
    added_value,
    change_variance,
    notes,
    pre_trend,
    shrunk,
    stage_of,
    why_not,
)
from services.outcomes.rules.gathering import Gathered, Question
from services.outcomes.rules.inspection import Inspection, Standing, standing
from services.outcomes.rules.intervals import Interval
from services.outcomes.rules.matching import Match
from services.outcomes.rules.measures import MEASURES, Domain
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.series import Pooled, Reading, interval, pool, published_half_width
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


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """One outcome judged: a status with its reasons, and every figure that it rests on, in the measure's unit.

    `effect_size` is the effect in standard deviations between pupils; `shrunk` the improvement that payment goes by,
    better ones positive; `pre_trend` how far the school had already
    drifted from its comparators before the term, in standard errors; `rounding_half_width` half of the last place of
    the figures that the target is tested by, as they were published.
    """

    code: str
    measure: str
    status: MeasureStatus
    reasons: tuple[str, ...]
    weight: float
    critical: bool
    rounding_half_width: float
    baseline: Pooled | None = None
    target: float | None = None
    actual: Pooled | None = None
    actual_interval: Interval | None = None
    target_result: Target | None = None
    value_result: AddedValue | None = None
    effect: Effect | None = None
    effect_size: float | None = None
    shrunk: float | None = None
    pre_trend: float | None = None
    match: Match | None = None
    stage: Stage | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractResult:
    """The contract judged; `stage` is the least settled of the results, `standing` where inspections leave the school.

    Only what inspections found that started in the term can be held against the supplier.
    """

    score: ContractScore
    measures: tuple[MeasureResult, ...]
    stage: Stage | None
    critical_not_met: tuple[str, ...]
    flags: tuple[str, ...]
    standing: Standing


def conclude(
    question: Question, outcomes: Sequence[tuple[Agreed, Gathered]], inspections: Sequence[Inspection] = ()
) -> ContractResult:
    """Judge every agreed outcome by what was gathered, and then the contract; `inspections` are all of the school."""
    measures = tuple(conclude_measure(question, *each) for each in outcomes)
    weighed = [Weighed(each.status, reliable_weight(each), each.critical, worsened(each)) for each in measures]
    behind = any(guards(each) and each.value_result is AddedValue.NEGATIVE for each in measures)
    limits = ("disadvantaged_pupils_fell_behind",) if behind else ()
    known = [each for each in inspections if each.started_on < date(question.year + 1, 9, 1)]
    stages = [each.stage for each in measures if each.stage is not None]
    return ContractResult(
        score=contract_score(
            weighed, standing(each for each in known if question.term.holds(each.started_on)).vetoes, limits
        ),
        measures=measures,
        stage=min(stages, key=lambda stage: stage.rank, default=None),
        critical_not_met=tuple(
            each.code for each in measures if each.critical and each.status is MeasureStatus.NOT_MET
        ),
        flags=tuple(sorted({flag for each in measures for flag in each.flags})),
        standing=standing(known),
    )


def guards(result: MeasureResult) -> bool:
    """Whether an outcome watches over the disadvantaged, whom no contract may leave behind (METHOD.md 3.11)."""
    return MEASURES[result.measure].domain is Domain.INCLUSION


def worsened(result: MeasureResult) -> bool:
    """Whether an outcome is worse than before beyond chance (95%), and than that of comparators (METHOD.md 4.1)."""
    first, actual = result.baseline, result.actual
    if first is None or actual is None or result.value_result is not AddedValue.NEGATIVE:
        return False
    measure = MEASURES[result.measure]
    variance = change_variance(measure, first, actual)
    return measure.direction * (actual.value - first.value) + Z95 * math.sqrt(variance) < 0


def reliable_weight(result: MeasureResult) -> float:
    """The weight that counts: half where the cohort is small (METHOD.md 3.6)."""
    return result.weight / 2 if "low_reliability" in result.flags else result.weight


def conclude_measure(question: Question, agreed: Agreed, gathered: Gathered) -> MeasureResult:
    """One outcome by METHOD.md 3.9: first whether it can be judged, then target and added value, then both."""
    readings = actual_readings(question.term, agreed, question.year, gathered.readings)
    actual, first = pool(readings), agreed.baseline
    missing = why_not(agreed, question.year, question.run, question.term, gathered.readings, actual)
    if missing or actual is None or first is None:
        return not_measurable(agreed, missing, readings)
    found, effect = gathered.match, added_value(agreed, first, actual, gathered.match)
    target = target_of(agreed, first.value, found)
    if target is None:
        return not_measurable(agreed, [Missing.NO_COMPARATORS], readings)
    bounds, half = interval(agreed.measure, actual), published_half_width(agreed.measure, readings)
    reached = target_result(actual.value, first.value, target, agreed.measure.direction, half, bounds)
    value = value_result(effect)
    verdict = measure_verdict(reached, value)
    flags = (*notes(agreed, actual, readings, gathered.readings), *found.flags)
    moved = sorted(name for name, by in gathered.shifts.items() if abs(by) > COHORT_SHIFT)
    if moved:
        flags = (*flags, Missing.COHORT_SHIFT, *(f"{Missing.COHORT_SHIFT}:{name}" for name in moved))
    status, reasons = verdict.status, verdict.reasons
    if moved and status is MeasureStatus.MET:
        status, reasons = MeasureStatus.NOT_MEASURABLE, (Missing.COHORT_SHIFT, *reasons)
    drift = pre_trend(agreed, gathered.readings, found)
    if drift is not None and abs(drift) >= PRE_TREND:
        flags = (*flags, "pre_trend")
    return MeasureResult(
        code=agreed.code,
        measure=agreed.measure.code,
        status=status,
        reasons=reasons,
        weight=agreed.weight,
        critical=agreed.critical,
        rounding_half_width=half,
        baseline=first,
        target=target,
        actual=actual,
        actual_interval=bounds,
        target_result=reached,
        value_result=value,
        effect=effect,
        shrunk=shrunk(agreed, first, actual, found),
        effect_size=effect.tau / agreed.measure.over(first.years).spread_at(first.value) if effect else None,
        pre_trend=drift,
        match=found,
        stage=stage_of(readings),
        flags=flags,
    )


Z95 = 1.959963984540054
PRE_TREND = 1.96
"""Standard errors of drift before the term from which a reader is warned (METHOD.md 3.3)."""


def not_measurable(agreed: Agreed, missing: Sequence[Missing], readings: Sequence[Reading]) -> MeasureResult:
    """An outcome that cannot be judged, with every reason why."""
    return MeasureResult(
        code=agreed.code,
        measure=agreed.measure.code,
        status=MeasureStatus.NOT_MEASURABLE,
        reasons=tuple(missing),
        weight=agreed.weight,
        critical=agreed.critical,
        rounding_half_width=published_half_width(agreed.measure, readings),
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
