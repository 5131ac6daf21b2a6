"""GIAS, establishment links: which school came before which."""

from services.outcomes.feeds.reading import Cells, RowRejected, day, read, sheet, urn
from services.outcomes.feeds.records import EstablishmentLinkRecord, Parsed

COLUMNS = {
    "urn": ("urn",),
    "linked": ("linkurn",),
    "kind": ("linktype",),
    "since": ("linkestablisheddate",),
}


def link(cell: Cells) -> list[EstablishmentLinkRecord | RowRejected] | None:
    """The link of a row; None for a row of commas only, which some downloads end with."""
    if not cell("urn") and not cell("linked"):
        return None
    if not cell("kind"):
        raise RowRejected("missing_value", "kind: the link does not say what it is.")
    return [EstablishmentLinkRecord(urn(cell), urn(cell, "linked"), cell("kind"), day(cell, "since"))]


def parse(content: bytes, _academic_year: int | None) -> Parsed[EstablishmentLinkRecord]:
    """Read the CSV download (cp1252) or the JSON layout; raises FeedRefused."""
    required = ("urn", "linked", "kind")
    return read(sheet(content), COLUMNS, required, make=link, unique=lambda each: each)
