"""What was agreed of an outcome, and how outcomes are judged: fixed before the first result is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.outcomes.rules.comparators import CALIPER, ENOUGH, NEIGHBOURS, OUTCOME_LAMBDA, PRIMARY, SECONDARY
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.series import EVALUATION_YEARS, Pooled, Reading
from services.outcomes.rules.values import ValueState

METHOD_VERSION = "2026.8"
PROTECTED_SINCE = (2026, 8)
"""The first method by which results of comparators that may not be told are in no verdict."""
TOO_FEW_UP_TO, UNRELIABLE_UP_TO = 10, 29
COHORT_SHIFT = 0.5
"""Standard deviations by which an intake may have moved before a person must look (METHOD.md 3.9)."""


class Run(StrEnum):
    """Whether a verdict may rest on provisional data."""

    INTERIM = "interim"
    FINAL = "final"


class Missing(StrEnum):
    """Why an outcome cannot be judged (METHOD.md 3.9): what a table tells instead of a figure has its own words."""

    NO_ACCOUNTABLE_SERIES = "no_accountable_series"
    FIRST_YEAR_ALONE = "first_year_alone"
    NOT_PRODUCED = "not_produced"
    SUPPRESSED = "suppressed"
    LOW_COVERAGE = "low_coverage"
    NO_ENTRIES = "no_entries"
    NOT_PUBLISHED = "not_published"
    NOT_APPLICABLE = "not_applicable"
    UNAVAILABLE = "unavailable"
    ROUNDS_TO_ZERO = "rounds_to_zero"
    LOW_RELIABILITY = "low_reliability"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    PUPILS_NOT_KNOWN = "pupils_not_known"
    N_TOO_SMALL = "n_too_small"
    NO_COMPARATORS = "no_comparators"
    NO_BASELINE = "no_baseline"
    VERSION_BREAK = "version_break"
    COHORT_SHIFT = "cohort_shift"
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
    "outcome_lambda": OUTCOME_LAMBDA,
    "weighting_primary": PRIMARY.version,
    "weighting_secondary": SECONDARY.version,
    "cohort_shift_sd": COHORT_SHIFT,
}
"""What is fixed with an agreed outcome; the confidences are those of `Effect.lower80` and `Effect.lower90`."""


def names_only(version: str) -> bool:
    """Whether verdicts by this version of the method may but name their comparators to a reader."""
    return tuple(map(int, version.split("."))) < PROTECTED_SINCE


UNUSABLE: Mapping[ValueState, Missing] = {
    state: Missing(state.value) for state in ValueState if state is not ValueState.OK
}
"""Why there is no figure, in the words of its table (METHOD.md 1.3)."""


def why_unusable(reading: Reading | None) -> Missing:
    """Why a result that cannot be used cannot: no release has it, its table says so, or nobody counted its pupils."""
    return UNUSABLE.get(reading.state, Missing.PUPILS_NOT_KNOWN) if reading else Missing.NOT_PRODUCED


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
