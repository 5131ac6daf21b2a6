"""Which schools a contracted school is compared with: like it in intake, and in the outcome before the contract."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.outcomes.rules.comparators import CALIPER, CENSUS_WEIGHTS, NEIGHBOURS, OUTCOME_LAMBDA, Features, nearest
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import Pooled, Reading, covers, pool

WIDE_CALIPER = 2 * CALIPER
ENOUGH_FOR_RANK = 20
ENOUGH_PUPILS = 11
BALANCED = 0.25
ENOUGH_LEFT = 0.8
FEATURES = tuple(CENSUS_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A school that might be compared with: what it is, its intake before the contract, and its results by year.

    `features` are in the order of FEATURES; `moves` are the days on which it changed trust, `contracts` the terms
    during which it was itself under contract.
    """

    urn: int
    phase: str
    mainstream: bool
    selective: bool
    trust_uid: str | None
    moves: tuple[date, ...]
    contracts: tuple[Term, ...]
    features: Features
    readings: Mapping[int, Reading]


@dataclass(frozen=True, slots=True)
class Comparator:
    """A matched school with its results before and after, in the measure's unit; `distance` has no unit."""

    urn: int
    distance: float
    baseline: float
    outcome: float


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
    flags: tuple[str, ...]


NO_MATCH = Match((), 0, None, {}, ("no_comparators",))


def comparable(school: Candidate, other: Candidate, supplier_uid: str, window: tuple[date, date]) -> bool:
    """Whether `other` may be compared with: same phase, mainstream, as selective, left alone, and no spill-over.

    Left alone: no change of trust and no contract of its own in the years compared. Schools of the supplier are out,
    since what it does for one it may do for all (METHOD.md 3.3).
    """
    alike = other.phase == school.phase and other.selective == school.selective
    apart = other.mainstream and other.urn != school.urn and other.trust_uid != supplier_uid
    moved = any(window[0] <= day <= window[1] for day in other.moves)
    contracted = any(term.starts_on <= window[1] and term.ends_on >= window[0] for term in other.contracts)
    return alike and apart and not moved and not contracted


def spread(values: Sequence[float]) -> float:
    """Sample standard deviation; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def pooled_pairs(
    pool_: Sequence[Candidate], before: Sequence[int], after: Sequence[int]
) -> dict[int, tuple[Pooled, Pooled]]:
    """For each school with eleven pupils or more in every year, its results before and after."""
    found = {}
    for each in pool_:
        first = pool(each.readings[year] for year in before if year in each.readings)
        then = pool(each.readings[year] for year in after if year in each.readings)
        if first is not None and then is not None and covers(each.readings, [*before, *after], ENOUGH_PUPILS):
            found[each.urn] = (first, then)
    return found


def match(
    school: Candidate, candidates: Sequence[Candidate], baseline: float, before: Sequence[int], after: Sequence[int]
) -> Match:
    """The fifty nearest schools on intake and pooled baseline, within a quarter of its spread, or else half.

    `candidates` are already comparable; `baseline` is the school's own, in the measure's unit, over the years
    `before`; `after` are the years evaluated. Source: METHOD.md 3.3.
    """
    pairs = pooled_pairs(candidates, before, after)
    complete = [each for each in candidates if each.urn in pairs and None not in each.features]
    deviation = spread([pairs[each.urn][0].value for each in complete])
    if None in school.features or deviation == 0:
        return NO_MATCH
    caliper, close = CALIPER, within(complete, pairs, baseline, CALIPER * deviation)
    if len(close) < ENOUGH_FOR_RANK:
        caliper, close = WIDE_CALIPER, within(complete, pairs, baseline, WIDE_CALIPER * deviation)
    weights = [*CENSUS_WEIGHTS.values(), (OUTCOME_LAMBDA / deviation) ** 2]
    rows = [(each.urn, (*each.features, pairs[each.urn][0].value)) for each in close]
    ranked = nearest((school.urn, (*school.features, baseline)), rows, weights, NEIGHBOURS)
    comparators = tuple(Comparator(urn, distance, pairs[urn][0].value, pairs[urn][1].value) for urn, distance in ranked)
    flags = ("wide_caliper",) if caliper == WIDE_CALIPER else ()
    balance = balances(school, baseline, comparators, complete, deviation)
    if any(abs(value) >= BALANCED for value in balance.values()):
        flags = (*flags, "unbalanced")
    return Match(comparators, len(complete), caliper, balance, flags)


def match_listed(
    school: Candidate,
    listed: Sequence[int],
    candidates: Sequence[Candidate],
    baseline: float,
    before: Sequence[int],
    after: Sequence[int],
) -> Match:
    """The comparators that were fixed when the outcome was agreed, in their order, less those that were lost.

    One is lost when it is comparable no more (`candidates` are those that are) or has no results to compare. Flagged
    when fewer than four fifths are left. Source: METHOD.md 3.8, pre-registration.
    """
    pairs = pooled_pairs(candidates, before, after)
    known = {each.urn: each for each in candidates if each.urn in pairs and None not in each.features}
    left = [known[urn] for urn in listed if urn in known]
    deviation = spread([pairs[each.urn][0].value for each in left])
    if None in school.features or deviation == 0:
        return NO_MATCH
    weights = [*CENSUS_WEIGHTS.values(), (OUTCOME_LAMBDA / deviation) ** 2]
    rows = [(each.urn, (*each.features, pairs[each.urn][0].value)) for each in left]
    distances = dict(nearest((school.urn, (*school.features, baseline)), rows, weights, len(rows)))
    comparators = tuple(
        Comparator(each.urn, distances[each.urn], pairs[each.urn][0].value, pairs[each.urn][1].value) for each in left
    )
    balance = balances(school, baseline, comparators, left, deviation)
    flags = ("comparators_lost",) if len(left) < ENOUGH_LEFT * len(listed) else ()
    if any(abs(value) >= BALANCED for value in balance.values()):
        flags = (*flags, "unbalanced")
    return Match(comparators, len(left), None, balance, flags)


def within(
    schools: Sequence[Candidate], pairs: Mapping[int, tuple[Pooled, Pooled]], baseline: float, width: float
) -> list[Candidate]:
    """Schools whose own baseline lies within `width` of this one."""
    return [each for each in schools if abs(pairs[each.urn][0].value - baseline) <= width]


def balances(
    school: Candidate,
    baseline: float,
    comparators: Sequence[Comparator],
    complete: Sequence[Candidate],
    deviation: float,
) -> dict[str, float]:
    """Standardised differences between a school and its comparators' means; empty without comparators."""
    if not comparators:
        return {}
    features = {each.urn: each.features for each in complete}
    found = {}
    for place, name in enumerate(FEATURES):
        sd = spread([float(each.features[place] or 0) for each in complete])
        mean = sum(float(features[each.urn][place] or 0) for each in comparators) / len(comparators)
        found[name] = (float(school.features[place] or 0) - mean) / sd if sd else 0.0
    mean = sum(each.baseline for each in comparators) / len(comparators)
    found["baseline"] = (baseline - mean) / deviation
    return found
