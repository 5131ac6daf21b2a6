"""DfE school census as the performance tables publish it: what a school's intake is like."""

from services.outcomes.feeds.columns import Layout, columns
from services.outcomes.feeds.observations import Figure, given, observations, whole_table
from services.outcomes.feeds.records import ObservationRecord, Parsed

LAYOUTS = (
    Layout(
        "census",
        {
            "urn": "urn",
            "pupils": "nor",
            "meals": "pnumfsmever",
            "meals_pupils": "norfsmever",
            "language": "pnumeal",
            "support": "psenelk",
            "plan": "psenelse",
        },
        ("urn", "pupils", "meals", "language", "support", "plan"),
    ),
)
FIGURES = (
    Figure("CENSUS_NOR", "pupils"),
    Figure("CENSUS_FSM", "meals", "meals_pupils"),
    Figure("CENSUS_EAL", "language", "pupils"),
    Figure("CENSUS_SEN_SUPPORT", "support", "pupils"),
    Figure("CENSUS_EHCP", "plan", "pupils"),
)
"""Free school meals are a share of the pupils of the years that count for it, not of all on roll; how many these are is
published from 2022/23 (NORFSMEVER), and not known before."""


def parse(content: bytes, academic_year: int | None) -> Parsed[ObservationRecord]:
    """Read the January census of the declared year; percentages come with or without their sign. Raises FeedRefused."""
    table = columns(content, LAYOUTS)
    schools = [place for place, urn in enumerate(table.cells["urn"]) if urn.strip() != "NAT"]
    whole_table(table, len(schools), england=len(schools) < len(table.numbers))
    return observations(table, {given(academic_year): FIGURES}, schools)
