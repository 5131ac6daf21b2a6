"""Which links between establishments are a succession, and which of the two came first."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

Of = TypeVar("Of")


class Side(StrEnum):
    """What the other establishment of a link is to this one."""

    PREDECESSOR = "predecessor"
    SUCCESSOR = "successor"
    EITHER = "either"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Life:
    """When an establishment opened and closed, as far as the register knows; `closed` without a day is possible."""

    closed: bool
    opened_on: date | None
    closed_on: date | None


def linked_side(kind: str) -> Side:
    """What the register's link kind says of the establishment that is linked to.

    Sixth-form, expansion, change-of-range and closure links are no succession. `Result of Amalgamation` stands on
    both sides of a pair and says only that one came from the other.
    """
    words = kind.strip().lower()
    if words.startswith("predecessor"):
        return Side.PREDECESSOR
    if words.startswith("successor"):
        return Side.SUCCESSOR
    return Side.EITHER if words == "result of amalgamation" else Side.NEITHER


def opposite(side: Side) -> Side:
    """The same link seen from the other establishment."""
    turned = {Side.PREDECESSOR: Side.SUCCESSOR, Side.SUCCESSOR: Side.PREDECESSOR}
    return turned.get(side, side)


def resolved(side: Side, this: Life, other: Life) -> Side:
    """The side where the link leaves it open: what is closed, or closed earlier, came first; else neither is known."""
    if side is not Side.EITHER:
        return side
    if this.closed != other.closed:
        return Side.PREDECESSOR if other.closed else Side.SUCCESSOR
    if this.closed_on and other.closed_on and this.closed_on != other.closed_on:
        return Side.PREDECESSOR if other.closed_on < this.closed_on else Side.SUCCESSOR
    if this.opened_on and other.opened_on and this.opened_on != other.opened_on:
        return Side.PREDECESSOR if other.opened_on < this.opened_on else Side.SUCCESSOR
    return Side.NEITHER


def conversions(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """New URN to old URN, where one life of a school followed one other: never a merger, never a split.

    `pairs` are (older, newer), as plain predecessor and successor links state them, from either side.
    """
    told = set(pairs)
    older, newer = Counter([new for _, new in told]), Counter([old for old, _ in told])
    return {new: old for old, new in told if older[new] == newer[old] == 1}


def first_lives(urns: Collection[int], converted: dict[int, int], known: Collection[int]) -> dict[int, int]:
    """For each URN the earliest URN of the same school that is in `urns` or `known`; itself where there is none.

    Where links go round in a circle, which they do for one pair of schools, it is the lowest of its URNs.
    """
    found = dict(zip(urns, urns, strict=True))
    for urn in converted.keys() & urns:
        first, seen = urn, {urn}
        older = converted.get(urn)
        while older is not None and older not in seen and (older in urns or older in known):
            first, older = older, converted.get(older)
            seen.add(first)
            if first in known:
                break
        found[urn] = min(seen) if older in seen else first
    return found


def united(schools: Mapping[int, Of], converted: dict[int, int]) -> dict[int, Of]:
    """The URNs that must go by another school than they do: that of the first life that led to them."""
    firsts = first_lives(schools, converted, ())
    return {urn: schools[first] for urn, first in firsts.items() if schools[urn] != schools[first]}
