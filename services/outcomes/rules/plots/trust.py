"""The supplier's results of the year, in the three views that are never added up (METHOD.md 2)."""

from collections.abc import Mapping, Sequence

from services.outcomes.rules.performance import View
from services.outcomes.rules.plots.figure import About, Axis, Figure, Mark, Panel, Point, Points, Remark, Row, number
from services.outcomes.rules.plots.subject import Source, Subject, better, counted, level, published, rounded, undrawn
from services.outcomes.rules.tables import TrustMeasure
from services.outcomes.rules.years import academic_year_text

COLUMNS = ("view", "title", "state", "value", "low95", "high95", "pupils", "schools")
TITLES = {
    View.DFE: "Eligible, as DfE counts",
    View.PLATFORM: "All full members",
    View.CONTRACTS: "Under contract, ring-fenced",
}
STATES = {"NOT_PUBLISHED_TOO_FEW": "not published: too few schools with a result", "SUPPRESSED": "withheld: few pupils"}
LOOKS = {View.DFE: About.OTHER, View.PLATFORM: About.OTHER, View.CONTRACTS: About.SCHOOL}


def trust(subject: Subject, views: Mapping[View, TrustMeasure], releases: Sequence[Source]) -> Figure:
    """Each view's value pooled over pupils, with its interval and number of schools, from these releases."""
    measure = subject.measure
    title = f"{measure.title}: {subject.supplier} in {academic_year_text(subject.year)}, three views"
    rows: list[Row] = [
        {
            "view": str(view),
            "title": TITLES[view],
            "state": found.state,
            "value": rounded(found.value),
            "low95": rounded(found.low),
            "high95": rounded(found.high),
            "pupils": found.n if found.value is not None else None,
            "schools": found.schools,
        }
        for view, found in views.items()
    ]
    said = alt(subject, rows)
    shared = (f"{subject.contract}. Tables as they stand now, not as of the verdict.", *published(releases))
    if all(each["value"] is None for each in rows):
        return undrawn(subject, "trust", title, COLUMNS, "no view has a result to show", rows=tuple(rows))
    return Figure(
        name="trust",
        title=title,
        alt=said,
        unit=measure.unit,
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(panel(subject, rows),),
        notes=(f"{better(measure).capitalize()}. No school under contract is in another view of its supplier.",),
        sources=shared,
    )


def panel(subject: Subject, rows: Sequence[Row]) -> Panel:
    """A row for each view; one without a value says why."""
    places = [(float(len(rows) - at), each) for at, each in enumerate(rows)]
    known = [(at, each) for at, each in places if each["value"] is not None]
    left = min(number(each, "low95") for _, each in known)
    marks: list[Mark] = []
    for at, each in known:
        value, ends = number(each, "value"), (number(each, "low95"), number(each, "high95"))
        point = Point(value, at, ends, level(subject.measure, value))
        marks.append(Points(LOOKS[View(str(each["view"]))], "", (point,), across=True))
    marks += [Remark(left, at, STATES[str(each["state"])]) for at, each in places if each["value"] is None]
    ticks = tuple((at, f"{each['title']}\n{behind(each)}") for at, each in places)
    measure = subject.measure
    return Panel(
        Axis(f"{measure.title}, {measure.unit}, with 95% interval"),
        Axis("", ticks, (0.4, len(rows) + 0.6)),
        tuple(marks),
    )


def behind(each: Row) -> str:
    """The schools and the pupils that a view speaks of."""
    schools = counted(int(number(each, "schools")), "school")
    return schools if each["pupils"] is None else f"{schools}, {each['pupils']:,} pupils"


def alt(subject: Subject, rows: Sequence[Row]) -> str:
    """The picture in sentences."""
    measure = subject.measure
    said = [
        f"Three views of {subject.supplier} on {measure.title} in {academic_year_text(subject.year)},"
        f" {better(measure)}."
    ]
    for each in rows:
        if each["value"] is None:
            said.append(f"{each['title']}, {behind(each)}: {STATES[str(each['state'])]}.")
        else:
            value, low, high = (level(measure, number(each, name)) for name in ("value", "low95", "high95"))
            said.append(f"{each['title']}, {behind(each)}: {value} (95% interval {low} to {high}).")
    return " ".join(said)
