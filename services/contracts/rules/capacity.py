"""How much a supplier can take on at once: contracts and pupils, on the fullest day of a term."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a supplier declares that it can carry on one day: contracts, and pupils in their schools."""

    contracts: int
    pupils: int


@dataclass(frozen=True, slots=True)
class Term:
    """First and last day; both belong to it."""

    starts_on: date
    ends_on: date

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True, slots=True)
class Commitment:
    """What one contract takes of a supplier's capacity over its term; `pupils` None where they are not known."""

    term: Term
    pupils: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """What is taken on the fullest day; `pupils` None where those of one school are not known."""

    contracts: int
    pupils: int | None


class CapacityExceeded(DomainError):
    """With this contract the supplier would carry more at once than it has declared that it can."""

    code = "capacity_exceeded"
    title = "The supplier has no capacity left"


class PupilsUnknown(DomainError):
    """Whether there is capacity depends on a number of pupils that nobody knows; unknown is never none."""

    code = "pupils_unknown"
    title = "The number of pupils is not known"


def peak(commitments: Iterable[Commitment], term: Term) -> Load:
    """The most contracts, and the most pupils, that are carried on any day of the term.

    The load rises only on a day on which a commitment begins, so those days and the first one are all there is to see.
    """
    near = [each for each in commitments if each.term.starts_on <= term.ends_on and each.term.ends_on >= term.starts_on]
    days = {term.starts_on, *(each.term.starts_on for each in near if each.term.starts_on in term)}
    carried = [[each for each in near if day in each.term] for day in days]
    known = all(each.pupils is not None for each in near)
    pupils = max(sum(each.pupils or 0 for each in held) for held in carried) if known else None
    return Load(max(len(held) for held in carried), pupils)


def obstacles(
    capacity: Capacity, commitments: Sequence[Commitment], term: Term, pupils: int | None
) -> list[DomainError]:
    """Why a school of so many pupils is too much over this term beside what is carried already; empty: it is not."""
    load = peak(commitments, term)
    over = f"between {term.starts_on} and {term.ends_on}"
    figures = {
        "contracts_committed": load.contracts,
        "max_contracts": capacity.contracts,
        "pupils_committed": load.pupils,
        "max_pupils": capacity.pupils,
        "pupils": pupils,
    }
    if load.contracts + 1 > capacity.contracts:
        words = f"It carries {load.contracts} of at most {capacity.contracts} contracts at once {over}."
        return [CapacityExceeded(words, **figures)]
    if pupils is None:
        return [PupilsUnknown("The register does not say how many pupils the school has.", **figures)]
    if load.pupils is None:
        words = f"How many pupils it answers for {over} is not known: one of its schools has no number in the register."
        return [PupilsUnknown(words, **figures)]
    if load.pupils + pupils > capacity.pupils:
        words = f"It answers for {load.pupils:,} of at most {capacity.pupils:,} pupils at once {over}; this school has"
        return [CapacityExceeded(f"{words} {pupils:,}.", **figures)]
    return []
