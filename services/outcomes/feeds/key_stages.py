"""DfE performance tables at the end of key stages 2 and 4: schools' rows, codes kept as reasons."""

import re
from collections.abc import Mapping

from services.outcomes.feeds.observations import Figure, given, observed, one_each
from services.outcomes.feeds.reading import Cells, RowRejected, Sheet, located, read, sheet, urn
from services.outcomes.feeds.records import FeedRefused, ObservationRecord, Parsed
from services.outcomes.rules.years import academic_year_text

SCHOOL_ROWS = {"1", "2"}
"""Record types of mainstream and special schools; the others are local authorities and England."""
NO_TABLE_BEFORE = {2020, 2021}
"""Years whose tables cannot repeat the year before: none was published for 2019/20 and 2020/21."""
KS2_COLUMNS = {
    "rectype": ("rectype",),
    "urn": ("urn",),
    "eligible": ("telig",),
    "expected": ("ptrwm_exp",),
    "higher": ("ptrwm_high",),
    "reading": ("read_average",),
    "maths": ("mat_average",),
    "reading_progress": ("readprog",),
    "writing_progress": ("writprog",),
    "maths_progress": ("matprog",),
}
KS2_FIGURES = (
    Figure("KS2_RWM_EXP", "expected", "eligible"),
    Figure("KS2_RWM_HIGH", "higher", "eligible"),
    Figure("KS2_READ_AVG", "reading", "eligible"),
    Figure("KS2_MAT_AVG", "maths", "eligible"),
    Figure("KS2_READ_PROG", "reading_progress", "eligible"),
    Figure("KS2_WRIT_PROG", "writing_progress", "eligible"),
    Figure("KS2_MAT_PROG", "maths_progress", "eligible"),
)
KS4_COLUMNS = {
    "rectype": ("rectype",),
    "urn": ("urn",),
    "pupils": ("tpup",),
    "attainment": ("att8scr",),
    "progress": ("p8mea",),
    "progress_pupils": ("p8pup",),
    "strong": ("ptl2basics_95",),
    "standard": ("ptl2basics_94",),
    "ebacc": ("ebaccaps",),
}
KS4_FIGURES = (
    Figure("KS4_A8", "attainment", "pupils"),
    Figure("KS4_P8", "progress", "progress_pupils"),
    Figure("KS4_EM95", "strong", "pupils"),
    Figure("KS4_EM94", "standard", "pupils"),
    Figure("KS4_EBACC_APS", "ebacc", "pupils"),
)


def fits(rows: Sheet, headline: str, year: int) -> None:
    """Raise FeedRefused when the table says itself that it is not of the declared year.

    A table repeats its headline measure for earlier years: `ATT8SCR_18` is the measure of 2017/18 in the table of
    2018/19. Other columns are no guide: the table of 2016/17 has one that ends in `_17`.
    """
    repeated = re.compile(rf"{headline}_([0-9]{{2}})")
    history = [2000 + int(found[1]) for found in map(repeated.fullmatch, rows.names) if found]
    latest = max(history, default=year)
    if latest > year or (latest < year and year not in NO_TABLE_BEFORE):
        said, own = academic_year_text(year), academic_year_text(latest)
        raise FeedRefused(
            "wrong_year", f"The file was sent as {said}, but its columns are those of the table of {own}."
        )


def table(
    content: bytes,
    academic_year: int | None,
    columns: Mapping[str, tuple[str, ...]],
    figures: tuple[Figure, ...],
    headline: str,
    required: tuple[str, ...],
) -> Parsed[ObservationRecord]:
    """Read a performance table; a measure that the year's layout does not have gives no observations."""
    rows = sheet(content)
    places = located(rows, columns, required)
    year = given(academic_year)
    fits(rows, headline, year)
    wanted = {year: [each for each in figures if each.column in places]}

    def school(cell: Cells) -> list[ObservationRecord | RowRejected] | None:
        return observed(cell, urn(cell), wanted) if cell("rectype") in SCHOOL_ROWS else None

    return read(rows, columns, required, make=school, unique=one_each)


def parse_ks2(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read the key stage 2 table of the declared year; raises FeedRefused."""
    return table(
        content, academic_year, KS2_COLUMNS, KS2_FIGURES, "ptrwm_exp", ("rectype", "urn", "eligible", "expected")
    )


def parse_ks4(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read the key stage 4 table of the declared year; raises FeedRefused."""
    return table(
        content, academic_year, KS4_COLUMNS, KS4_FIGURES, "att8scr", ("rectype", "urn", "pupils", "attainment")
    )
