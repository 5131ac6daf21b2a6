"""DfE performance tables at the end of key stages 2 and 4: schools' rows, codes kept as reasons."""

import re
from collections.abc import Sequence

from services.outcomes.feeds.columns import Columns, Layout, columns
from services.outcomes.feeds.observations import BACK, Figure, by_year, given, observations, whole_table
from services.outcomes.feeds.reading import SHOWN
from services.outcomes.feeds.records import FeedRefused, ObservationRecord, Parsed
from services.outcomes.rules.years import academic_year_text

SCHOOL_ROWS = {"1", "2"}
"""Record types of mainstream and special schools; the others are local authorities and England."""
ENGLAND = {"5", "NAT"}
"""Record types of England: in either table 5 is one of its rows."""
AS_PUBLISHED = {"ks2", "ks4"}
"""Layouts of tables as they are published; of others England may have been taken out."""
NO_TABLE_BEFORE = {2020, 2021}
"""Years whose tables cannot repeat the year before: none was published for 2019/20 and 2020/21."""
NAMED = 3
"""Of the years that a file's rows are of, so many are named."""
KS2 = {
    "rectype": "rectype",
    "urn": "urn",
    "eligible": "telig",
    "expected": "ptrwm_exp",
    "higher": "ptrwm_high",
    "reading": "read_average",
    "maths": "mat_average",
    "reading_progress": "readprog",
    "writing_progress": "writprog",
    "maths_progress": "matprog",
    "reading_covered": "readcov",
    "writing_covered": "writcov",
    "maths_covered": "matcov",
    "disadvantaged": "tfsm6cla1a",
    "expected_disadvantaged": "ptrwm_exp_fsm6cla1a",
}
KS2_LAYOUTS = (
    Layout("ks2", KS2, ("rectype", "urn", "eligible", "expected")),
    Layout("ks2_progress_only", KS2, ("rectype", "urn", "reading_progress", "writing_progress", "maths_progress")),
    Layout(
        "ks2_trimmed",
        {
            "urn": "urn",
            "ends_in": "academic_year",
            "eligible": "ks2_pupils",
            "expected": "overall_meet_std",
            "higher": "overall_exceed_std",
            "reading": "reading_score",
            "maths": "maths_score",
            "reading_progress": "reading_progress",
            "writing_progress": "writing_progress",
            "maths_progress": "maths_progress",
        },
        ("urn", "ends_in", "eligible", "expected"),
    ),
)
"""The table as published; cut down to progress; and of schools only under other names, its codes left blank."""
KS2_FIGURES = (
    Figure("KS2_RWM_EXP", "expected", "eligible"),
    Figure("KS2_RWM_HIGH", "higher", "eligible"),
    Figure("KS2_READ_AVG", "reading", "eligible"),
    Figure("KS2_MAT_AVG", "maths", "eligible"),
    Figure("KS2_READ_PROG", "reading_progress", "eligible", "reading_covered"),
    Figure("KS2_WRIT_PROG", "writing_progress", "eligible", "writing_covered"),
    Figure("KS2_MAT_PROG", "maths_progress", "eligible", "maths_covered"),
    Figure("KS2_RWM_EXP_DIS", "expected_disadvantaged", "disadvantaged"),
)
KS4 = {
    "rectype": "rectype",
    "urn": "urn",
    "pupils": "tpup",
    "attainment": "att8scr",
    "progress": "p8mea",
    "progress_pupils": "p8pup",
    "strong": "ptl2basics_95",
    "standard": "ptl2basics_94",
    "ebacc": "ebaccaps",
    "ebacc_entered": "ptebacc_e_ptq_ee",
    "disadvantaged": "tfsm6cla1a",
    "attainment_disadvantaged": "att8scr_fsm6cla1a",
    "progress_disadvantaged": "p8mea_fsm6cla1a",
    "progress_pupils_disadvantaged": "p8pup_fsm6cla1a",
}
SERVED_YEARS = dict(zip(BACK, ("current", "previous", "previous2"), strict=True))
SERVED = {
    "urn": "id",
    **{f"attainment{end}": f"attainment8_tot_est_{years}_num" for end, years in SERVED_YEARS.items()},
    **{f"progress{end}": f"prog8_tot_est_{years}_num" for end, years in SERVED_YEARS.items()},
    **{f"strong{end}": f"engmaths59_tot_est_{years}_pct" for end, years in SERVED_YEARS.items()},
    **{f"standard{end}": f"engmaths49_tot_est_{years}_pct" for end, years in SERVED_YEARS.items()},
    **{f"attainment_disadvantaged{end}": f"attainment8_dis_est_{years}_num" for end, years in SERVED_YEARS.items()},
}
MERGED = ("attainment", "progress", "strong", "standard", "ebacc")
KS4_LAYOUTS = (
    Layout("ks4", KS4, ("rectype", "urn", "pupils", "attainment")),
    Layout("ks4_headlines", KS4, ("rectype", "urn", "attainment", "progress")),
    Layout(
        "ks4_trimmed",
        {
            "urn": "urn",
            "ends_in": "academic_year",
            "pupils": "ks4_pupils",
            "attainment": "attainment_8",
            "progress": "progress_8",
        },
        ("urn", "ends_in", "pupils", "attainment"),
    ),
    Layout(
        "ks4_merged",
        {name: column for name, column in KS4.items() if name in {"urn", *MERGED}},
        ("urn", "attainment", "progress"),
    ),
    Layout("ks4_served", SERVED, ("urn", *(f"attainment{end}" for end in BACK))),
)
"""The table as published; its headlines; of schools only under other names; merged with other tables by a reader; and
in JSON, with three years a school, as DfE's own products pass it on.

What the trimmed table of 2015/16 calls grade 5 in English and maths cannot be that: there were no such grades.
"""
KS4_FIGURES = (
    Figure("KS4_A8", "attainment", "pupils"),
    Figure("KS4_P8", "progress", "progress_pupils"),
    Figure("KS4_EM95", "strong", "pupils"),
    Figure("KS4_EM94", "standard", "pupils"),
    Figure("KS4_EBACC_APS", "ebacc", "pupils"),
    Figure("KS4_EBACC_ENTRY", "ebacc_entered", "pupils"),
    Figure("KS4_A8_DIS", "attainment_disadvantaged", "disadvantaged"),
    Figure("KS4_P8_DIS", "progress_disadvantaged", "progress_pupils_disadvantaged"),
)


def fits(table: Columns, headline: str, year: int) -> None:
    """Raise FeedRefused when the table says itself that it is not of the declared year.

    A table repeats its headline measure for earlier years: `ATT8SCR_18` is the measure of 2017/18 in the table of
    2018/19. Other columns are no guide: the table of 2016/17 has one that ends in `_17`. A trimmed table names in
    each row the calendar year in which its own ends: rows of two years are no table of either.
    """
    sent = f"The file was sent as {academic_year_text(year)}, but its"
    ends = {cell.strip().removesuffix(".0") for cell in set(table.cells.get("ends_in", ()))} - {""}
    if ends - {str(year + 1)}:
        named = " and in ".join(each[:SHOWN] for each in sorted(ends)[:NAMED])
        raise FeedRefused("wrong_year", f"{sent} rows say that their year ends in {named}.")
    repeated = re.compile(rf"{headline}_([0-9]{{2}})")
    history = [2000 + int(found[1]) for found in map(repeated.fullmatch, table.names) if found]
    latest = max(history, default=year)
    if latest > year or (latest < year and (year not in NO_TABLE_BEFORE or not history)):
        own = academic_year_text(latest)
        raise FeedRefused("wrong_year", f"{sent} columns are those of the table of {own}.")


def table(
    content: bytes,
    academic_year: int | None,
    layouts: Sequence[Layout],
    figures: Sequence[Figure],
    headline: str,
) -> Parsed[ObservationRecord]:
    """Read a performance table; a measure that the year's layout does not have gives no observations."""
    found, year = columns(content, layouts), given(academic_year)
    fits(found, headline, year)
    wanted = by_year(found, year, figures)
    schools = None
    if "rectype" in found:
        kinds = [kind.strip() for kind in found.cells["rectype"]]
        schools = [place for place, kind in enumerate(kinds) if kind in SCHOOL_ROWS]
        if found.layout.name in AS_PUBLISHED:
            whole_table(found, len(schools), england=not ENGLAND.isdisjoint(kinds))
    return observations(found, wanted, schools)


def parse_ks2(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read the key stage 2 table of the declared year; raises FeedRefused."""
    return table(content, academic_year, KS2_LAYOUTS, KS2_FIGURES, "ptrwm_exp")


def parse_ks4(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read the key stage 4 table of the declared year; raises FeedRefused."""
    return table(content, academic_year, KS4_LAYOUTS, KS4_FIGURES, "att8scr")
