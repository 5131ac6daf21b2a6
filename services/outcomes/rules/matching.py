"""Which schools a contracted school is compared with: like it in intake, and in the outcome before the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.outcomes.rules.comparators import (
    CALIPER,
    FEATURES,
    NEIGHBOURS,
    OUTCOME_LAMBDA,
    Floats,
    Ints,
    distances_from,
    nearest_places,
    weighting_of,
)
from services.outcomes.rules.population import Bools, Population, Results

WIDE_CALIPER = 2 * CALIPER
ENOUGH_FOR_RANK = 20
ENOUGH_PUPILS = 11
BALANCED = 0.25
ENOUGH_LEFT = 0.8


@dataclass(frozen=True, slots=True)
class Comparator:
    """A matched school with its results before and after, in the measure's unit; `distance` has no unit.

    `pre_change` is its last year before the contract less the years before that; None with a single year.
    """

    urn: int
    distance: float
    baseline: float
    outcome: float
    baseline_n: int
    outcome_n: int
    pre_change: float | None


@dataclass(frozen=True, slots=True)
class Match:
    """The comparators, nearest first, how they were found, and how alike they are.

    `balance` gives, for each feature and the baseline, the school's distance from its comparators' mean in
    standard deviations of the pool.
    """

    comparators: tuple[Comparator, ...]
    pool_size: int
    caliper: float | None
    balance: Mapping[str, float]
    weighting: str | None
    flags: tuple[str, ...]


NO_MATCH = Match((), 0, None, {}, None, ("no_comparators",))


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The schools that can be compared with, with results before and after; the same place is the same school."""

    population: Population
    places: Ints
    before: Floats
    after: Floats
    before_n: Ints
    after_n: Ints
    pre_change: Floats

    @property
    def features(self) -> Floats:
        """Their characteristics, a row each."""
        found: Floats = self.population.features[self.places]
        return found

    def deviation(self) -> float:
        """The spread of their results before; 0 for fewer than two."""
        return float(self.before.std(ddof=1)) if len(self.before) > 1 else 0.0

    def only(self, places: Ints) -> "Pool":
        """The schools at these places of the pool, in this order."""
        return Pool(
            self.population,
            self.places[places],
            self.before[places],
            self.after[places],
            self.before_n[places],
            self.after_n[places],
            self.pre_change[places],
        )

    def comparators(self, distances: Floats) -> tuple[Comparator, ...]:
        """Them all, each with its distance."""
        columns = (
            self.population.urns[self.places].tolist(),
            distances.tolist(),
            self.before.tolist(),
            self.after.tolist(),
            self.before_n.tolist(),
            self.after_n.tolist(),
            [None if np.isnan(each) else each for each in self.pre_change.tolist()],
        )
        return tuple(Comparator(*row) for row in zip(*columns, strict=True))


def pool_of(
    population: Population, results: Results, alike: Bools, before: Sequence[int], after: Sequence[int]
) -> Pool:
    """The comparable schools that have all features, and eleven pupils or more in every year compared."""
    first, first_n = results.pooled(before, ENOUGH_PUPILS)
    then, then_n = results.pooled(after, ENOUGH_PUPILS)
    whole = ~np.isnan(first) & ~np.isnan(then) & ~np.isnan(population.features).any(axis=1)
    change = np.full(len(first), np.nan)
    if len(before) > 1:
        change = results.pooled(before[-1:], ENOUGH_PUPILS)[0] - results.pooled(before[:-1], ENOUGH_PUPILS)[0]
    everyone = Pool(population, np.arange(len(first)), first, then, first_n, then_n, change)
    return everyone.only(np.flatnonzero(alike & whole))


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
    features, pool = population.features[place], pool_of(population, results, alike, before, after)
    deviation = pool.deviation()
    if np.isnan(features).any() or deviation == 0:
        return NO_MATCH
    caliper, off = CALIPER, np.abs(pool.before - baseline)
    close = np.flatnonzero(off <= CALIPER * deviation)
    if len(close) < ENOUGH_FOR_RANK:
        caliper, close = WIDE_CALIPER, np.flatnonzero(off <= WIDE_CALIPER * deviation)
    near = pool.only(close)
    distances = far(population, features, near, baseline, deviation)
    chosen = nearest_places(distances, population.urns[near.places], NEIGHBOURS)
    flags = ("wide_caliper",) if caliper == WIDE_CALIPER else ()
    return matched(population, place, pool, near.only(chosen), distances[chosen], baseline, caliper, flags)


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
    than four fifths are left. Source: METHOD.md 3.8, pre-registration.
    """
    pool = pool_of(population, results, alike, before, after)
    known = {int(urn): at for at, urn in enumerate(population.urns[pool.places])}
    left = pool.only(np.array([known[urn] for urn in listed if urn in known], dtype=np.int64))
    deviation, features = left.deviation(), population.features[place]
    if np.isnan(features).any() or deviation == 0:
        return NO_MATCH
    flags = ("comparators_lost",) if len(left.places) < ENOUGH_LEFT * len(listed) else ()
    distances = far(population, features, left, baseline, deviation)
    return matched(population, place, left, left, distances, baseline, None, flags)


def far(population: Population, features: Floats, pool: Pool, baseline: float, deviation: float) -> Floats:
    """How far each school of the pool is, by intake and by its result before the contract."""
    weights = np.append(weighting_of(population.phase).of(FEATURES), (OUTCOME_LAMBDA / deviation) ** 2)
    rows = np.column_stack((pool.features, pool.before))
    return distances_from(np.append(features, baseline), rows, weights)


def matched(
    population: Population,
    place: int,
    pool: Pool,
    chosen: Pool,
    distances: Floats,
    baseline: float,
    caliper: float | None,
    flags: tuple[str, ...],
) -> Match:
    """The match with its balance, flagged where a feature is a quarter of a standard deviation off or more."""
    balance = balances(population.features[place], baseline, pool, chosen)
    if any(abs(value) >= BALANCED for value in balance.values()):
        flags = (*flags, "unbalanced")
    weighting = weighting_of(population.phase).version
    return Match(chosen.comparators(distances), len(pool.places), caliper, balance, weighting, flags)


def balances(features: Floats, baseline: float, pool: Pool, chosen: Pool) -> dict[str, float]:
    """Standardised differences between a school and its comparators' means; empty without comparators."""
    if not len(chosen.places):
        return {}
    own = np.append(features, baseline)
    spreads = np.column_stack((pool.features, pool.before)).std(axis=0, ddof=1)
    means = np.column_stack((chosen.features, chosen.before)).mean(axis=0)
    off = np.divide(own - means, spreads, out=np.zeros_like(own), where=spreads > 0)
    return dict(zip((*FEATURES, "baseline"), off.tolist(), strict=True))
