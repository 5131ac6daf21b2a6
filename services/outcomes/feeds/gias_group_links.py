"""GIAS, all group links: which school is in which trust on the day of the file, since when, and which have closed."""

from services.outcomes.feeds.gias_groups import CLOSED, TRUSTS
from services.outcomes.feeds.reading import Cells, RowRejected, code, day, read, sheet, urn, word
from services.outcomes.feeds.records import GroupLinkRecord, Parsed

COLUMNS = {
    "urn": ("urn",),
    "uid": ("group_uid",),
    "kind_code": ("group_type_code",),
    "joined": ("joined_date",),
    "status": ("group_status",),
    "closed": ("closed_date",),
}


def link(cell: Cells) -> list[GroupLinkRecord | RowRejected] | None:
    """The membership of a row; None for sponsors, federations and other groups."""
    if code(cell("kind_code")) not in TRUSTS:
        return None
    uid = cell("uid")
    if not uid.isdecimal():
        raise RowRejected("bad_uid", f"uid: {uid[:20]!r} is not a group UID.")
    closed = word(cell("status")) == CLOSED if cell("status") else None
    return [GroupLinkRecord(urn(cell), uid, day(cell, "joined"), closed, day(cell, "closed") if closed else None)]


def parse(content: bytes, _academic_year: int | None) -> Parsed[GroupLinkRecord]:
    """Read the CSV download; raises FeedRefused."""
    required = ("urn", "uid", "kind_code", "joined")
    return read(sheet(content), COLUMNS, required, make=link, unique=lambda each: (each.urn, each.trust_uid))
