"""A large table read by columns: only those that a layout declares, each different cell converted once."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

from services.outcomes.feeds.opening import ENCODINGS, Table, opened
from services.outcomes.feeds.reading import SHOWN, RowRejected
from services.outcomes.feeds.records import FeedRefused, Rejection
from services.outcomes.rules.columnar import Once

Convert = Callable[[str], Any]
"""From a cell without surrounding space to its value; raises RowRejected for one that cannot be used."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one release of a feed writes its columns: for each field the name of its column; `required` must be there."""

    name: str
    columns: Mapping[str, str]
    required: tuple[str, ...]


@dataclass(slots=True)
class Columns:
    """The declared columns of a file as text, all as long as one another; `numbers` are the rows' places, from 1."""

    layout: Layout
    names: tuple[str, ...]
    numbers: Sequence[int]
    cells: Mapping[str, Sequence[str]]

    def __contains__(self, field: str) -> bool:
        """Whether the file has this field."""
        return field in self.cells

    def only(self, places: Sequence[int]) -> "Columns":
        """These rows alone."""
        if len(places) == len(self.numbers):
            return self
        pick = chosen(places)
        return Columns(
            self.layout, self.names, pick(self.numbers), {name: pick(each) for name, each in self.cells.items()}
        )


def chosen(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function that picks these places of a sequence."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda each: [each[place] for place in places]


def recognised(names: Sequence[str], layouts: Sequence[Layout]) -> Layout:
    """The first layout all of whose required columns are there; raises FeedRefused naming what the nearest lacks."""
    lacking = []
    for layout in layouts:
        missing = tuple(layout.columns[field] for field in layout.required if layout.columns[field] not in names)
        if not missing:
            return layout
        lacking.append(missing)
    raise FeedRefused("unknown_layout", "The file lacks columns that this feed needs.", min(lacking, key=len))


def columns(content: bytes, layouts: Sequence[Layout], encodings: Iterable[str] = ENCODINGS) -> Columns:
    """The columns that the file's layout declares; raises FeedRefused."""
    table = opened(content, encodings)
    if not table.names:
        raise FeedRefused("empty", "The file has no rows.")
    layout = recognised(table.names, layouts)
    places = {name: place for place, name in reversed(list(enumerate(table.names)))}
    found = {field: places[name] for field, name in layout.columns.items() if name in places}
    return Columns(layout, table.names, *gathered(table, found))


def gathered(table: Table, places: Mapping[str, int]) -> tuple[Sequence[int], dict[str, Sequence[str]]]:
    """The rows of a table by column, short rows made up with empty cells; raises FeedRefused for no rows at all."""
    found = table.picked(list(places.values()))
    if found is None:
        width, pick = max(places.values()) + 1, itemgetter(*places.values())
        rows = (row if len(row) >= width else [*row, *[""] * (width - len(row))] for row in table.rows())
        cells = list(chain.from_iterable(map(pick, rows)))
        found = [cells[at :: len(places)] for at in range(len(places))]
    if not found[0]:
        raise FeedRefused("empty", "The file has no rows.")
    return range(1, len(found[0]) + 1), dict(zip(places, found, strict=True))


def plain(pattern: str) -> re.Pattern[str]:
    """What a column is like in which every cell fits a pattern, or is empty where the pattern may be."""
    return re.compile(rf"(?:{pattern}\n)*{pattern}", re.ASCII)


URNS = plain("[1-9][0-9]{5}")


def converted(
    cells: Sequence[str], convert: Convert, numbers: re.Pattern[str] | None = None
) -> tuple[list[Any], dict[int, RowRejected]]:
    """The values of a column, and its cells that cannot be used by their place in it.

    `numbers` is what a column is like in which `convert` gives nothing but the whole number that each cell spells, or
    None where it is empty: numbers, that are seldom there twice, are then all taken at once.
    """
    if numbers and numbers.fullmatch("\n".join(cells)):
        return [int(cell) if cell else None for cell in cells], {}
    wrong: list[RowRejected] = []

    def of(cell: str) -> Any:
        try:
            return convert(cell.strip())
        except RowRejected as error:
            wrong.append(error)
            return error

    found = list(map(Once(of).__getitem__, cells))
    bad = {place: each for place, each in enumerate(found) if isinstance(each, RowRejected)} if wrong else {}
    return found, bad


def text_or_none(cells: Sequence[str]) -> list[str | None]:
    """The cells of a column that holds text, None for empty ones."""
    return [cell or None for cell in map(str.strip, cells)]


def rejected(number: int, key: str, error: RowRejected) -> Rejection:
    """The rejection of a row, or of one cell of it, known by a key."""
    return Rejection(number, key.strip()[:SHOWN] or None, error.code, error.detail)


def repeated(keys: Sequence[Any], out: Iterable[int] = ()) -> list[int]:
    """The places whose key has come before at a place that is not among those left out."""
    left_out, seen, found = set(out), set(), []
    if not left_out and len(set(keys)) == len(keys):
        return []
    for place, key in enumerate(keys):
        if place in left_out:
            continue
        if key in seen:
            found.append(place)
        seen.add(key)
    return found
