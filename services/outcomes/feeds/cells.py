"""The cells of a CSV file found in its bytes, so that of a wide file only those that are wanted become text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.outcomes import progress

PIECE = 2**18
"""Bytes that are looked at together: few enough for a processor to keep at hand."""
COMMA, QUOTE, RETURN, LINE = b',"\r\n'
Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Picked:
    """Some columns of a file, and how many cells each row has; the header is the first row."""

    columns: list[list[str]]
    widths: list[int]


def picked(content: bytes, encoding: str, places: Sequence[int]) -> Picked | None:
    """The columns in these places, made up with empty cells where rows are short; None for a file that is not plain.

    Plain is one in which every line is a row, and quotes stand around whole cells, or doubled in them. Such a file is
    read as the csv module reads it; blank lines are no rows. The encoding must leave ASCII as it is.
    """
    wanted = np.array(places, dtype=np.intp)[:, None]
    columns: list[list[str]] = [[] for _ in places]
    widths: list[int] = []
    at = 0
    progress.follow(lambda: at, len(content))
    for piece in pieces_of(content):
        rows = rows_of(piece)
        if rows is None:
            return None
        at += len(piece)
        widths += rows.widths
        for column, cells in zip(columns, rows.columns(wanted), strict=True):
            column.extend(texts(cells, encoding))
    return Picked(columns, widths)


def pieces_of(content: bytes) -> Iterator[Bytes]:
    """The file in pieces of whole lines; of a line that is longer than a piece, and of the last one, what there is."""
    signs, at = np.frombuffer(content, dtype=np.uint8), 0
    while at < len(content):
        end = content.rfind(b"\n", at, at + PIECE) + 1 or at + PIECE
        yield signs[at:end]
        at = end


def ends_of_lines(content: Bytes) -> Places:
    """Where line ends stand in a file."""
    pieces = range(0, len(content), PIECE)
    found = [np.flatnonzero(content[at : at + PIECE] == LINE) + at for at in pieces]
    return np.concatenate(found) if found else np.empty(0, dtype=np.intp)


def returns_in(content: Bytes) -> int:
    """How many carriage returns there are in a file."""
    pieces = range(0, len(content), PIECE)
    return sum(int(np.count_nonzero(content[at : at + PIECE] == RETURN)) for at in pieces)


def ends_of_cells(piece: Bytes) -> Places | None:
    """Where the cells of some lines end; None where quotes stand elsewhere than around cells, or take in a line end."""
    quote, line = piece == QUOTE, piece == LINE
    inside = odd(quote)
    end = (piece == COMMA) | line
    beside = end | quote
    opens, closes = quote & inside, quote > inside
    stray = (opens[1:] > beside[:-1]).any() or (closes[:-1] > (beside | (piece == RETURN))[1:]).any()
    if stray or inside[-1] or (line & inside).any():
        return None
    return np.flatnonzero(end > inside)


def odd(flags: Flags) -> Flags:
    """Whether the number of flags up to each place, with it, is odd: 64 places at a time."""
    packed = np.packbits(flags, bitorder="little")
    words = np.concatenate((packed, np.zeros(-len(packed) % 8, dtype=np.uint8))).view("<u8")
    for shift in (1, 2, 4, 8, 16, 32):
        words ^= words << shift
    words[1:] ^= -np.bitwise_xor.accumulate(words >> 63)[:-1]
    return np.unpackbits(words.view(np.uint8), count=len(flags), bitorder="little").view(np.bool_)


def rows_of(piece: Bytes) -> "Rows | None":
    """The rows of a piece; None where it is not plain."""
    if piece[-1] != LINE:
        if len(piece) == PIECE:
            return None
        piece = np.append(piece, np.uint8(LINE))
    ends = ends_of_cells(piece)
    rows = None if ends is None else Rows.of(piece, ends)
    return rows if rows and rows.returns == returns_in(piece) else None


@dataclass(frozen=True, slots=True)
class Rows:
    """Some whole lines: where their cells begin and end, and which cell is the first and the last one of each row."""

    piece: Bytes
    begins: Places
    ends: Places
    first: Places
    last: Places
    returns: int

    @classmethod
    def of(cls, piece: Bytes, ends: Places) -> "Rows":
        """The rows of a piece whose cells end here; line ends are no part of a cell, and blank lines no rows."""
        begins = np.concatenate(([0], ends[:-1] + 1))
        last = np.flatnonzero(piece[ends] == LINE)
        first = np.concatenate(([0], last[:-1] + 1))
        returns = piece[ends[last] - 1] == RETURN
        ends[last] -= returns
        rows = (last > first) | (ends[last] > begins[first])
        return cls(piece, begins, ends, first[rows], last[rows], int(returns.sum()))

    @property
    def widths(self) -> list[int]:
        """How many cells each row has."""
        widths: list[int] = (self.last - self.first + 1).tolist()
        return widths

    def columns(self, places: Places) -> Sequence[bytes]:
        """The cells in each of these places, each with a line end after it."""
        at = self.first + places
        there = at <= self.last
        at *= there
        start = self.begins[at]
        end = np.where(there, self.ends[at], start)
        quoted = (self.piece[start] == QUOTE) & (end > start)
        start, sizes = (start + quoted).ravel(), (end - start - 2 * quoted + 1).ravel()
        after = np.cumsum(sizes)
        if not len(after):
            return [b""] * len(places)
        whole = self.piece.take(np.repeat(start + sizes - after, sizes) + np.arange(after[-1]))
        whole[after - 1] = LINE
        bounds = [0, *after[len(self.first) - 1 :: len(self.first)].tolist()]
        return [whole[begin:end].tobytes() for begin, end in pairwise(bounds)]


def texts(written: bytes, encoding: str) -> list[str]:
    """Cells as text, each of which has a line end after it; quotes in them are doubled."""
    found = written.decode("ascii" if written.isascii() else encoding).split("\n")
    found.pop()
    return [each.replace('""', '"') for each in found] if b'"' in written else found
