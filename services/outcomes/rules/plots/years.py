"""Year by year: the school, the middle of its comparators, the way to the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from services.outcomes.rules.agreement import AGAINST_OTHERS, TargetMode
from services.outcomes.rules.comparators import ENOUGH
from services.outcomes.rules.evaluation import target_of
from services.outcomes.rules.plots.figure import Row
from services.outcomes.rules.plots.subject import Subject, gap, rounded
from services.outcomes.rules.series import interval, pool
from services.outcomes.rules.trajectory import expected_in, years_of
from services.outcomes.rules.years import academic_year_text

COLUMNS = (
    *("academic_year", "value", "low95", "high95", "pupils", "reason", "release_status"),
    *("comparators", "comparators_p10", "comparators_median", "comparators_p90", "path", "target"),
)
ENOUGH_FOR_MEDIAN = 3


@dataclass(frozen=True, slots=True)
class Spread:
    """The comparators of one year: how many have a result, and where the middle of them lies.

    `low` and `high` are the 10th and 90th percentile, None for fewer than ten schools; the median for fewer than three.
    """

    count: int
    low: float | None
    median: float | None
    high: float | None


def spread(values: Sequence[float]) -> Spread:
    """The middle of some results; of few schools less is told, since it would be the result of one of them."""
    enough = len(values) >= ENOUGH
    low, high = (float(each) for each in np.percentile(values, [10, 90])) if enough else (None, None)
    median = float(np.median(values)) if len(values) >= ENOUGH_FOR_MEDIAN else None
    return Spread(len(values), low, median, high)


def position(day: date) -> float:
    """Where a day lies on an axis of academic years, each of which has its starting year in its middle."""
    start = day.year if day >= date(day.year, 9, 1) else day.year - 1
    return start - 0.5 + (day - date(start, 9, 1)).days / 366


def path_of(subject: Subject) -> dict[int, float]:
    """Where the way to the target leads in each year of the contract; none where it hangs on comparators."""
    agreed, term = subject.agreed, subject.term
    if agreed.baseline is None or agreed.mode in AGAINST_OTHERS:
        return {}
    first = agreed.baseline.value
    years = years_of(term, subject.measure)
    return {year: expected_in(agreed, first, subject.trajectory, term, year) for year in years}


def target_in(subject: Subject) -> float | None:
    """The number to reach, also where the outcome could not be judged; None where it hangs on what is not known."""
    agreed = subject.agreed
    if subject.target is not None or agreed.baseline is None:
        return agreed.target if subject.target is None and agreed.mode is TargetMode.ABSOLUTE else subject.target
    return target_of(agreed, agreed.baseline.value, subject.gathered.match)


def year_at(each: Row) -> int:
    """The academic year of a row, as the year in which it starts."""
    return int(str(each["academic_year"])[:4])


def row(subject: Subject, year: int, others: Spread, path: float | None, target: float | None) -> Row:
    """What is known of one year."""
    reading = subject.gathered.readings.get(year)
    reason = "after this verdict" if year > subject.year else gap(year, reading)
    pooled = pool([reading]) if reading and reason is None else None
    bounds = interval(subject.measure, pooled) if pooled else None
    return {
        "academic_year": academic_year_text(year),
        "value": rounded(pooled.value if pooled else None),
        "low95": rounded(bounds.low if bounds else None),
        "high95": rounded(bounds.high if bounds else None),
        "pupils": pooled.n if pooled else None,
        "reason": reason,
        "release_status": str(reading.stage) if reading and pooled else None,
        "comparators": others.count,
        "comparators_p10": rounded(others.low),
        "comparators_median": rounded(others.median),
        "comparators_p90": rounded(others.high),
        "path": rounded(path),
        "target": rounded(target) if path is not None or year == subject.year else None,
    }
