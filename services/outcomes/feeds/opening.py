"""From bytes to a table: unpacking, decoding, and rows of cells, whether CSV or JSON."""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.outcomes import progress
from services.outcomes.feeds import cells
from services.outcomes.feeds.records import FeedRefused

MAX_UNPACKED = 512 * 2**20
ENCODINGS = ("utf-8", "cp1252")
UNUSED = {"cp1252": b"\x81\x8d\x8f\x90\x9d"}
"""The bytes that stand for nothing in an encoding of one byte a character."""
PIECE = 2**20
USUALLY_SHORT = 2
csv.field_size_limit(1_000_000)


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
