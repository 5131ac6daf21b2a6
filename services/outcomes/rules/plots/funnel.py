"""The school's result among those of its comparators, by how many pupils stand behind each (METHOD.md 3.6)."""

import math
from collections.abc import Sequence

import numpy as np

from services.outcomes.rules.intervals import Interval, funnel_limits, overdispersion
from services.outcomes.rules.measures import Kind, Measure
from services.outcomes.rules.plots.figure import (
    About,
    Axis,
    Figure,
    Guide,
    Line,
    Mark,
    Panel,
    Point,
    Points,
    Row,
    number,
)
from services.outcomes.rules.plots.subject import (
    Subject,
    better,
    level,
    rounded,
    sources,
    standing,
    undrawn,
    why_alone,
    years_text,
)
from services.outcomes.rules.plots.years import ENOUGH_FOR_MEDIAN, target_in

COLUMNS = ("what", "urn", "pupils", "value", "low95", "high95", "low998", "high998")
COVERAGES = (0.95, 0.998)
Z = {0.95: 1.959963984540054, 0.998: 3.090232306167813}
GRID = 40


def limits(measure: Measure, centre: float, n: int, coverage: float, phi: float = 1.0) -> Interval:
    """Between which values a school of `n` pupils lies by chance alone where `centre` is true, in the measure's unit.

    Exact for percentages, sigma over the root of n for means and progress; widened by the root of `phi` where results
    vary more than chance.
    """
    if measure.kind is Kind.PROPORTION:
        bounds = funnel_limits(min(max(centre / 100, 0.0), 1.0), n, coverage)
        low, high = bounds.low * 100, bounds.high * 100
    else:
        half = Z[coverage] * measure.pupil_sd / math.sqrt(n)
        low, high = centre - half, centre + half
    wider = math.sqrt(phi)
    low, high = centre - wider * (centre - low), centre + wider * (high - centre)
    return Interval(max(low, 0.0), min(high, 100.0)) if measure.kind is Kind.PROPORTION else Interval(low, high)


def dispersion(measure: Measure, centre: float, results: Sequence[tuple[int, float]]) -> float:
    """How much more than by chance the results (pupils, value) vary, 1 at least."""
    scores = [(value - centre) / math.sqrt(measure.sampling_variance(centre, n)) for n, value in results]
    return max(1.0, overdispersion(scores))


def funnel(subject: Subject) -> Figure:
    """Results against pupils, with the limits of chance around what the comparators achieved together."""
    measure, actual, others = subject.measure, subject.actual, subject.comparators
    title = f"{measure.title}: {subject.school} and its comparators, by number of pupils"
    if actual is None or len(others) < ENOUGH_FOR_MEDIAN:
        return undrawn(subject, "funnel", title, COLUMNS, why_alone(subject))
    results, spread = [(each.outcome_n, each.outcome) for each in others], measure.over(actual.years)
    centre = sum(n * value for n, value in results) / sum(n for n, _ in results)
    phi = dispersion(spread, centre, results)

    def row(what: str, urn: int | None, n: int, value: float | None) -> Row:
        bounds = [limits(spread, centre, n, coverage, phi) for coverage in COVERAGES]
        names = ("low95", "high95", "low998", "high998")
        ends = [rounded(end) for each in bounds for end in (each.low, each.high)]
        return {
            "what": what,
            "urn": urn and str(urn),
            "pupils": n,
            "value": rounded(value),
            **dict(zip(names, ends, strict=True)),
        }

    sizes = [n for n, _ in results] + [actual.n]
    grid = np.unique(np.geomspace(min(sizes) * 0.9, max(sizes) * 1.1, GRID).round().astype(int)).tolist()
    rows = [
        row("school", None, actual.n, actual.value),
        *(row("comparator", each.urn, each.outcome_n, each.outcome) for each in others),
        *(row("limits", None, n, None) for n in grid),
    ]
    target = target_in(subject)
    widened = f"Results vary {phi:.1f} times as much as by chance alone; limits are widened by the root of it."
    return Figure(
        name="funnel",
        title=title,
        alt=alt(subject, rows, centre, target),
        unit=measure.unit,
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(
            Panel(
                Axis(f"Pupils behind the results of {years_text(actual.years)}"),
                Axis(f"{measure.title}, {measure.unit}"),
                marks(subject, rows, centre, target),
            ),
        ),
        notes=(f"{better(measure).capitalize()}.", *((widened,) if phi > 1 else ())),
        sources=sources(subject),
    )


def marks(subject: Subject, rows: Sequence[Row], centre: float, target: float | None) -> tuple[Mark, ...]:
    """What is drawn of the rows."""

    def place(each: Row, name: str) -> tuple[float, float]:
        return number(each, "pupils"), number(each, name)

    grid = [each for each in rows if each["what"] == "limits"]
    lines = (
        *((About.LIMIT, "limits, 95%", "low95"), (About.LIMIT, "", "high95")),
        *((About.OUTER_LIMIT, "limits, 99.8%", "low998"), (About.OUTER_LIMIT, "", "high998")),
    )
    found: list[Mark] = [Line(about, label, tuple(place(each, name) for each in grid)) for about, label, name in lines]
    mean = f"comparators together, {level(subject.measure, centre)}"
    found.append(Guide(About.COMPARATORS, mean, centre))
    if target is not None:
        found.append(Guide(About.TARGET, f"target, {level(subject.measure, target)}", target))
    own, *others = (Point(*place(each, "value")) for each in rows if each["what"] != "limits")
    found.append(Points(About.OTHER, f"comparators, {len(others)} schools", tuple(others)))
    return (*found, Points(About.SCHOOL, "school", (own,)))


def alt(subject: Subject, rows: Sequence[Row], centre: float, target: float | None) -> str:
    """The picture in sentences."""
    measure = subject.measure
    own, pupils = rows[0], number(rows[0], "pupils")
    others = [each for each in rows if each["what"] == "comparator"]
    outside = sum(not inside(each, "998") for each in others)
    side, where = "above" if number(own, "value") > centre else "below", "inside both limits"
    if not inside(own, "998"):
        where = f"{side} the 99.8% limits"
    elif not inside(own, "95"):
        where = f"{side} the 95% limits but inside those of 99.8%"
    said = [
        f"Funnel plot of {measure.title} against pupils, {better(measure)}.",
        f"{subject.school} has {level(measure, number(own, 'value'))} with {pupils:,.0f} pupils and lies {where}.",
        f"Its {len(others)} comparators together have {level(measure, centre)};"
        f" {outside} of them lie outside the 99.8% limits.",
    ]
    if target is not None:
        said.append(f"The target is {level(measure, target)}.")
    return " ".join([*said, standing(subject)])


def inside(each: Row, limits: str) -> bool:
    """Whether a school lies between these limits, ends included."""
    return number(each, f"low{limits}") <= number(each, "value") <= number(each, f"high{limits}")
