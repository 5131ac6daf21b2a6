"""GIAS, establishments: every school with where it is, what it is and which trust it is in."""

from services.outcomes.feeds.reading import Cells, RowRejected, code, day, read, sheet, urn, word
from services.outcomes.feeds.records import EstablishmentRecord, Parsed

COLUMNS = {
    "urn": ("urn",),
    "name": ("establishmentname",),
    "la_code": ("la_code", "laid"),
    "la_name": ("la_name", "laname"),
    "number": ("establishmentnumber",),
    "region_code": ("gor_code", "regionid"),
    "region": ("gor_name", "regionname"),
    "phase": ("phaseofeducation_name", "phaseofeducationname"),
    "kind_code": ("typeofestablishment_code", "typeofestablishmentid"),
    "kind": ("typeofestablishment_name", "typeofestablishmentname"),
    "kind_group": ("establishmenttypegroup_name", "establishmenttypegroupname"),
    "status": ("establishmentstatus_name",),
    "opened": ("opendate",),
    "closed": ("closedate",),
    "ukprn": ("ukprn",),
    "trust": ("trusts_code", "trustid"),
    "trust_flag": ("trustschoolflag_code", "trustschoolflagid"),
    "admissions": ("admissionspolicy_name", "admissionspolicyname"),
    "religion": ("religiouscharacter_name", "religiouscharactername"),
    "pupils": ("numberofpupils", "totalpupils"),
    "town": ("town",),
    "postcode": ("postcode",),
    "easting": ("easting",),
    "northing": ("northing",),
}
REQUIRED = ("urn", "name", "la_code", "la_name", "region", "phase", "kind", "kind_group", "trust", "trust_flag")
"""A layout that cannot say which trust a school is in is refused: it would seem that every school had left its own."""
IN_ACADEMY_TRUST = {"3", "5"}
"""Trust flags for multi-academy and single-academy trusts; 1 is a foundation trust, which runs no academies."""

GRID_METRES = 1_300_000
"""The British National Grid is no longer than this in either direction."""


def establishment(cell: Cells) -> list[EstablishmentRecord | RowRejected]:
    """The school of a row. Names of persons are not read."""
    number = urn(cell)
    for name in ("name", "la_code", "la_name", "region", "phase", "kind", "kind_group"):
        if not cell(name):
            raise RowRejected("missing_value", f"{name}: the school has none.")
    pupils = cell("pupils")
    easting, northing = location(cell)
    in_trust = code(cell("trust_flag")) in IN_ACADEMY_TRUST
    return [
        EstablishmentRecord(
            urn=number,
            name=cell("name"),
            la_code=cell("la_code").zfill(3),
            la_name=cell("la_name"),
            establishment_number=cell("number").zfill(4) if cell("number") else None,
            region=cell("region"),
            phase=cell("phase"),
            kind_code=cell("kind_code").zfill(2),
            kind=cell("kind"),
            kind_group=cell("kind_group"),
            status=word(cell("status")) or None,
            opened_on=day(cell, "opened"),
            closed_on=day(cell, "closed"),
            ukprn=cell("ukprn") or None,
            trust_uid=(cell("trust") or None) if in_trust else None,
            admissions=cell("admissions") or None,
            religious_character=cell("religion") or None,
            pupils=int(pupils) if pupils.isdecimal() and len(pupils) < 7 else None,
            town=cell("town") or None,
            postcode=cell("postcode") or None,
            easting=easting,
            northing=northing,
        )
    ]


def location(cell: Cells) -> tuple[int | None, int | None]:
    """Easting and northing on the British National Grid, in metres; both None unless both are given.

    Nothing lies at 0 in either direction, so a zero stands for a place that is not known.
    """
    found = [cell(name).removesuffix(".0") for name in ("easting", "northing")]
    if not all(each.isdecimal() and 0 < int(each) < GRID_METRES for each in found):
        return None, None
    return int(found[0]), int(found[1])


def parse(content: bytes, _academic_year: int | None) -> Parsed[EstablishmentRecord]:
    """Read the daily CSV file (cp1252, codes and names) or the JSON layout; raises FeedRefused."""
    return read(sheet(content), COLUMNS, REQUIRED, make=establishment, unique=lambda each: each.urn)
