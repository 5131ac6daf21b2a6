"""How an outcome goes on its way to the target, year by year (METHOD.md 3.8 and 3.10)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.outcomes.rules.agreement import (
    AGAINST_OTHERS,
    TOO_FEW_UP_TO,
    Agreed,
    Missing,
    TargetMode,
    why_unusable,
)
from services.outcomes.rules.measures import Kind, Measure
from services.outcomes.rules.ringfence import ContractRole, Term, assessed_on, census_on, contract_role
from services.outcomes.rules.series import Reading
from services.outcomes.rules.suppression import SUPPRESS_UP_TO
from services.outcomes.rules.verdict import Rag, expected_by, rag

GLIDE_PATH = (0.25, 0.6, 1.0)
"""Share of the way to be gone by each of three years where nothing else was agreed: evidence has year one small."""
NOT_KNOWN_YET = "target_depends_on_comparators"


@dataclass(frozen=True, slots=True)
class Progress:
    """An outcome in one year beside its path, in the measure's unit; `rag` is grey where `reasons` say why."""

    code: str
    measure: str
    rag: Rag
    z: float | None
    expected: float | None
    actual: float | None
    n: int | None
    se: float | None
    reasons: tuple[str, ...]
    releases: tuple[str, ...]


def follow(
    agreed: Agreed, trajectory: Sequence[float] | None, readings: Mapping[int, Reading], term: Term, year: int
) -> Progress:
    """How far the results of an academic year are from the path of an agreed outcome."""
    reading, reasons = readings.get(year), why_grey(agreed, readings, term, year)
    if reasons or reading is None or reading.value is None or reading.n is None or agreed.baseline is None:
        return Progress(agreed.code, agreed.measure.code, Rag.GREY, None, None, None, None, None, tuple(reasons), ())
    path = expected_in(agreed, agreed.baseline.value, trajectory, term, year)
    se = standard_error(agreed.measure.over((year,)), reading.value, reading.n, reading.half_width)
    rating, z = rag(reading.value, path, se, agreed.measure.direction)
    releases = tuple(sorted({reading.release_id, *agreed.baseline.releases}))
    known = (agreed.code, agreed.measure.code, rating, z, path, reading.value, reading.n, se)
    return Progress(*known, (), releases)


def expected_in(agreed: Agreed, baseline: float, trajectory: Sequence[float] | None, term: Term, year: int) -> float:
    """Where the path from a baseline leads in an academic year of the contract, for a target that is known."""
    target = agreed.target + (baseline if agreed.mode is TargetMode.CHANGE else 0.0)
    path = trajectory or usual_path(agreed.measure, term)
    return expected_by(baseline, target, path, contract_year(agreed.measure, term, year))


def usual_path(measure: Measure, term: Term) -> tuple[float, ...]:
    """The path over a term for which none was agreed: all of the way in the last year of it, however many there are."""
    years = years_of(term, measure)
    before = range(max(years) - min(years)) if years else ()
    return (*(GLIDE_PATH[min(at, len(GLIDE_PATH) - 1)] for at in before), 1.0)


def years_of(term: Term, measure: Measure) -> list[int]:
    """The academic years that are assessed in the term, whole or in part."""
    years = range(term.starts_on.year - 1, term.ends_on.year + 1)
    return [year for year in years if role(measure, term, year) is not ContractRole.NONE]


def why_grey(agreed: Agreed, readings: Mapping[int, Reading], term: Term, year: int) -> list[str]:
    """Every reason why the figures do not say how the outcome goes; none when they do."""
    found: list[str] = []
    if role(agreed.measure, term, year) is ContractRole.NONE:
        found.append(Missing.NO_ACCOUNTABLE_SERIES)
    reading = readings.get(year)
    if reading is None or not reading.usable:
        found.append(why_unusable(reading))
    else:
        found += too_small(reading)
    if agreed.baseline is None:
        found.append(Missing.NO_BASELINE)
    if agreed.mode in AGAINST_OTHERS:
        found.append(NOT_KNOWN_YET)
    return found


def too_small(reading: Reading) -> list[str]:
    """Why a cohort is too small to speak of; nothing when it is not."""
    n = reading.n or 0
    if n <= SUPPRESS_UP_TO:
        return [Missing.SUPPRESSED]
    return [Missing.N_TOO_SMALL] if n <= TOO_FEW_UP_TO else []


def role(measure: Measure, term: Term, year: int) -> ContractRole:
    """What the series of a year is to the contract."""
    return contract_role(term, census_on(year, term.census), assessed_on(measure.key_stage, year))


def contract_year(measure: Measure, term: Term, year: int) -> int:
    """Which year of the contract this is: 1 for the first academic year that is assessed in the term."""
    first = next(each for each in range(term.starts_on.year - 1, year + 1) if role(measure, term, each) != "none")
    return year - first + 1


def standard_error(measure: Measure, value: float, n: int, half_width: float) -> float:
    """The standard error of one year's value that may be off by `half_width`, in the measure's unit (METHOD.md 1.4).

    A share of 0 or 1 has none of its own; half a pupil stands in for it.
    """
    if measure.kind is Kind.PROPORTION:
        share = min(max(value / 100, 0.5 / n), 1 - 0.5 / n)
        own = 100 * math.sqrt(share * (1 - share) / n)
    else:
        own = measure.pupil_sd / math.sqrt(n)
    return math.hypot(own, half_width / math.sqrt(3))
