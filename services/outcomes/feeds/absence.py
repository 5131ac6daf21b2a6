"""DfE absence by school: the yearly table (CSV), and the layout with three years a school (JSON)."""

from services.outcomes.feeds.columns import Layout, columns
from services.outcomes.feeds.observations import Figure, by_year, given, observations, whole_table
from services.outcomes.feeds.records import ObservationRecord, Parsed

REQUIRED = ("urn", "overall", "persistent")
LAYOUTS = (
    Layout("yearly", {"urn": "urn", "la": "la", "overall": "perctot", "persistent": "ppersabs10"}, REQUIRED),
    Layout(
        "served",
        {
            "urn": "id",
            "la": "laid",
            "overall": "abs_tot_est_current_pct",
            "persistent": "abs_persistent_est_current_pct",
            "overall_1": "abs_tot_est_previous_pct",
            "persistent_1": "abs_persistent_est_previous_pct",
            "overall_2": "abs_tot_est_previous2_pct",
            "persistent_2": "abs_persistent_est_previous2_pct",
        },
        REQUIRED,
    ),
)
FIGURES = (Figure("ABS_OVERALL", "overall"), Figure("ABS_PA", "persistent"))
"""Percent; how many pupils they speak of is not told."""


def parse(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read absence of the declared year, and of the two before where the file has them; raises FeedRefused."""
    table = columns(content, LAYOUTS)
    schools = None
    if "la" in table:
        schools = [place for place, la in enumerate(table.cells["la"]) if la.strip() != "NAT"]
        if table.layout.name == "yearly":
            whole_table(table, len(schools), england=len(schools) < len(table.numbers))
    return observations(table, by_year(table, given(academic_year), FIGURES), schools)
