"""A large file beside the one before it: lines that are there again are not read again."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_digest

from services.outcomes.feeds.cells import RETURN, ends_of_lines, returns_in
from services.outcomes.feeds.opening import encoding_of
from services.outcomes.feeds.records import FeedRefused, Parsed
from services.outcomes.rules.columnar import column
from services.outcomes.rules.statements import LANES

LINE = 16
"""Bytes of the digest by which a line is known again."""
ENTRY = np.dtype([("line", f"V{LINE}"), ("said", "<u8", LANES), ("urn", "<i4")])
Entries = NDArray[np.void]
"""Lines that each gave a record: digests of their bytes and of what the record says, and its URN."""
Parse = Callable[[bytes, Iterable[str]], Parsed[Any]]
"""Reads a file in the first of these encodings that fits."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A CSV file in lines, the header first, with a digest of each of the others; `starts` has one more: the end.

    `reading` names all that the meaning of a line depends on beside its bytes: files of one reading say the same in
    equal lines.
    """

    encoding: str
    reading: str
    content: bytes
    starts: Sequence[int]
    digests: Sequence[bytes]

    def these(self, numbers: Iterable[int]) -> bytes:
        """The header and these of the other lines, counted from 1."""
        return b"".join([self.content[self.starts[at] : self.starts[at + 1]] for at in (0, *numbers)])


@dataclass(frozen=True, slots=True)
class Known:
    """The lines of a file that was read before, and its layout."""

    layout: str
    reading: str
    entries: Entries


@dataclass(frozen=True, slots=True)
class Difference:
    """What a file says anew: `parsed` has the records of other lines only, `again` are the lines known before."""

    parsed: Parsed[Any]
    again: Entries


def split(content: bytes, code: str) -> Lines | None:
    """The lines of a file read by this version of the code; None where a line need not be a row."""
    signs, view = np.frombuffer(content, dtype=np.uint8), memoryview(content)
    ends = ends_of_lines(signs)
    starts = np.concatenate(([0], ends + 1))
    if not len(ends) or starts[-1] < len(content):
        return None
    returns = signs[ends - 1] == RETURN
    if returns_in(signs) != returns.sum() or (ends - starts[:-1] == returns).any():
        return None
    encoding, at = encoding_of(content), starts.tolist()
    reading = hashlib.sha256(f"{code}\n{encoding}\n".encode() + content[: at[1]]).hexdigest()
    found = [xxh3_128_digest(view[start:end]) for start, end in pairwise(at[1:])]
    return Lines(encoding, reading, content, at, found)


def difference(file: Lines, known: Known, parse: Parse) -> Difference | None:
    """What a file says that is not known; None where it must be read whole.

    That is where a cell takes in more than a line, and where rows stand there twice, so that their order counts.
    """
    if file.reading != known.reading or not file.digests:
        return None
    line = known.entries["line"].tobytes()
    places = {line[at : at + LINE]: at // LINE for at in range(0, len(line), LINE)}
    found = [places.get(each, -1) for each in file.digests]
    again = known.entries[[place for place in found if place >= 0]]
    numbers = [number for number, place in enumerate(found, 1) if place < 0]
    parsed: Parsed[Any] = Parsed(known.layout, 0, 0, (), ())
    if numbers:
        try:
            parsed = parse(file.these(numbers), [file.encoding])
        except FeedRefused:
            return None
    urns = [*again["urn"].tolist(), *column(parsed.records, "urn")]
    if parsed.rows != len(numbers) or len(set(urns)) < len(urns):
        return None
    return Difference(
        replace(
            parsed,
            rows=len(found),
            rejections=tuple(replace(each, row=numbers[each.row - 1]) for each in parsed.rejections),
            numbers=[numbers[each - 1] for each in parsed.numbers],
        ),
        again,
    )


def entries(file: Lines, parsed: Parsed[Any], said: NDArray[np.uint64]) -> Entries:
    """The lines that gave these records, with digests of what they say."""
    found = np.empty(len(parsed.records), dtype=ENTRY)
    line = np.frombuffer(b"".join(file.digests), dtype=ENTRY["line"])
    found["line"] = line[np.array(parsed.numbers, dtype=np.int64) - 1]
    found["said"] = said
    found["urn"] = column(parsed.records, "urn")
    return found
