"""Which schools a contracted school is compared with: like it in intake, and in the outcome before the contract."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from services.outcomes.rules.comparators import (
    CALIPER,
    FEATURES,
    NEIGHBOURS,
    OUTCOME_LAMBDA,
    Floats,
    Ints,
    nearest_places,
    squares_from,
    weighting_of,
)
from services.outcomes.rules.population import Bools, Population, Results

WIDE_CALIPER = 2 * CALIPER
ENOUGH_FOR_RANK = 20
ENOUGH_PUPILS = 11
BALANCED = 0.25
ENOUGH_LEFT = 0.8


@dataclass(slots=True)
class Comparator:
    """A matched school with its results before and after, in the measure's unit; `distance` has no unit.

    `pre_change` is its last year before the contract less the years before that; None with a single year. Not frozen:
    a country under contract makes a million of them, and a frozen one takes three times as long.
    """

    urn: int
    distance: float
    baseline: float
    outcome: float
    baseline_n: int
    outcome_n: int
    pre_change: float | None


class Columns(NamedTuple):
    """Comparators side by side: their results before and after, and the pupils of both."""

    baselines: Floats
    outcomes: Floats
    baselines_n: Ints
    outcomes_n: Ints


@dataclass(frozen=True)
class Match:
    """The comparators, nearest first, how they were found, and how alike they are.

    `balance` gives, for each feature and the baseline, the school's distance from its comparators' mean in
    standard deviations.
    """

    comparators: tuple[Comparator, ...]
    pool_size: int
    caliper: float | None
    balance: Mapping[str, float]
    weighting: str | None
    flags: tuple[str, ...]

    @cached_property
    def columns(self) -> Columns:
        """The comparators side by side."""
        rows = [(each.baseline, each.outcome, each.baseline_n, each.outcome_n) for each in self.comparators]
        baselines, outcomes, *pupils = zip(*rows, strict=True)
        return Columns(np.array(baselines), np.array(outcomes), *(np.array(each, dtype=np.int64) for each in pupils))


NO_MATCH = Match((), 0, None, {}, None, ("no_comparators",))


@dataclass(frozen=True, eq=False)
class Pool:
    """The schools at `places` that can be compared with; results before and after are those of all of the population.

    Values in the measure's unit, NaN where a school has none; `pre_change` as in Comparator.
    """

    population: Population
    places: Ints
    before: Floats
    after: Floats
    before_n: Ints
    after_n: Ints
    pre_change: Floats

    @cached_property
    def own_before(self) -> Floats:
        """Their results before: those at `places` alone."""
        return self.before.take(self.places)

    @cached_property
    def deviation(self) -> float:
        """The spread of their results before; 0 for fewer than two."""
        n = len(self.places)
        if n < 2:
            return 0.0
        off = self.own_before - np.add.reduce(self.own_before) / n
        return math.sqrt(np.add.reduce(off * off) / (n - 1))

    def only(self, places: Ints) -> "Pool":
        """The schools at these places of the population, in this order."""
        results = (self.before, self.after, self.before_n, self.after_n, self.pre_change)
        return Pool(self.population, places, *results)

    def comparators(self, distances: Floats) -> tuple[Comparator, ...]:
        """Them all, each with its distance."""
        columns = (
            self.population.urns.take(self.places).tolist(),
            distances.tolist(),
            self.own_before.tolist(),
            self.after.take(self.places).tolist(),
            self.before_n.take(self.places).tolist(),
            self.after_n.take(self.places).tolist(),
            [None if each != each else each for each in self.pre_change.take(self.places).tolist()],  # noqa: PLR0124
        )
        return tuple(map(Comparator, *columns))


def pool_of(
    population: Population, results: Results, alike: Bools, before: Sequence[int], after: Sequence[int]
) -> Pool:
    """The comparable schools that have all features, and eleven pupils or more in every year compared."""
    first, first_n = results.pooled(before, ENOUGH_PUPILS)
    then, then_n = results.pooled(after, ENOUGH_PUPILS)
    change = results.changed(before[:-1], before[-1:], ENOUGH_PUPILS)
    known = results.known(before, after, ENOUGH_PUPILS)
    places = np.flatnonzero(alike & population.complete & known)
    return Pool(population, places, first, then, first_n, then_n, change)


def match(
    population: Population,
    place: int,
    results: Results,
    alike: Bools,
    baseline: float,
    before: Sequence[int],
    after: Sequence[int],
) -> Match:
    """The fifty nearest schools on intake and pooled baseline, within a quarter of its spread, or else half.

    `alike` says who is comparable; `baseline` is the school's own, in the measure's unit, over the years `before`;
    `after` are the years evaluated. Source: METHOD.md 3.3.
    """
    pool = pool_of(population, results, alike, before, after)
    deviation = pool.deviation
    if not population.complete[place] or deviation == 0:
        return NO_MATCH
    caliper, off = CALIPER, np.abs(pool.own_before - baseline)
    close = pool.places[off <= CALIPER * deviation]
    if len(close) < ENOUGH_FOR_RANK:
        caliper, close = WIDE_CALIPER, pool.places[off <= WIDE_CALIPER * deviation]
    near = pool.only(close)
    distances = far(near, place, baseline, deviation)
    chosen = nearest_places(distances, population.urns[close], NEIGHBOURS)
    flags = ("wide_caliper",) if caliper == WIDE_CALIPER else ()
    return matched(pool, place, near.only(close[chosen]), distances[chosen], baseline, caliper, flags)


def match_listed(
    population: Population,
    place: int,
    results: Results,
    alike: Bools,
    listed: Sequence[int],
    baseline: float,
    before: Sequence[int],
    after: Sequence[int],
) -> Match:
    """The comparators that were fixed when the outcome was agreed, in their order, less those that were lost.

    One is lost when it is comparable no more (`alike` says who is) or has no results to compare. Flagged when fewer
    than four fifths are left. How far they are off is told in the spread of all that could be compared with now, as it
    is of comparators chosen now: they themselves were chosen to differ little. Source: METHOD.md 3.8, pre-registration.
    """
    pool = pool_of(population, results, alike, before, after)
    among = pool.places[np.isin(population.urns[pool.places], listed)]
    known = dict(zip(population.urns[among].tolist(), among.tolist(), strict=True))
    left = pool.only(np.array([known[urn] for urn in listed if urn in known], dtype=np.int64))
    deviation = pool.deviation
    if not population.complete[place] or deviation == 0 or not len(among):
        return NO_MATCH
    flags = ("comparators_lost",) if len(left.places) < ENOUGH_LEFT * len(listed) else ()
    distances = far(left, place, baseline, deviation)
    return matched(pool, place, left, distances, baseline, None, flags)


def far(pool: Pool, place: int, baseline: float, deviation: float) -> Floats:
    """How far each school of the pool is from that at `place`, by intake and by its result before the contract."""
    features, weights = pool.population.features, weighting_of(pool.population.phase).of(FEATURES)
    by_intake = squares_from(features[place], features.take(pool.places, axis=0), weights)
    by_result = (OUTCOME_LAMBDA / deviation * (pool.own_before - baseline)) ** 2
    found: Floats = np.sqrt(by_intake + by_result)
    return found


def matched(
    pool: Pool,
    place: int,
    chosen: Pool,
    distances: Floats,
    baseline: float,
    caliper: float | None,
    flags: tuple[str, ...],
) -> Match:
    """The match with its balance, flagged where a feature is a quarter of a standard deviation off or more."""
    balance = balances(pool, place, chosen, baseline)
    if any(abs(value) >= BALANCED for value in balance.values()):
        flags = (*flags, "unbalanced")
    weighting = weighting_of(pool.population.phase).version
    return Match(chosen.comparators(distances), len(pool.places), caliper, balance, weighting, flags)


def balances(pool: Pool, place: int, chosen: Pool, baseline: float) -> dict[str, float]:
    """How far a school is from its comparators' means, in standard deviations; empty without comparators.

    The deviations of the features are those among all schools, that of the baseline among those it could be compared
    with.
    """
    if not len(chosen.places):
        return {}
    features, spreads = pool.population.features, pool.population.spreads
    means = (np.add.reduce(features.take(chosen.places, axis=0)) / len(chosen.places)).tolist()
    means.append(float(np.add.reduce(chosen.own_before)) / len(chosen.places))
    facts = zip((*features[place].tolist(), baseline), means, (*spreads.tolist(), pool.deviation), strict=True)
    off = [(own - mean) / spread + 0.0 if spread > 0 else 0.0 for own, mean, spread in facts]
    return dict(zip((*FEATURES, "baseline"), off, strict=True))
