"""The school over the years, beside its comparators, on the way to its target."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.outcomes.rules.comparators import ENOUGH
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
    level,
    listed,
    own_releases,
    rounded,
    sources,
    standing,
)
from services.outcomes.rules.plots.years import COLUMNS, path_of, position, row, spread, target_in, year_at
from services.outcomes.rules.releases import Stage

Yearly = Mapping[int, Sequence[float]]
ALONE = 0.15
"""Half the width, in years, of a band that has one year only."""


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
