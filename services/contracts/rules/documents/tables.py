"""Tables for spreadsheets and finance packages: CRLF, the right encoding, and no cell that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

Cell = str | int | Decimal | date | None
RUN = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


def guarded(words: str) -> str:
    """Text that no spreadsheet runs: control characters become spaces, and a formula gets an apostrophe before it."""
    flat = "".join(" " if ord(sign) < 32 or ord(sign) == 127 else sign for sign in words)
    return f"'{flat}" if words.startswith(RUN) or flat.lstrip().startswith(RUN) else flat


def cell(value: Cell) -> str:
    """A value as it stands in the file; numbers and dates are never text that could be run."""
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else str(value)


def csv_bytes(rows: Iterable[Sequence[Cell]], encoding: str = "utf-8") -> bytes:
    """Rows as CSV (RFC 4180); a sign that the encoding does not have becomes a question mark."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode(encoding, "replace")
