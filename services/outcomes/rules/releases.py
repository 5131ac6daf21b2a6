"""Which release counts: a later stage before an earlier one, then the later publication; never the later arrival."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

REFERENCE_YEAR = 0
"""Stands for the academic year of reference data, which belongs to none."""
REAL_SIZE = 100
MUCH_SMALLER = 0.6
MANY_GONE = 0.1
MOSTLY = 0.5


class Stage(StrEnum):
    """How far a publication has come (METHOD.md 1.4)."""

    PROVISIONAL = "provisional"
    REVISED = "revised"
    FINAL = "final"

    @property
    def rank(self) -> int:
        """Its place in the order of stages."""
        return RANKS[self]


RANKS = {stage: rank for rank, stage in enumerate(Stage)}


class Status(StrEnum):
    """What became of a release."""

    INGESTING = "ingesting"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a release is not current, or not for all of its years."""

    SAME_VALUES = "same_values"
    OLDER_SNAPSHOT = "older_snapshot"
    REPLACED = "replaced"
    MOSTLY_REJECTED = "mostly_rejected"
    MUCH_SMALLER = "much_smaller"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a release is ranked by; `number` is the order of arrival and decides between equals only.

    `published_on` is the last day on which its values were published: a release that says the same again dates them.
    """

    id: UUID
    stage: Stage
    published_on: date
    number: int
    values_hash: str

    @property
    def rank(self) -> tuple[int, date, int]:
        """Its place among the releases of its feed and year."""
        return (self.stage.rank, self.published_on, self.number)


class Part(NamedTuple):
    """What counts of a release by itself: a measure in an academic year; reference data is one part."""

    academic_year: int
    measure: str = ""


REFERENCE = Part(REFERENCE_YEAR)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a release that was read: its status, and the parts in which it counts from now on."""

    status: Status
    reason: Reason | None
    parts: tuple[Part, ...]
    same_values_as: UUID | None = None

    @property
    def years(self) -> tuple[int, ...]:
        """The academic years of these parts."""
        return tuple(sorted({each.academic_year for each in self.parts}))

    def without(self, years: Container[int], reason: Reason) -> "Settlement":
        """The same where it does not count for these years, for a reason."""
        left = tuple(each for each in self.parts if each.academic_year not in years)
        return self if left == self.parts else replace(self, reason=reason, parts=left)


def outranks(new: Standing, holder: Standing | None) -> bool:
    """Whether `new` counts instead of `holder`."""
    return holder is None or new.rank > holder.rank


def repeats(new: Standing, twin: Standing, twin_counts: bool) -> bool:
    """Whether `new` adds nothing to `twin`: the same values, at no later stage, and no newer than what counts.

    The same values at a later stage do add something: they are now revised, or final. The same values published
    again after others had replaced them add something too: the publisher went back to them.
    """
    if new.values_hash != twin.values_hash or new.stage.rank > twin.stage.rank:
        return False
    return twin_counts or new.rank[:2] <= twin.rank[:2]


def confirmed(twin: Standing, again: Standing) -> Standing:
    """The release as new as its values, which another has said again: at its own stage that dates it."""
    dated = again.stage is twin.stage and again.published_on > twin.published_on
    return replace(twin, published_on=again.published_on) if dated else twin


def settle(
    new: Standing, parts: Iterable[Part], holders: Mapping[Part, Standing], twins: Iterable[Standing]
) -> Settlement:
    """Decide, for each part of the file, whether the new release counts: a narrower table takes nothing else away.

    `holders` are the releases that count now; `twins` are earlier releases of the feed with the same values, in the
    order of their arrival.
    """
    wanted = tuple(sorted(set(parts)))
    for twin in twins:
        counts = all(part in holders and holders[part].id == twin.id for part in wanted)
        if repeats(new, twin, counts):
            return Settlement(Status.SUPERSEDED, Reason.SAME_VALUES, (), twin.id)
    won = tuple(part for part in wanted if outranks(new, holders.get(part)))
    if won:
        return Settlement(Status.CURRENT, None, won)
    return Settlement(Status.SUPERSEDED, Reason.OLDER_SNAPSHOT, ())


def mostly_rejected(rows: int, ignored: int, rejected_rows: int) -> bool:
    """Whether a file is too broken to count: every row of it left out, or more than half of a file of real size."""
    candidates = rows - ignored
    if rejected_rows >= candidates:
        return True
    return candidates >= REAL_SIZE and rejected_rows > candidates * MOSTLY


def much_smaller(new: int, present: int) -> bool:
    """Whether a file has so many fewer records than the one that it would replace that it must be a fragment.

    Files of fewer than 100 records are let through: they are samples, and half of little is little.
    """
    return present >= REAL_SIZE and new < present * MUCH_SMALLER


def a_part(gone: int, present: int) -> bool:
    """Whether a file lacks so many of those that were present that they need not be gone: it may be a part of all.

    Stricter than whether it may count, since something is concluded from each. Samples are let through here too.
    """
    return present >= REAL_SIZE and gone > present * MANY_GONE
