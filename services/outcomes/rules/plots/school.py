"""The school over the years, beside its comparators, on the way to its target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from services.outcomes.rules.agreement import AGAINST_OTHERS, TargetMode
from services.outcomes.rules.comparators import ENOUGH
from services.outcomes.rules.evaluation import target_of
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.plots.figure import (
    About,
    Axis,
    Band,
    Figure,
    Gap,
    Guide,
    Line,
    Mark,
    Panel,
    Point,
    Points,
    Row,
    Span,
    number,
)
from services.outcomes.rules.plots.subject import (
    Subject,
    better,
    gap,
    level,
    listed,
    own_releases,
    rounded,
    sources,
    standing,
)
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import ContractRole, Term
from services.outcomes.rules.series import interval, pool
from services.outcomes.rules.trajectory import expected_in, role
from services.outcomes.rules.years import academic_year_text

Yearly = Mapping[int, Sequence[float]]
COLUMNS = (
    *("academic_year", "value", "low95", "high95", "pupils", "reason", "release_status"),
    *("comparators", "comparators_p10", "comparators_median", "comparators_p90", "path", "target"),
)
ENOUGH_FOR_MEDIAN = 3
ALONE = 0.15
"""Half the width, in years, of a band that has one year only."""


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


def years_of(term: Term, measure: Measure) -> list[int]:
    """The academic years that are assessed in the term, whole or in part."""
    years = range(term.starts_on.year - 1, term.ends_on.year + 1)
    return [year for year in years if role(measure, term, year) is not ContractRole.NONE]


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


def school(subject: Subject, yearly: Yearly) -> Figure:
    """The school's line with its intervals, and the middle of its comparators in each year, in the measure's unit.

    `yearly` are the comparators' results by academic year, none of five pupils or fewer.
    """
    path, target = path_of(subject), target_in(subject)
    known = {*subject.gathered.readings, *path, subject.year}
    known |= set(subject.agreed.baseline.years if subject.agreed.baseline else ())
    rows = [
        row(subject, year, spread(yearly.get(year, ())), path.get(year), target)
        for year in range(min(known), max(known) + 1)
    ]
    measure = subject.measure
    ticks = tuple((float(year_at(each)), str(each["academic_year"])) for each in rows)
    ends = (ticks[0][0] - 0.6, ticks[-1][0] + 0.6)
    panel = Panel(Axis("Academic year", ticks, ends), Axis(f"{measure.title}, {measure.unit}"), marks(subject, rows))
    return Figure(
        name="school",
        title=f"{measure.title}: {subject.school} beside its comparators",
        alt=alt(subject, rows, target),
        unit=measure.unit,
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(panel,),
        notes=notes(subject, rows),
        sources=sources(subject, own_releases(subject)),
    )


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


def marks(subject: Subject, rows: Sequence[Row]) -> tuple[Mark, ...]:
    """What is drawn of the rows, from the back to the front."""
    term = subject.term
    found: list[Mark] = []
    found.append(Span("contract term", position(term.starts_on), position(term.ends_on)))
    found += [
        Band(About.COMPARATORS, "comparators, middle 80% of schools", run)
        for run in runs([(year_at(each), each["comparators_p10"], each["comparators_p90"]) for each in rows])
    ]
    median = column(rows, "comparators_median")
    found.append(Line(About.COMPARATORS, "comparators, median", median))
    baseline = subject.agreed.baseline
    if baseline:
        ends = (min(baseline.years) - 0.3, max(baseline.years) + 0.3)
        value = rounded(baseline.value)
        words = f"baseline as agreed, {level(subject.measure, baseline.value)}"
        found.append(Line(About.BASELINE, words, tuple((end, value) for end in ends)))
    found += target_marks(subject, rows)
    found.append(Line(About.SCHOOL, "", column(rows, "value")))
    for about, words, provisional in (
        (About.SCHOOL, "school, with 95% interval", False),
        (About.PROVISIONAL, "school, provisional", True),
    ):
        taken = [each for each in rows if (each["release_status"] == Stage.PROVISIONAL) is provisional]
        points = tuple(
            Point(year_at(each), number(each, "value"), (number(each, "low95"), number(each, "high95")))
            for each in taken
            if each["value"] is not None
        )
        found.append(Points(about, words, points))
    found += [
        Gap(year_at(each), str(each["reason"]))
        for each in rows
        if each["value"] is None and year_at(each) <= subject.year
    ]
    return tuple(each for each in found if not hasattr(each, "points") or drawn(each.points))


def drawn(points: Sequence[Any]) -> bool:
    """Whether any of the points has a value."""
    return any(isinstance(each, Point) or each[1] is not None for each in points)


def target_marks(subject: Subject, rows: Sequence[Row]) -> list[Mark]:
    """The way to the target and the target itself."""
    known = [number(each, "target") for each in rows if each["target"] is not None]
    baseline, way = subject.agreed.baseline, column(rows, "path")
    steps = [(at, value) for at, value in way if value is not None]
    found: list[Mark] = []
    if steps and baseline:
        start = (max(baseline.years) + 0.3, rounded(baseline.value))
        found.append(Line(About.PATH, "path to the target", (start, *steps)))
    if known:
        found.append(Guide(About.TARGET, f"target, {level(subject.measure, known[0])}", known[0]))
    return found


def column(rows: Sequence[Row], name: str) -> tuple[tuple[float, float | None], ...]:
    """A column over the years; a year without a value breaks the line."""
    return tuple((year_at(each), None if each[name] is None else number(each, name)) for each in rows)


def runs(years: Sequence[tuple[int, Any, Any]]) -> list[tuple[tuple[float, float, float], ...]]:
    """Stretches of years with both ends of a band; a year that stands alone is widened, so that it can be seen."""
    found: list[list[tuple[float, float, float]]] = [[]]
    for year, low, high in years:
        if low is None or high is None:
            found.append([])
        else:
            found[-1].append((year, low, high))
    wide = ([(each[0][0] + by, *each[0][1:]) for by in (-ALONE, ALONE)] if len(each) == 1 else each for each in found)
    return [tuple(each) for each in wide if each]


def notes(subject: Subject, rows: Sequence[Row]) -> tuple[str, ...]:
    """What a reader must know of the picture."""
    found = [f"{better(subject.measure).capitalize()}."]
    if any(each.n_is_proxy for each in subject.gathered.readings.values()):
        found.append("The table does not tell pupils: intervals go by those of the census, and so err wide.")
    counts = [int(number(each, "comparators")) for each in rows if each["comparators"]]
    if not counts:
        found.append("No results of comparators are shown.")
    elif max(counts) < ENOUGH:
        found.append(f"Fewer than {ENOUGH} comparators have results, so that no band is drawn.")
    else:
        some = str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        found.append(f"Comparators with a result: {some} schools in a year.")
    return tuple(found)


def alt(subject: Subject, rows: Sequence[Row], target: float | None) -> str:
    """The picture in sentences."""
    measure, term = subject.measure, subject.term

    def told(each: Row) -> str:
        ends = " to ".join(level(measure, number(each, name)) for name in ("low95", "high95"))
        hollow = ", provisional" if each["release_status"] == Stage.PROVISIONAL else ""
        known = f"{level(measure, number(each, 'value'))} (95% interval {ends}, {each['pupils']:,} pupils{hollow})"
        return f"{known} in {each['academic_year']}"

    years = [each for each in rows if year_at(each) <= subject.year]
    values = [told(each) for each in years if each["value"] is not None]
    shown = " to ".join(dict.fromkeys(str(each["academic_year"]) for each in (rows[0], rows[-1])))
    said = [f"Line chart of {measure.title}, {shown}, {better(measure)}."]
    said.append(f"{subject.school}: {listed(values)}." if values else f"{subject.school} has no result to show.")
    said += [f"No value in {each['academic_year']}: {each['reason']}." for each in years if each["value"] is None]
    median = [each for each in rows if each["comparators_median"] is not None]
    if median:
        words = listed(
            f"{level(measure, number(each, 'comparators_median'))} in {each['academic_year']}" for each in median
        )
        said.append(f"The median of its comparators: {words}.")
    band = [each for each in rows if each["comparators_p10"] is not None]
    if band:
        ends = (level(measure, number(band[-1], name)) for name in ("comparators_p10", "comparators_p90"))
        said.append(f"The middle 80% of them lies between {' and '.join(ends)} in {band[-1]['academic_year']}.")
    if target is not None:
        said.append(f"The target is {level(measure, target)}.")
    said.append(f"The contract runs from {term.starts_on} to {term.ends_on}.")
    return " ".join([*said, standing(subject)])
