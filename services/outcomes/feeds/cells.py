"""The cells of a CSV file found in its bytes, so that of a wide file only those that are wanted become text."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.outcomes import progress

PIECE = 2**19
"""Bytes that are looked at together: few enough for a processor to keep at hand."""
COMMA, QUOTE, RETURN, LINE = b',"\r\n'
Bytes = NDArray[np.uint8]
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
    written: list[list[bytes]] = [[] for _ in places]
    widths: list[int] = []
    returns, at = 0, 0
    progress.follow(lambda: at, len(content))
    while at < len(content):
        end = content.rfind(b"\n", at, at + PIECE) + 1
        if not end and len(content) - at >= PIECE:
            return None
        piece = np.frombuffer(content[at:end] if end else content[at:] + b"\n", dtype=np.uint8)
        ends = ends_of_cells(piece)
        if ends is None:
            return None
        rows = Rows.of(piece, ends)
        returns += rows.returns
        widths += rows.widths
        for column, cells in zip(written, rows.columns(wanted), strict=True):
            column.append(cells)
        at = end or len(content)
    if content.count(b"\r") != returns:
        return None
    return Picked([texts(b"".join(column), encoding) for column in written], widths)


def ends_of_lines(content: Bytes) -> Places:
    """Where line ends stand in a file."""
    pieces = range(0, len(content), PIECE)
    found = [np.flatnonzero(content[at : at + PIECE] == LINE) + at for at in pieces]
    return np.concatenate(found) if found else np.empty(0, dtype=np.intp)


def ends_of_cells(piece: Bytes) -> Places | None:
    """Where the cells of some lines end; None where quotes stand elsewhere than around cells, or take in a line end."""
    quote, line = piece == QUOTE, piece == LINE
    inside = np.bitwise_xor.accumulate(quote.view(np.uint8)).view(np.bool_)
    end = (piece == COMMA) | line
    beside = end | quote
    opens, closes = quote & inside, quote > inside
    odd = (opens[1:] > beside[:-1]).any() or (closes[:-1] > (beside | (piece == RETURN))[1:]).any()
    if odd or inside[-1] or (line & inside).any():
        return None
    return np.flatnonzero(end > inside)


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
        whole = self.piece[np.repeat(start + sizes - after, sizes) + np.arange(after[-1])]
        whole[after - 1] = LINE
        bounds = [0, *after[len(self.first) - 1 :: len(self.first)].tolist()]
        return [whole[begin:end].tobytes() for begin, end in pairwise(bounds)]


def texts(written: bytes, encoding: str) -> list[str]:
    """Cells as text, each of which has a line end after it; quotes in them are doubled."""
    found = written.decode(encoding).split("\n")
    found.pop()
    return [each.replace('""', '"') for each in found] if b'"' in written else found
