"""Reading a file that came in: whole, or where it differs from the one that counts."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.outcomes import feeds
from services.outcomes.feeds import Feed
from services.outcomes.feeds.lines import Difference, Known, Lines, difference, entries, split
from services.outcomes.feeds.opening import unpacked
from services.outcomes.feeds.records import Parsed
from services.outcomes.rules import statements
from services.outcomes.rules.columnar import column
from services.outcomes.rules.releases import REFERENCE, Part
from services.outcomes.rules.statements import digests, hash_of, lines, names_of


@dataclass(frozen=True, slots=True)
class Base:
    """The release beside which a file is read, and the lines that are known from it."""

    release_id: UUID
    known: Known


def nothing() -> None:
    """Of what is read whole each time no lines are known."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read: its records, what each says as a line of text, and the hash of all that it says.

    Where it was read beside a `base`, the records are those of the lines that differ, and `again` the URNs of the
    others. `parts` counts records of both kinds. `known` finds the lines beside which the next file may be read, if
    there may be any; it takes long, and is needed last.
    """

    parsed: Parsed[Any]
    said: list[str]
    values_hash: str
    parts: Mapping[Part, int]
    known: Callable[[], Known | None] = nothing
    base: UUID | None = None
    again: Sequence[int] = ()


NOT_A_VALUE = {"raw", "unsaid"}
"""How a cell was written, and what a layout has no column for, are no part of what a record says."""


def read(feed: Feed, academic_year: int | None, content: bytes, base: Base | None = None) -> Read:
    """What a file says; raises FeedRefused when it cannot be used. Takes as long as the file is large."""
    if base and feed.parse_in:
        file = split(unpacked(content), code_version())
        found = difference(file, base.known, feed.parse_in) if file else None
        if file and found:
            return of_difference(file, found, base)
    parsed = feed.parse(content, academic_year)
    said = said_of(parsed)
    words = digests(said)
    known = partial(known_lines, content, parsed, words) if feed.parse_in else nothing
    return Read(parsed, said, hash_of(words), parts_of(parsed.records), known)


def known_lines(content: bytes, parsed: Parsed[Any], words: NDArray[np.uint64]) -> Known | None:
    """The lines of a file that was read whole; None where a line need not be a row, or does not say all."""
    file = split(unpacked(content), code_version())
    if file is None or parsed.rows != len(file.digests) or not knowable(parsed.records):
        return None
    return Known(parsed.layout, file.reading, entries(file, parsed, words))


def of_difference(file: Lines, found: Difference, base: Base) -> Read:
    """What a file says in lines that differ, together with those that do not."""
    said = said_of(found.parsed)
    whole = np.concatenate((found.again, entries(file, found.parsed, digests(said))))
    return Read(
        found.parsed,
        said,
        hash_of(whole["said"]),
        {REFERENCE: len(whole)},
        lambda: Known(found.parsed.layout, file.reading, whole),
        base.release_id,
        found.again["urn"].tolist(),
    )


def said_of(parsed: Parsed[Any]) -> list[str]:
    """What the records of a file say, as a line of text for each."""
    if not parsed.records:
        return []
    return lines(parsed.records, [name for name in names_of(parsed.records[0]) if name not in NOT_A_VALUE])


def parts_of(records: Sequence[Any]) -> dict[Part, int]:
    """How many records there are of each measure and academic year; reference data, that belongs to none, is one."""
    if not records:
        return {}
    if "measure" not in names_of(records[0]):
        return {REFERENCE: len(records)}
    counts = Counter(zip(column(records, "academic_year"), column(records, "measure"), strict=True))
    return {Part(*each): count for each, count in counts.items()}


def knowable(records: Sequence[Any]) -> bool:
    """Whether lines say which trust establishments are in and whether they are open, whatever else is known.

    What else they have no column for is left alone, and stays as it is where a line is there again.
    """
    return not records or ("trust_uid" not in records[0].unsaid and None not in column(records, "status"))


@cache
def code_version() -> str:
    """A digest of the code by which a line means what it does."""
    digest = hashlib.sha256(Path(statements.__file__).read_bytes())
    for path in sorted(Path(feeds.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
