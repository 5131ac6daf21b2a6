"""DfE absence by school: the yearly table (CSV), and the layout with three years a school (JSON)."""

from services.outcomes.feeds.observations import Figure, given, observed, one_each
from services.outcomes.feeds.reading import Cells, RowRejected, Sheet, read, sheet, urn
from services.outcomes.feeds.records import ObservationRecord, Parsed

COLUMNS = {
    "urn": ("urn", "id"),
    "la": ("la", "laid"),
    "overall": ("perctot", "abs_tot_est_current_pct"),
    "persistent": ("ppersabs10", "abs_persistent_est_current_pct"),
    "overall_1": ("abs_tot_est_previous_pct",),
    "persistent_1": ("abs_persistent_est_previous_pct",),
    "overall_2": ("abs_tot_est_previous2_pct",),
    "persistent_2": ("abs_persistent_est_previous2_pct",),
}
BACK = ("", "_1", "_2")
"""Suffixes of the declared year, the year before it and the one before that."""


def years_in(table: Sheet, year: int) -> dict[int, list[Figure]]:
    """The academic years that the file has columns for, with their figures (percent; no number of pupils)."""
    found = {}
    for back, suffix in enumerate(BACK):
        if any(name in table.names for name in COLUMNS[f"overall{suffix}"]):
            found[year - back] = [Figure("ABS_OVERALL", f"overall{suffix}"), Figure("ABS_PA", f"persistent{suffix}")]
    return found


def parse(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read absence of the declared year, and of the two before where the file has them; raises FeedRefused."""
    table = sheet(content)
    figures = years_in(table, given(academic_year))

    def school(cell: Cells) -> list[ObservationRecord | RowRejected] | None:
        if cell("la") == "NAT":
            return None
        return observed(cell, urn(cell), figures)

    return read(table, COLUMNS, ("urn", "overall", "persistent"), make=school, unique=one_each)
