"""The names and codes that DfE's files use, and columns of text made of them."""

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data"
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

SAINTS = ("Mary", "Peter", "Paul", "John", "Anne", "Joseph", "James", "Michael", "Thomas", "Andrew", "George", "Hilda")
PLACES = ("Park", "Hill", "Lane", "Green", "Bridge", "Wood", "Field", "Brook", "Cross", "Moor", "Dale", "Heath")
TREES = ("Oak", "Ash", "Elm", "Beech", "Hazel", "Holly", "Rowan", "Willow", "Cedar", "Lime", "Maple", "Birch")
FIRST = ("Alex", "Ben", "Carol", "David", "Elaine", "Farah", "Gareth", "Helen", "Imran", "Julie", "Karen", "Liam")
LAST = (
    "Archer",
    "Barlow",
    "Clarke",
    "Dhillon",
    "Evans",
    "Foster",
    "Grant",
    "Hughes",
    "Ingram",
    "Jones",
    "Khan",
    "Lowe",
)
APOSTROPHE = "\u2019"
"""The curly one, which makes these files cp1252."""


def lines(name: str) -> tuple[str, ...]:
    """The lines of a data file."""
    return tuple((DATA / name).read_text(encoding="utf-8").splitlines())


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a data file with a header."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def texts(values: Iterable[object]) -> Texts:
    """These values as an array of text."""
    found = [str(value) for value in values]
    answer = np.empty(len(found), dtype=object)
    answer[:] = found
    return answer


def drawn(rng: np.random.Generator, pool: Sequence[str], n: int, filled: float = 1.0) -> Texts:
    """`n` cells out of a pool, a share of them filled and the others empty."""
    places = rng.integers(0, len(pool), n)
    if filled < 1:
        places[rng.random(n) >= filled] = len(pool)
    return texts((*pool, ""))[places]


def joined(*parts: Texts | str) -> Texts:
    """Texts put together, row by row."""
    n = max(len(part) for part in parts if not isinstance(part, str))
    rows = [[part] * n if isinstance(part, str) else part.tolist() for part in parts]
    return texts("".join(row) for row in zip(*rows, strict=True))


def days(ordinals: Ints, pattern: str = "%d-%m-%Y") -> Texts:
    """Days as GIAS writes them; 0 stands for none."""
    known = {0: ""}
    for each in np.unique(ordinals[ordinals > 0]).tolist():
        day = np.datetime64("1970-01-01") + (each - EPOCH)
        known[each] = day.item().strftime(pattern)
    return texts(known[each] for each in ordinals.tolist())


EPOCH = 719163
"""The ordinal of 1 January 1970."""


def ordinal(year: int, month: int, day: int) -> int:
    """A day as a number."""
    return int((np.datetime64(f"{year:04d}-{month:02d}-{day:02d}") - np.datetime64("1970-01-01")).astype(int)) + EPOCH


def percent(values: Floats, sign: str = "%") -> Texts:
    """Shares as whole percentages."""
    return texts(f"{value:.0f}{sign}" for value in np.rint(values).tolist())
