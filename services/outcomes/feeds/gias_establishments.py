"""GIAS, establishments: every school with where it is, what it is and which trust it is in."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from services.outcomes.feeds.columns import (
    URNS,
    Columns,
    Layout,
    chosen,
    columns,
    converted,
    plain,
    rejected,
    repeated,
    text_or_none,
)
from services.outcomes.feeds.opening import ENCODINGS
from services.outcomes.feeds.reading import TWICE, RowRejected, code, day_of, urn_of, word
from services.outcomes.feeds.records import EstablishmentRecord, Parsed
from services.outcomes.rules.columnar import Records

FULL = Layout(
    "edubasealldata",
    {
        "urn": "urn",
        "name": "establishmentname",
        "la_code": "la_code",
        "la_name": "la_name",
        "number": "establishmentnumber",
        "region": "gor_name",
        "phase": "phaseofeducation_name",
        "kind_code": "typeofestablishment_code",
        "kind": "typeofestablishment_name",
        "kind_group": "establishmenttypegroup_name",
        "status": "establishmentstatus_name",
        "opened": "opendate",
        "closed": "closedate",
        "ukprn": "ukprn",
        "trust": "trusts_code",
        "trust_flag": "trustschoolflag_code",
        "admissions": "admissionspolicy_name",
        "religion": "religiouscharacter_name",
        "pupils": "numberofpupils",
        "town": "town",
        "postcode": "postcode",
        "easting": "easting",
        "northing": "northing",
    },
    (
        *("urn", "name", "la_code", "la_name", "region", "phase", "kind", "kind_group", "status"),
        *("opened", "closed", "trust", "trust_flag"),
    ),
)
"""The daily file, in all its widths (135 columns, 140 and more before 2025): codes and names."""
SERVED = Layout(
    "served",
    {
        "urn": "urn",
        "name": "establishmentname",
        "la_code": "laid",
        "la_name": "laname",
        "number": "establishmentnumber",
        "region": "regionname",
        "phase": "phaseofeducationname",
        "kind_code": "typeofestablishmentid",
        "kind": "typeofestablishmentname",
        "kind_group": "establishmenttypegroupname",
        "ukprn": "ukprn",
        "trust": "trustid",
        "trust_flag": "trustschoolflagid",
        "admissions": "admissionspolicyname",
        "religion": "religiouscharactername",
        "pupils": "totalpupils",
        "town": "town",
        "postcode": "postcode",
        "easting": "easting",
        "northing": "northing",
    },
    ("urn", "name", "la_code", "la_name", "region", "phase", "kind", "kind_group", "trust", "trust_flag"),
)
"""As DfE's own products pass the register on, in JSON: renamed, and without status and dates."""
EXTRACT = Layout(
    "extract",
    {field: name for field, name in FULL.columns.items() if field not in {"kind_code", "trust", "trust_flag"}},
    ("urn", "name", "la_code", "la_name", "region", "phase", "kind", "kind_group", "status", "opened", "closed"),
)
"""As the search page gives it: names only, so that it cannot be said which trust a school is in."""
LAYOUTS = (FULL, SERVED, EXTRACT)
WITHOUT_TRUST = [layout.name for layout in LAYOUTS if "trust" not in layout.columns]
NEEDED = ("name", "la_code", "la_name", "region", "phase", "kind", "kind_group")
CENTRE = re.compile(r"[1-9][0-9]{4}", re.ASCII)
"""Children's centres, which are no schools, have numbers of five digits."""
IN_ACADEMY_TRUST = {"3", "5"}
"""Trust flags for multi-academy and single-academy trusts; 1 is a foundation trust, which runs no academies."""
GRID_METRES = 1_300_000
"""The British National Grid is no longer than this in either direction."""
Convert = Callable[[str], Any]


def needed(text: str, name: str) -> str:
    """A cell that may not be empty."""
    if not text:
        raise RowRejected("missing_value", f"{name}: the school has none.")
    return text


def pupils(text: str) -> int | None:
    """Pupils on roll; None for what is no such number."""
    return int(text) if text.isdecimal() and len(text) < 7 else None


def metres(text: str) -> int | None:
    """A place on the British National Grid in one direction; None where it is not known.

    Nothing lies at 0 in either direction, so a zero stands for a place that is not known.
    """
    whole = text.removesuffix(".0")
    return int(whole) if whole.isdecimal() and 0 < int(whole) < GRID_METRES else None


def padded(text: str, width: int) -> str:
    """A code with the zeros before it that some files have lost."""
    return text.zfill(width)


CONVERT: dict[str, Convert] = {
    "urn": urn_of,
    **{name: partial(needed, name=name) for name in NEEDED},
    "la_code": lambda text: padded(needed(text, "la_code"), 3),
    "number": lambda text: padded(text, 4) if text else None,
    "kind_code": partial(padded, width=2),
    "status": lambda text: word(text) or None,
    "opened": partial(day_of, name="opened"),
    "closed": partial(day_of, name="closed"),
    "trust_flag": lambda text: code(text) in IN_ACADEMY_TRUST,
    "pupils": pupils,
    "easting": metres,
    "northing": metres,
}
"""How each field is read; the others are text or nothing. In the order in which a row is looked through."""
METRES = plain("(?:[1-9][0-9]{0,5})?")
NUMBERS = {"urn": URNS, "pupils": plain("(?:[0-9]{1,6})?"), "easting": METRES, "northing": METRES}
FIELDS = dict.fromkeys((*CONVERT, *FULL.columns))
TOLD = dict(zip((name for name in FULL.columns if name != "trust_flag"), EstablishmentRecord._fields[:-1], strict=True))
"""For each field of a file that of its records."""
PLACE = frozenset({"easting", "northing"})


def parse(content: bytes, _academic_year: int | None) -> Parsed[EstablishmentRecord]:
    """Read the daily file, a search extract or the JSON form. Raises FeedRefused."""
    return parse_in(content, ENCODINGS)


def parse_in(content: bytes, encodings: Iterable[str]) -> Parsed[EstablishmentRecord]:
    """The same in the first of these encodings that fits. Names of persons are not read."""
    whole = columns(content, LAYOUTS, encodings)
    urns = [text.strip() for text in whole.cells["urn"]]
    table = whole.only([place for place, urn in enumerate(urns) if len(urn) != 5 or not CENTRE.fullmatch(urn)])
    values, bad = converted_fields(table)
    for place in repeated(values["urn"], out=bad):
        bad[place] = TWICE
    found, numbers = fields(table, values), table.numbers
    if bad:
        kept = chosen([place for place in range(len(numbers)) if place not in bad])
        found, numbers = [kept(column) for column in found], kept(numbers)
    rejections = [rejected(table.numbers[place], table.cells["urn"][place], bad[place]) for place in sorted(bad)]
    ignored = len(urns) - len(table.numbers)
    records = Records[EstablishmentRecord](EstablishmentRecord, found)
    return Parsed(table.layout.name, len(urns), ignored, records, tuple(rejections), numbers=numbers)


def converted_fields(table: Columns) -> tuple[dict[str, Sequence[Any]], dict[int, RowRejected]]:
    """The values of every field, and the rows that cannot be used with the first reason why."""
    values: dict[str, Sequence[Any]] = {}
    bad: dict[int, RowRejected] = {}
    for field in filter(table.cells.__contains__, FIELDS):
        if field in CONVERT:
            values[field], wrong = converted(table.cells[field], CONVERT[field], NUMBERS.get(field))
            bad = wrong | bad
        else:
            values[field] = text_or_none(table.cells[field])
    return values, bad


def fields(table: Columns, values: dict[str, Sequence[Any]]) -> list[Sequence[Any]]:
    """The columns of EstablishmentRecord, in their order."""
    n = len(table.numbers)
    nothing: Sequence[Any] = [None] * n
    unsaid = frozenset(told for name, told in TOLD.items() if name not in table)
    if unsaid & PLACE:
        unsaid |= PLACE
    trusts: Sequence[str | None] = nothing
    if "trust_uid" not in unsaid:
        trusts = [
            uid if flag is True else None for uid, flag in zip(values["trust"], values["trust_flag"], strict=True)
        ]
    eastings, northings = values.get("easting", nothing), values.get("northing", nothing)
    known = [None not in pair for pair in zip(eastings, northings, strict=True)]
    return [
        *(values[name] for name in ("urn", "name", "la_code", "la_name")),
        values.get("number", nothing),
        values["region"],
        values["phase"],
        values.get("kind_code", ["00"] * n),
        values["kind"],
        values["kind_group"],
        *(values.get(name, nothing) for name in ("status", "opened", "closed", "ukprn")),
        trusts,
        *(values.get(name, nothing) for name in ("admissions", "religion", "pupils", "town", "postcode")),
        [east if both else None for east, both in zip(eastings, known, strict=True)],
        [north if both else None for north, both in zip(northings, known, strict=True)],
        [unsaid] * n,
    ]
