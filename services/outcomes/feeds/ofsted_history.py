"""Ratings that schools had before management information was kept: URN, rating and day, as others gathered them."""

from services.outcomes.feeds.opening import normalised
from services.outcomes.feeds.reading import Cells, RowRejected, day, read, sheet, urn
from services.outcomes.feeds.records import Parsed
from services.outcomes.rules.grades import Area, Grade, Scale
from services.outcomes.rules.inspection import Inspection, framework_on

COLUMNS = {"urn": ("urn",), "rating": ("rating",), "started": ("inspection_date",)}
RATINGS = {
    "outstanding": "1",
    "good": "2",
    "satisfactory": "3",
    "requires_improvement": "3",
    "inadequate": "4",
}
"""Until 2012 the third grade of the scale was called satisfactory."""


def inspection(cell: Cells) -> list[Inspection | RowRejected]:
    """The inspection of a row: its overall grade, and nothing on concern or safeguarding, which the file leaves out."""
    code, started = RATINGS.get(normalised(cell("rating"))), day(cell, "started")
    if code is None:
        raise RowRejected("unknown_code", f"rating: {cell('rating')[:60]!r} is not known.")
    if started is None:
        raise RowRejected("missing_value", "inspection_date: the day of the inspection is not given.")
    return [
        Inspection(
            urn=urn(cell),
            started_on=started,
            framework=framework_on(started),
            judgements=((Area.OVERALL_EFFECTIVENESS, Grade(Scale.OLD4, code)),),
        )
    ]


def parse(content: bytes, _academic_year: int | None) -> Parsed[Inspection]:
    """Read the list; raises FeedRefused."""
    unique = ("urn", "started")
    return read(
        sheet(content), COLUMNS, (*unique, "rating"), make=inspection, unique=lambda each: (each.urn, each.started_on)
    )
