"""From bytes to cells: unpacking, decoding, finding columns by name, and the reasons why a row is left out."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.outcomes.feeds.opening import ENCODINGS, normalised, opened
from services.outcomes.feeds.records import FeedRefused, Parsed, Record, Rejection

DAY = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{4}", re.ASCII)
"""How GIAS writes most days; read so, it takes a small part of the time."""
DATE_FORMATS = ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d", "%Y%m%d")
UNKNOWN_DAY = date(1900, 1, 1)
"""GIAS writes 1 January 1900 where a day is not known."""
URN = re.compile(r"[1-9][0-9]{5}", re.ASCII)
SHOWN = 60


class RowRejected(Exception):
    """One row, or one cell of it, cannot be used; `detail` names the column and the cell only."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


TWICE = RowRejected("duplicate", "The file has this record twice; the first one is kept.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text: normalised column names, and rows that may be shorter than these."""

    layout: str
    names: tuple[str, ...]
    rows: list[list[str]]


Cells = Callable[[str], str]
"""The cell of a row in a named column: empty where the row is short or the layout lacks the column."""
Columns = Mapping[str, tuple[str, ...]]
"""For each column that a feed knows: the names it goes by in the layouts that have been seen."""


def sheet(content: bytes, encodings: Iterable[str] = ENCODINGS) -> Sheet:
    """The whole table in a file, row by row; raises FeedRefused as `opened` does, and `empty`."""
    table = opened(content, encodings)
    found = Sheet(table.form, table.names, list(table.rows()))
    if not found.rows:
        raise FeedRefused("empty", "The file has no rows.")
    return found


def located(table: Sheet, columns: Columns, required: Iterable[str]) -> dict[str, int]:
    """Where each known column stands; raises FeedRefused naming the required ones that are missing."""
    places = {name: place for place, name in reversed(list(enumerate(table.names)))}
    found = {}
    for field, names in columns.items():
        place = next((places[name] for name in names if name in places), None)
        if place is not None:
            found[field] = place
    missing = tuple(columns[field][0] for field in required if field not in found)
    if missing:
        raise FeedRefused("unknown_layout", "The file lacks columns that this feed needs.", missing)
    return found


def read(
    table: Sheet,
    columns: Columns,
    required: Iterable[str],
    *,
    make: Callable[[Cells], Iterable[Record | RowRejected] | None],
    unique: Callable[[Record], Hashable],
    again: Callable[[Record], RowRejected] | None = None,
) -> Parsed[Record]:
    """Every row made into records; `make` gives None for a row that is none of the feed's, and may raise RowRejected.

    A row with a record whose `unique` key has come before is rejected whole, so that no school is mixed of two rows;
    where records of a row stand apart, `again` says why that one is left out, and the others are kept.
    """
    places = located(table, columns, required)
    records: list[Record] = []
    rejections: list[Rejection] = []
    seen: set[Hashable] = set()
    ignored = 0
    for number, row in enumerate(table.rows, 1):

        def cell(name: str, row: list[str] = row) -> str:
            place = places.get(name)
            return row[place].strip() if place is not None and place < len(row) else ""

        try:
            made = make(cell)
            ignored += made is None
            for each in fresh(made or (), unique, seen, again):
                if isinstance(each, RowRejected):
                    rejections.append(Rejection(number, key_of(cell), each.code, each.detail))
                else:
                    records.append(each)
        except RowRejected as error:
            rejections.append(Rejection(number, key_of(cell), error.code, error.detail))
    return Parsed(table.layout, len(table.rows), ignored, tuple(records), tuple(rejections))


def fresh(
    made: Iterable[Record | RowRejected],
    unique: Callable[[Record], Hashable],
    seen: set[Hashable],
    again: Callable[[Record], RowRejected] | None,
) -> list[Record | RowRejected]:
    """What a row gave, its keys added to `seen`; of a record that came before, in the row or above it, a rejection."""
    found: list[Record | RowRejected] = []
    keys: set[Hashable] = set()
    for each in made:
        if isinstance(each, RowRejected):
            found.append(each)
            continue
        key = unique(each)
        if key not in seen and key not in keys:
            keys.add(key)
            found.append(each)
        elif again:
            found.append(again(each))
        else:
            return [TWICE]
    seen |= keys
    return found


def key_of(cell: Cells) -> str | None:
    """What a rejected row is known by: its URN or group UID."""
    return (cell("urn") or cell("uid"))[:SHOWN] or None


def urn(cell: Cells, name: str = "urn") -> int:
    """A URN; raises RowRejected for anything but six digits."""
    return urn_of(cell(name), name)


def urn_of(text: str, name: str = "urn") -> int:
    """A URN; raises RowRejected, naming the column, for anything but six digits."""
    if not URN.fullmatch(text):
        raise RowRejected("bad_urn", f"{name}: {text[:SHOWN]!r} is not a URN of six digits.")
    return int(text)


def day(cell: Cells, name: str) -> date | None:
    """A date, None where it is blank or unknown; raises RowRejected for anything else."""
    return day_of(cell(name), name)


def day_of(text: str, name: str) -> date | None:
    """A date, None where it is blank or unknown; raises RowRejected, naming the column, for anything else."""
    if not text:
        return None
    usual = f"{text[6:]}-{text[3:5]}-{text[:2]}" if DAY.fullmatch(text) else ""
    for pattern in DATE_FORMATS:
        try:
            found = date.fromisoformat(usual) if usual else datetime.strptime(text, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
        return None if found == UNKNOWN_DAY else found
    raise RowRejected("bad_date", f"{name}: {text[:SHOWN]!r} is not a date.")


def word(text: str) -> str:
    """A status or kind as one word: `Open, but proposed to close` is `open_proposed_to_close`."""
    return normalised(text.replace(", but", "").replace("but ", ""))


def code(text: str) -> str:
    """A code without the zeros and quotes that some files put before it: `01` is `1`."""
    return text.strip('"').lstrip("0") or ("0" if text else "")
