"""From bytes to cells: unpacking, decoding, finding columns by name, and the reasons why a row is left out."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.outcomes import progress
from services.outcomes.feeds import cells
from services.outcomes.feeds.records import FeedRefused, Parsed, Record, Rejection

MAX_UNPACKED = 512 * 2**20
ENCODINGS = ("utf-8", "cp1252")
UNUSED = {"cp1252": b"\x81\x8d\x8f\x90\x9d"}
"""The bytes that stand for nothing in an encoding of one byte a character."""
PIECE = 2**20
DAY = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})", re.ASCII)
"""How GIAS writes most days; read so, it takes a small part of the time."""
DATE_FORMATS = ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d", "%Y%m%d")
UNKNOWN_DAY = date(1900, 1, 1)
"""GIAS writes 1 January 1900 where a day is not known."""
URN = re.compile(r"[1-9][0-9]{5}", re.ASCII)
SHOWN = 60
USUALLY_SHORT = 2
csv.field_size_limit(1_000_000)


class RowRejected(Exception):
    """One row, or one cell of it, cannot be used; `detail` names the column and the cell only."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was opened: its form (csv or json), normalised column names, and its rows, to be read once.

    `picked` gives the columns in some places, made up with empty cells where rows are short, or None where that would
    take no less time than reading the rows.
    """

    form: str
    names: tuple[str, ...]
    rows: Callable[[], Iterator[list[str]]]
    picked: Callable[[Sequence[int]], list[list[str]] | None] = lambda _places: None


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


def unpacked(content: bytes) -> bytes:
    """The bytes without gzip; raises FeedRefused for a cut or broken archive and for what is no text at all."""
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                content = file.read(MAX_UNPACKED + 1)
        except EOFError as error:
            raise FeedRefused("truncated", "The archive ends in the middle: only a part of the file came.") from error
        except (OSError, zlib.error) as error:
            raise FeedRefused("unreadable", "The archive is damaged.") from error
    if len(content) > MAX_UNPACKED:
        raise FeedRefused("unreadable", "Unpacked, the file is larger than 512 MiB.")
    if content.startswith(b"PK\x03\x04"):
        raise FeedRefused("unreadable", "This is a spreadsheet or a zip archive; send the CSV file.")
    if b"\x00" in content[:4096]:
        raise FeedRefused("unreadable", "The file holds bytes that no text has.")
    if content.lstrip()[:1] == b"<":
        raise FeedRefused("unreadable", "This is a web page, not a data file.")
    return content


def encoding_of(content: bytes, encodings: Iterable[str] = ENCODINGS) -> str:
    """The first encoding that fits; raises FeedRefused when none does."""
    for encoding in encodings:
        if content.isascii() or fits(content, encoding):
            return encoding
    raise FeedRefused(
        "wrong_encoding", f"The file is not {' or '.join(encodings)}; was it saved again by another program?"
    )


def fits(content: bytes, encoding: str) -> bool:
    """Whether the bytes are text in an encoding; looked for piece by piece where that must be tried: it shows early."""
    if encoding in UNUSED:
        return not any(each in content for each in UNUSED[encoding])
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for at in range(0, len(content), PIECE):
            decoder.decode(content[at : at + PIECE], at + PIECE >= len(content))
    except UnicodeDecodeError:
        return False
    return True


def normalised(name: str) -> str:
    """A column's name in one spelling: `Group Type (code)` and `group_type__code_` are both `group_type_code`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def opened(content: bytes, encodings: Iterable[str] = ENCODINGS) -> Table:
    """The table in a file: CSV, or a JSON array of objects; packed by gzip or not.

    Raises FeedRefused (`unreadable`, `truncated`, `wrong_encoding`).
    """
    content = unpacked(content)
    encoding = encoding_of(content, encodings)
    if encoding == "utf-8":
        content = content.removeprefix(codecs.BOM_UTF8)
    is_json = content[:200].decode(encoding, "ignore").lstrip()[:1] == "["
    return from_json(content.decode(encoding)) if is_json else from_csv(content, encoding)


def sheet(content: bytes, encodings: Iterable[str] = ENCODINGS) -> Sheet:
    """The whole table in a file, row by row; raises FeedRefused as `opened` does, and `empty`."""
    table = opened(content, encodings)
    found = Sheet(table.form, table.names, list(table.rows()))
    if not found.rows:
        raise FeedRefused("empty", "The file has no rows.")
    return found


def from_csv(content: bytes, encoding: str) -> Table:
    """A CSV file, read on as its rows are asked for; blank lines are no rows."""
    reader = csv.reader(text_lines(content, encoding), strict=True)
    rows = csv_rows(reader)
    header = next(rows, [])

    def picked(places: Sequence[int]) -> list[list[str]] | None:
        found = cells.picked(content, encoding, places)
        if found is None:
            return None
        if not content.endswith(b"\n"):
            check_end(found.widths[1:], len(header))
        return [column[1:] for column in found.columns]

    names = tuple(normalised(name) for name in header)
    return Table("csv", names, lambda: uncut(content, len(header), rows), picked)


def text_lines(content: bytes, encoding: str) -> Iterator[str]:
    """The lines of a file with their ends, as they come in any system."""
    at = content.find(b"\n") + 1
    first = content[:at]
    if first.count(b"\r") > first.endswith(b"\r\n"):
        at = 0
    elif at:
        yield first.decode(encoding)
    if content.count(b"\r") != content.count(b"\r\n"):
        yield from io.StringIO(content[at:].decode(encoding), newline="")
        return
    progress.follow(lambda: at, len(content))
    while end := content.find(b"\n", at) + 1:
        yield content[at:end].decode(encoding)
        at = end
    if at < len(content):
        yield content[at:].decode(encoding)


def csv_rows(reader: Any) -> Iterator[list[str]]:
    """Rows of a CSV file; a quotation that never ends is a cut file."""
    try:
        for row in reader:
            if row:
                yield row
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise FeedRefused("truncated", "The file ends in the middle of a cell.") from error
        raise FeedRefused("unreadable", f"Line {reader.line_num} is not CSV: {error}.") from error


def uncut(content: bytes, width: int, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows; raises FeedRefused when the last one breaks off."""
    if content.endswith(b"\n"):
        yield from rows
        return
    widths = []
    for row in rows:
        widths.append(len(row))
        yield row
    check_end(widths, width)


def check_end(widths: Sequence[int], width: int) -> None:
    """Raise FeedRefused when the last row, whose line has no end, breaks off.

    Some published files end without a line end, and a cell or two short; others have many short rows.
    """
    if widths and widths[-1] < width - USUALLY_SHORT and widths.count(widths[-1]) == 1:
        raise FeedRefused("truncated", "The last row ends in the middle: only a part of the file came.")


def from_json(text: str) -> Table:
    """A JSON array of flat objects; null is an empty cell."""
    try:
        found: Any = json.loads(text)
    except RecursionError as error:
        raise FeedRefused("unreadable", "The JSON is nested too deeply to be a table.") from error
    except ValueError as error:
        if not text.rstrip().endswith("]"):
            raise FeedRefused("truncated", "The JSON array never ends: only a part of the file came.") from error
        raise FeedRefused("unreadable", "The file is not valid JSON.") from error
    if not all(isinstance(each, dict) for each in found):
        raise FeedRefused("unknown_layout", "The JSON array holds other things than objects.")
    names = tuple({name: None for each in found for name in each})
    rows = [["" if each.get(name) is None else str(each[name]) for name in names] for each in found]
    if not all(encodable(each) for row in rows for each in row):
        raise FeedRefused("wrong_encoding", "The JSON holds half of a character (a lone surrogate).")
    return Table("json", tuple(normalised(name) for name in names), lambda: iter(rows))


def encodable(text: str) -> bool:
    """Whether the text can be written as UTF-8: JSON can spell what it cannot."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


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
) -> Parsed[Record]:
    """Every row made into records; `make` gives None for a row that is none of the feed's, and may raise RowRejected.

    A row with a record whose `unique` key has come before is rejected whole, so that no school is mixed of two rows.
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
            for each in fresh(made or (), unique, seen):
                if isinstance(each, RowRejected):
                    rejections.append(Rejection(number, key_of(cell), each.code, each.detail))
                else:
                    records.append(each)
        except RowRejected as error:
            rejections.append(Rejection(number, key_of(cell), error.code, error.detail))
    return Parsed(table.layout, len(table.rows), ignored, tuple(records), tuple(rejections))


def fresh(
    made: Iterable[Record | RowRejected], unique: Callable[[Record], Hashable], seen: set[Hashable]
) -> list[Record | RowRejected]:
    """What a row gave, its keys added to `seen`; raises RowRejected when one of them was there before."""
    found = list(made)
    for each in found:
        if not isinstance(each, RowRejected) and unique(each) in seen:
            raise RowRejected("duplicate", "The file has this record twice; the first one is kept.")
    seen.update(unique(each) for each in found if not isinstance(each, RowRejected))
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
    usual = DAY.fullmatch(text)
    for pattern in DATE_FORMATS:
        try:
            found = date(*map(int, usual.groups()[::-1])) if usual else datetime.strptime(text, pattern).date()  # noqa: DTZ007
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
