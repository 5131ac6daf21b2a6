"""From figures to a verdict: target reached, value added, and the two together. Nothing is merged before that."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.outcomes.rules.effects import Effect
from services.outcomes.rules.intervals import Interval


class MeasureStatus(StrEnum):
    """The verdict on one measure or on a whole contract."""

    MET = "met"
    PARTLY_MET = "partly_met"
    NOT_MET = "not_met"
    NOT_MEASURABLE = "not_measurable"


class Target(StrEnum):
    """Whether the agreed number was reached."""

    REACHED = "reached"
    CLOSE = "close"
    MISSED = "missed"


class AddedValue(StrEnum):
    """Whether the school did better than matched comparators."""

    POSITIVE = "positive"
    UNCLEAR = "unclear"
    NEGATIVE = "negative"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status never travels without its reasons."""

    status: MeasureStatus
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """One measure's part in the score of a contract; `worsened`: surely worse than before, and than comparators."""

    status: MeasureStatus
    weight: float
    critical: bool
    worsened: bool = False


@dataclass(frozen=True, slots=True)
class ContractScore:
    """The verdict on a contract; `score` is None where nothing was measurable."""

    overall: MeasureStatus
    score: float | None
    coverage: float
    vetoes: tuple[str, ...]
    kpi_rating: str


def target_result(
    outcome: float, baseline: float, target: float, direction: int, rounding_half_width: float, interval: Interval
) -> Target:
    """Target test of METHOD.md 3.9; all values in the measure's unit, `interval` the 95% one of the outcome."""
    if direction * (outcome - target) >= -rounding_half_width - TOLERANCE:
        return Target.REACHED
    half_way = direction * (outcome - baseline) >= 0.5 * direction * (target - baseline)
    return Target.CLOSE if interval.holds(target) and half_way else Target.MISSED


def value_result(effect: Effect | None, enough: int = 10) -> AddedValue:
    """Added-value test of METHOD.md 3.9, one-sided at 80%; None or fewer than `enough` comparators: not available."""
    if effect is None or effect.k < enough:
        return AddedValue.NOT_AVAILABLE
    if effect.lower80 > 0:
        return AddedValue.POSITIVE
    return AddedValue.NEGATIVE if effect.upper80 < 0 else AddedValue.UNCLEAR


class Rag(StrEnum):
    """How a measure goes on its way to the target: DfE's green, amber and red, or grey where figures do not say."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


RED_BELOW = -1.2816
"""Standard errors: one tenth of the normal distribution lies below."""


def rag(actual: float, expected: float, se: float, direction: int) -> tuple[Rag, float]:
    """The rating of METHOD.md 3.10 and z, the distance from the path in standard errors, better ones positive.

    `actual`, `expected` and `se` are in the measure's unit. Raises ValueError unless `se` is positive.
    """
    if se <= 0:
        raise ValueError("need se > 0")
    z = direction * (actual - expected) / se
    if z >= 0:
        return Rag.GREEN, z
    return (Rag.AMBER if z >= RED_BELOW else Rag.RED), z


def expected_by(baseline: float, target: float, trajectory: Sequence[float], year: int) -> float:
    """Where the path from baseline to target leads in a year of the contract, 1 for the first (METHOD.md 3.8).

    `trajectory` gives the share of the way for each year; beyond its end the last one holds.
    """
    share = trajectory[min(year, len(trajectory)) - 1]
    return target if share == 1 else baseline + (target - baseline) * share


def payment_share(tau: float, floor: float, full: float) -> float:
    """The share of an outcome payment that an improvement earns: none up to `floor`, all from `full` (METHOD.md 3.12).

    All in the measure's unit, an improvement being positive; raises ValueError unless floor < full.
    """
    if floor >= full:
        raise ValueError("need floor < full")
    return min(max((tau - floor) / (full - floor), 0.0), 1.0)


TOLERANCE = 1e-9
"""What decimal figures lose when they are reckoned with as floats."""

TABLE: dict[Target, dict[AddedValue, tuple[MeasureStatus, str]]] = {
    Target.REACHED: {
        AddedValue.POSITIVE: (MeasureStatus.MET, "target_reached_and_better_than_comparators"),
        AddedValue.UNCLEAR: (MeasureStatus.PARTLY_MET, "target_met_value_unproven"),
        AddedValue.NEGATIVE: (MeasureStatus.PARTLY_MET, "comparators_did_better"),
        AddedValue.NOT_AVAILABLE: (MeasureStatus.PARTLY_MET, "no_comparator"),
    },
    Target.CLOSE: {
        AddedValue.POSITIVE: (MeasureStatus.PARTLY_MET, "target_close"),
        AddedValue.UNCLEAR: (MeasureStatus.PARTLY_MET, "target_close_value_unproven"),
        AddedValue.NEGATIVE: (MeasureStatus.NOT_MET, "target_close_comparators_did_better"),
        AddedValue.NOT_AVAILABLE: (MeasureStatus.PARTLY_MET, "target_close_no_comparator"),
    },
    Target.MISSED: {
        AddedValue.POSITIVE: (MeasureStatus.PARTLY_MET, "target_missed_but_better_than_comparators"),
        AddedValue.UNCLEAR: (MeasureStatus.NOT_MET, "target_missed_value_unproven"),
        AddedValue.NEGATIVE: (MeasureStatus.NOT_MET, "target_missed_comparators_did_better"),
        AddedValue.NOT_AVAILABLE: (MeasureStatus.NOT_MET, "target_missed_no_comparator"),
    },
}
"""The decision table of METHOD.md 3.9."""


def measure_verdict(target: Target, value: AddedValue) -> Verdict:
    """The verdict on a measurable measure."""
    status, reason = TABLE[target][value]
    return Verdict(status, (reason,))


POINTS = {MeasureStatus.MET: 1.0, MeasureStatus.PARTLY_MET: 0.5, MeasureStatus.NOT_MET: 0.0}
RATINGS = {
    MeasureStatus.MET: "Good",
    MeasureStatus.PARTLY_MET: "Approaching target",
    MeasureStatus.NOT_MET: "Requires improvement",
    MeasureStatus.NOT_MEASURABLE: "Other",
}
"""KPI ratings of the Procurement Regulations 2024, regulation 39 (METHOD.md 4.1)."""
MET_FROM, PARTLY_FROM, COVERAGE_FROM = 0.75, 0.40, 0.6


def contract_score(
    measures: Sequence[Weighed], failings: Sequence[str] = (), limits: Sequence[str] = ()
) -> ContractScore:
    """Score, coverage, vetoes and rating of a contract (METHOD.md 3.11); weights are shares of 1.

    `failings` are what inspections found: with any the contract is not met, however little of it could be measured.
    With any of `limits`, as with a critical measure that was not met, it is partly met at best.
    """
    measurable = [each for each in measures if each.status is not MeasureStatus.NOT_MEASURABLE]
    total, covered = sum(each.weight for each in measures), sum(each.weight for each in measurable)
    coverage = covered / total if total else 0.0
    score = sum(each.weight * POINTS[each.status] for each in measurable) / covered if covered else None
    vetoes = (*failings, *limits, *(("critical_measure_not_met",) if critical_failed(measurable) else ()))
    overall = MeasureStatus.NOT_MEASURABLE
    if score is not None and coverage >= COVERAGE_FROM - 1e-9:
        overall = MeasureStatus.NOT_MET
        if score >= PARTLY_FROM - 1e-9:
            overall = MeasureStatus.PARTLY_MET
        if score >= MET_FROM - 1e-9 and not vetoes:
            overall = MeasureStatus.MET
    if failings:
        overall = MeasureStatus.NOT_MET
    grave = vetoes or any(each.worsened for each in measurable)
    rating = "Inadequate" if grave and overall is MeasureStatus.NOT_MET else RATINGS[overall]
    return ContractScore(overall, score, coverage, vetoes, rating)


def critical_failed(measures: Sequence[Weighed]) -> bool:
    """Whether a measure that was agreed as critical was not met."""
    return any(each.critical and each.status is MeasureStatus.NOT_MET for each in measures)
