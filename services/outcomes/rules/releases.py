"""Which release counts: a later stage before an earlier one, then the later publication; never the later arrival."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
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
    LACKS_MEASURES = "lacks_measures"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a release is ranked by; `number` is the order of arrival and decides between equals only."""

    id: UUID
    stage: Stage
    published_on: date
    number: int
    values_hash: str

    @property
    def rank(self) -> tuple[int, date, int]:
        """Its place among the releases of its feed and year."""
        return (self.stage.rank, self.published_on, self.number)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a release that was read: its status, and the academic years in which it counts from now on."""

    status: Status
    reason: Reason | None
    years: tuple[int, ...]
    same_values_as: UUID | None = None

    def without(self, years: Container[int], reason: Reason) -> "Settlement":
        """The same where it does not count for these years, for a reason."""
        left = tuple(year for year in self.years if year not in years)
        return self if left == self.years else replace(self, reason=reason, years=left)


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


def confirmed(holder: Standing, again: Iterable[Standing]) -> Standing:
    """The holder as new as its values: `again` are releases that repeated them, of which those of its stage date it."""
    latest = max((holder, *(each for each in again if each.stage is holder.stage)), key=lambda each: each.rank)
    return replace(holder, published_on=latest.published_on, number=latest.number)


def settle(
    new: Standing, years: Iterable[int], holders: Mapping[int, Standing], twins: Iterable[Standing]
) -> Settlement:
    """Decide, for each academic year in the file, whether the new release counts.

    `holders` are the releases that count now, by academic year, each as new as it was `confirmed`; `twins` are earlier
    releases of the feed with the same values, in the order of their arrival.
    """
    wanted = tuple(sorted(set(years)))
    for twin in twins:
        counts = all(year in holders and holders[year].id == twin.id for year in wanted)
        if repeats(new, twin, counts):
            return Settlement(Status.SUPERSEDED, Reason.SAME_VALUES, (), twin.id)
    won = tuple(year for year in wanted if outranks(new, holders.get(year)))
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


def lacking(measures: Container[str], present: Mapping[str, int]) -> list[str]:
    """The measures that a narrower table would make vanish: it has none of them; `present` counts values that do."""
    return sorted(each for each, values in present.items() if values >= REAL_SIZE and each not in measures)
