"""DfE school census as the performance tables publish it: what a school's intake is like."""

from services.outcomes.feeds.observations import Figure, given, observed, one_each
from services.outcomes.feeds.reading import Cells, RowRejected, read, sheet, urn
from services.outcomes.feeds.records import ObservationRecord, Parsed

COLUMNS = {
    "urn": ("urn",),
    "pupils": ("nor",),
    "meals": ("pnumfsmever",),
    "meals_pupils": ("norfsmever",),
    "language": ("pnumeal",),
    "support": ("psenelk",),
    "plan": ("psenelse",),
}
REQUIRED = ("urn", "pupils", "meals", "language", "support", "plan")
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
    figures = {given(academic_year): FIGURES}

    def school(cell: Cells) -> list[ObservationRecord | RowRejected] | None:
        return None if cell("urn") == "NAT" else observed(cell, urn(cell), figures)

    return read(sheet(content), COLUMNS, REQUIRED, make=school, unique=one_each)
