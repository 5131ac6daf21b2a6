"""A figure as plain values: what stands where, what it says in words, and the same numbers as a table.

Coordinates are in the units of the axes. What a mark is about decides its look, which never rests on colour alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Cell = str | int | float | None
Row = Mapping[str, Cell]
Ticks = tuple[tuple[float, str], ...]


def number(row: Row, name: str) -> float:
    """A cell that holds a number."""
    return float(str(row[name]))


class About(StrEnum):
    """What a mark is about."""

    SCHOOL = "school"
    PROVISIONAL = "provisional"
    COMPARATORS = "comparators"
    BASELINE = "baseline"
    TARGET = "target"
    PATH = "path"
    LIMIT = "limit"
    OUTER_LIMIT = "outer_limit"
    RAW = "raw"
    OTHER = "other"
    NOTHING = "nothing"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined in their order; where `y` is None the line breaks off."""

    about: About
    label: str
    points: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Band:
    """An area between two lines: (x, low, high)."""

    about: About
    label: str
    points: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A place, with both ends of an interval where there is one, and a word beside it."""

    x: float
    y: float
    ends: tuple[float, float] | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """Markers; `across` says that their intervals lie along x."""

    about: About
    label: str
    points: tuple[Point, ...]
    across: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns from zero: (left, right, height)."""

    about: About
    label: str
    bars: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """A straight line through the whole panel, at a value of x (`upright`) or of y."""

    about: About
    label: str
    at: float
    upright: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A shaded stretch of x."""

    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A place on x without a value, and the reason, written where the value is missing."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Words at a place, for what has no value to be drawn."""

    x: float
    y: float
    words: str


Mark = Line | Band | Points | Bars | Guide | Span | Gap | Remark


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis counts, with its own ticks where numbers would not do, and its ends where they are given."""

    label: str
    ticks: Ticks = ()
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes with its marks, drawn in their order."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, its description in sentences, its notes and sources, and its numbers.

    Without panels there is nothing to draw, and `why` says why.
    """

    name: str
    title: str
    alt: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    why: str = ""
