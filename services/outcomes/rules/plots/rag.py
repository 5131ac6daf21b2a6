"""How the outcome went on its way, year by year: red, amber, green or grey (METHOD.md 3.10)."""

from collections.abc import Mapping, Sequence

from services.outcomes.rules.plots.figure import About, Axis, Figure, Gap, Line, Mark, Panel, Point, Points, Row, number
from services.outcomes.rules.plots.subject import NOT_MEASURABLE, Subject, better, level, rounded, sources, undrawn
from services.outcomes.rules.plots.years import path_of
from services.outcomes.rules.trajectory import NOT_KNOWN_YET, follow, years_of
from services.outcomes.rules.verdict import Rag
from services.outcomes.rules.years import academic_year_text

COLUMNS = ("academic_year", "rating", "actual", "expected", "z", "pupils", "reasons")
LOOKS: Mapping[Rag, tuple[About, str]] = {
    Rag.GREEN: (About.GREEN, "green (G): on the path or better"),
    Rag.AMBER: (About.AMBER, "amber (A): behind, within chance"),
    Rag.RED: (About.RED, "red (R): behind beyond chance"),
}
REASONS = {**NOT_MEASURABLE, NOT_KNOWN_YET: "the target is known only with the comparators' results"}


def rag(subject: Subject) -> Figure:
    """Each year of the contract up to the verdict, beside the path to the target."""
    measure, agreed, term = subject.measure, subject.agreed, subject.term
    title = f"{measure.title}: {subject.school} on its way to the target"
    years = [year for year in years_of(term, measure) if year <= subject.year]
    if not years:
        return undrawn(subject, "rag", title, COLUMNS, "no year of the contract has been assessed yet")
    rows: list[Row] = []
    for year in years:
        found = follow(agreed, subject.trajectory, subject.gathered.readings, term, year)
        rows.append(
            {
                "academic_year": academic_year_text(year),
                "rating": str(found.rag),
                "actual": rounded(found.actual),
                "expected": rounded(found.expected),
                "z": rounded(found.z),
                "pupils": found.n,
                "reasons": "; ".join(REASONS[each] for each in found.reasons) or None,
            }
        )
    if all(each["rating"] == Rag.GREY for each in rows):
        reasons = dict.fromkeys(str(each["reasons"]) for each in rows)
        return undrawn(subject, "rag", title, COLUMNS, "; ".join(reasons), rows=tuple(rows))
    ticks = tuple((float(year), academic_year_text(year)) for year in years)
    x = Axis("Academic year", ticks, (years[0] - 0.6, years[-1] + 0.6))
    return Figure(
        name="rag",
        title=title,
        alt=alt(subject, rows),
        unit=measure.unit,
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(Panel(x, Axis(f"{measure.title}, {measure.unit}"), marks(subject, years, rows)),),
        notes=(
            f"{better(measure).capitalize()}. z: distance from the path in standard errors, better ones positive.",
            "Red begins at z = -1.28, where chance alone leads in one case of ten.",
        ),
        sources=sources(subject),
    )


def marks(subject: Subject, years: Sequence[int], rows: Sequence[Row]) -> tuple[Mark, ...]:
    """What is drawn of the rows: the path, each year's result in the shape of its rating, and what is grey."""
    steps = tuple((float(year), rounded(value)) for year, value in path_of(subject).items() if year in years)
    found: list[Mark] = [Line(About.PATH, "path to the target", steps)]
    for rating, (about, words) in LOOKS.items():
        points = tuple(
            Point(year, number(each, "actual"), word=f"{rating[0].upper()}, z = {each['z']:+.1f}")
            for year, each in zip(years, rows, strict=True)
            if each["rating"] == rating
        )
        found += [Points(about, words, points)] if points else []
    greys = [year for year, each in zip(years, rows, strict=True) if each["rating"] == Rag.GREY]
    return (*found, *(Gap(year, "grey: no rating") for year in greys))


def alt(subject: Subject, rows: Sequence[Row]) -> str:
    """The picture in sentences."""
    measure = subject.measure
    said = [f"Timeline of {measure.title} at {subject.school} beside the path to its target, {better(measure)}."]
    for each in rows:
        if each["rating"] == Rag.GREY:
            said.append(f"{each['academic_year']} is grey: {each['reasons']}.")
        else:
            actual, expected = (level(measure, number(each, name)) for name in ("actual", "expected"))
            said.append(
                f"{each['academic_year']} is {each['rating']}: {actual} where {expected} was expected,"
                f" z = {each['z']:+.2f}."
            )
    return " ".join(said)
