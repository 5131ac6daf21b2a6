"""A supplier's track record: by the verdicts on its contracts, never by its growth, and shrunk towards the others'.

One contract that went well says little. So a share of successes is drawn towards the mean of all suppliers, as if
each had four contracts of average success beside its own (a Beta prior; METHOD.md 3.7 on shrinkage).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import scipy

STRENGTH = 4.0
"""How many contracts of average success are added to a supplier's own."""
PARTLY = 0.5
"""What a contract partly met counts for, beside 1 for one that was met."""
INTERVAL = 0.9
"""The share of the posterior between `low` and `high`: from its 5th to its 95th percentile."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Contracts counted: all that were agreed, those with a final verdict by verdict, and those still running."""

    contracts: int = 0
    met: int = 0
    partly_met: int = 0
    not_met: int = 0
    not_measurable: int = 0
    running: int = 0

    @property
    def judged(self) -> int:
        """How many verdicts say something; a verdict of not measurable is no failure, and no success."""
        return self.met + self.partly_met + self.not_met

    @property
    def credit(self) -> float:
        """How many successes they come to."""
        return self.met + PARTLY * self.partly_met


@dataclass(frozen=True, slots=True)
class Prior:
    """What is expected of a supplier of whom nothing is known: a share of successes, worth so many contracts."""

    mean: float
    strength: float


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """A tally with the share of successes that it lets expect, and how sure that is."""

    tally: Tally
    estimate: float
    low: float
    high: float
    prior: Prior


def prior(tallies: Iterable[Tally]) -> Prior:
    """The mean of all suppliers. One half-success is added, so that it is ½ where there is none, and never 0 or 1."""
    every = list(tallies)
    judged = sum(each.judged for each in every)
    return Prior((sum(each.credit for each in every) + 0.5) / (judged + 1), STRENGTH)


def track_record(tally: Tally, before: Prior) -> TrackRecord:
    """The posterior of the share of successes: its mean, and the interval that holds 90% of it."""
    successes = before.strength * before.mean + tally.credit
    failures = before.strength * (1 - before.mean) + tally.judged - tally.credit
    tail = (1 - INTERVAL) / 2
    low, high = (float(scipy.special.betaincinv(successes, failures, share)) for share in (tail, 1 - tail))
    return TrackRecord(tally, successes / (successes + failures), low, high, before)


@dataclass(frozen=True, slots=True)
class Records:
    """The tallies of all suppliers, whole and by intervention, and what they let expect of each."""

    whole: Mapping[str, Tally]
    by_intervention: Mapping[tuple[str, str], Tally]

    def of(self, uid: str, intervention: str | None = None) -> TrackRecord:
        """The record of a supplier, or of those of its contracts that had an intervention."""
        found = self.whole.get(uid) if intervention is None else self.by_intervention.get((uid, intervention))
        return track_record(found or Tally(), prior(self.whole.values()))
