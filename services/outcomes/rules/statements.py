"""What records say, as text: one line a record, written one way, so that equal values are equal text."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.outcomes.rules.columnar import Once, column

NOTHING = r"\N"
ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
ESCAPES = str.maketrans(ESCAPED)
LANES = 4
"""Words of 64 bits of a record's digest, summed up each for itself."""


def text(value: Any) -> str:
    """A value as text in PostgreSQL's COPY format: nothing is not the empty text, and 45 is 45.0."""
    if value is None:
        return NOTHING
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    return str(value).translate(ESCAPES) if isinstance(value, str) else str(value)


def lines(records: Sequence[Any], names: Sequence[str]) -> list[str]:
    """What each record says in these fields, separated by tabs."""
    return list(map("\t".join, zip(*(texts(column(records, name)) for name in names), strict=True)))


def texts(values: Sequence[Any]) -> list[str]:
    """Values as text; each different one is written once, and plain text is not looked at one by one."""
    if plain(values):
        return list(values)
    kinds = set(map(type, values))
    if kinds == {int}:
        return list(map(str, values))
    if kinds == {int, NoneType}:
        return [NOTHING if each is None else str(each) for each in values]
    if kinds == {str, NoneType} and plain(filter(None, values)):
        return [NOTHING if each is None else each for each in values]
    return list(map(Once(text).__getitem__, values))


def plain(values: Iterable[Any]) -> bool:
    """Whether all values are text in which nothing is to be escaped."""
    try:
        whole = "".join(values)
    except TypeError:
        return False
    return not any(sign in whole for sign in ESCAPED)


def names_of(record: Any) -> tuple[str, ...]:
    """The fields of a record, whether it is a named tuple or a dataclass."""
    return tuple(record._fields) if hasattr(record, "_fields") else tuple(each.name for each in fields(record))


def digests(said: Iterable[str]) -> NDArray[np.uint64]:
    """A digest (BLAKE2b) of what each record says, in words; `said` are lines."""
    found = b"".join([hashlib.blake2b(line.encode(), digest_size=8 * LANES).digest() for line in said])
    return np.frombuffer(found, dtype="<u8").reshape(-1, LANES)


def hash_of(words: NDArray[np.uint64]) -> str:
    """A hash over what records say, whatever their order: 64 hexadecimal digits.

    Digests are summed up, so that the order does not matter and a record counts as often as it is there.
    """
    summed = words.sum(axis=0, dtype=np.uint64).tobytes()
    return hashlib.sha256(len(words).to_bytes(8, "little") + summed).hexdigest()


def values_hash(said: Iterable[str]) -> str:
    """The hash over what records say."""
    return hash_of(digests(said))
