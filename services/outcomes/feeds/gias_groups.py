"""GIAS, all groups: of these the trusts (multi-academy, single-academy, secure single-academy)."""

from services.outcomes.feeds.reading import Cells, RowRejected, code, day, read, sheet, word
from services.outcomes.feeds.records import Parsed, TrustRecord

COLUMNS = {
    "uid": ("group_uid",),
    "group_id": ("group_id",),
    "name": ("group_name",),
    "company": ("companies_house_number",),
    "kind_code": ("group_type_code",),
    "kind": ("group_type",),
    "opened": ("open_date",),
    "incorporated": ("incorporated_on_open_date",),
    "closed": ("closed_date",),
    "status": ("group_status",),
    "ukprn": ("ukprn",),
}
CLOSED = "closed"
"""The status of a group that is no more, as a word."""
TRUSTS = {"6", "10", "11"}
"""Codes of multi-academy, single-academy and secure single-academy trusts. Their day of opening stands in the column of
incorporation; the other one is filled for federations and children's centres."""


def trust(cell: Cells) -> list[TrustRecord | RowRejected] | None:
    """The trust of a row; None for federations, sponsors and children's centres. Names of persons are not read."""
    if code(cell("kind_code")) not in TRUSTS:
        return None
    uid, company = cell("uid"), cell("company").removesuffix(".0")
    if not uid.isdecimal():
        raise RowRejected("bad_uid", f"uid: {uid[:20]!r} is not a group UID.")
    if not cell("name"):
        raise RowRejected("missing_value", "name: the trust has no name.")
    return [
        TrustRecord(
            uid=uid,
            group_id=cell("group_id") or None,
            name=cell("name"),
            kind=word(cell("kind")),
            companies_house_number=company.zfill(8) if company else None,
            ukprn=cell("ukprn").removesuffix(".0") or None,
            status=word(cell("status")),
            opened_on=day(cell, "opened") or day(cell, "incorporated"),
            closed_on=day(cell, "closed"),
        )
    ]


def parse(content: bytes, _academic_year: int | None) -> Parsed[TrustRecord]:
    """Read the CSV download or the JSON layout of the same columns; raises FeedRefused."""
    required = ("uid", "name", "kind_code", "kind", "status")
    return read(sheet(content), COLUMNS, required, make=trust, unique=lambda each: each.uid)
