"""How alike the school and its comparators were before the contract (METHOD.md 3.3)."""

from services.outcomes.rules.matching import BALANCED
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.plots.figure import About, Axis, Figure, Guide, Panel, Point, Points, Row, number
from services.outcomes.rules.plots.subject import Subject, counted, listed, rounded, sources, undrawn, why

COLUMNS = ("characteristic", "difference_sd", "reading")
GOOD = 0.1


def reading(difference: float) -> str:
    """How far off a standardised difference is."""
    off = abs(difference)
    return "good" if off < GOOD else "acceptable" if off < BALANCED else "apart"


def balance(subject: Subject) -> Figure:
    """The standardised differences between the school and the mean of its comparators, by characteristic."""
    match = subject.gathered.match
    title = f"How alike {subject.school} and its comparators were: {subject.measure.title}"
    if not match.balance:
        return undrawn(subject, "balance", title, COLUMNS, why(subject) or "the school has no comparators")
    named = {name: MEASURES[name].title if name in MEASURES else "The outcome itself, before" for name in match.balance}
    rows: list[Row] = [
        {"characteristic": named[name], "difference_sd": rounded(value), "reading": reading(value)}
        for name, value in sorted(match.balance.items(), key=lambda each: (-abs(each[1]), each[0]))
    ]
    places = [(float(len(rows) - at), each) for at, each in enumerate(rows)]
    groups = {
        "good": (About.GREEN, "less than 0.1 apart"),
        "acceptable": (About.AMBER, "less than 0.25 apart"),
        "apart": (About.RED, "0.25 apart or more"),
    }
    ends = ((About.LIMIT, GOOD, "0.1 either way"), (About.OUTER_LIMIT, BALANCED, "0.25 either way"))
    marks = [
        Guide(About.NOTHING, "no difference", 0.0, upright=True),
        *(Guide(about, words, end, upright=True) for about, end, words in ends),
        *(Guide(about, "", -end, upright=True) for about, end, _words in ends),
    ]
    dots = [
        Points(
            about,
            words,
            tuple(Point(number(each, "difference_sd"), at) for at, each in places if each["reading"] == kind),
        )
        for kind, (about, words) in groups.items()
        if any(each["reading"] == kind for _, each in places)
    ]
    ticks = tuple((at, str(each["characteristic"])) for at, each in places)
    reach = max(0.35, 1.15 * max(abs(value) for value in match.balance.values()))
    x = Axis("School less mean of comparators, in standard deviations", ends=(-reach, reach))
    told = listed(f"{each['characteristic']} {each['difference_sd']:+.2f} ({each['reading']})" for each in rows)
    count = len(match.comparators)
    return Figure(
        name="balance",
        title=title,
        alt=f"Dot plot of the differences between {subject.school} and the mean of its {counted(count, 'comparator')},"
        f" in standard deviations: {told}. Below 0.1 is good, below 0.25 acceptable.",
        unit="standard deviations",
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(Panel(x, Axis("", ticks, (0.4, len(rows) + 0.6)), (*marks, *dots)),),
        notes=(f"{counted(count, 'comparator')}, the farthest apart on top.",),
        sources=sources(subject),
    )
