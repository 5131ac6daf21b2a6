"""One school's results over the years, and what several years add up to: pupils pooled, never percentages averaged."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

import numpy as np

from services.outcomes.rules.comparators import Floats, Ints
from services.outcomes.rules.intervals import Interval, by_rounding, progress_interval, wilson
from services.outcomes.rules.measures import KeyStage, Kind, Measure
from services.outcomes.rules.population import Bools
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import ContractRole, Term, assessed_on, census_on, contract_role
from services.outcomes.rules.values import ValueState

BASELINE_YEARS = 3
BASELINE_NEEDED = 2
EVALUATION_YEARS = 2
NOT_USABLE = frozenset({2019, 2020})
"""Academic years 2019/20 and 2020/21 were never published for accountability (METHOD.md 1.1)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A measure in one academic year: `value` in its unit over `n` pupils, or the reason for its absence.

    `n_is_proxy` means that the pupils were counted by the census, not by the table that holds the value;
    `half_width` is how far the value may be off by rounding, 0 where the exact figure was recovered;
    `published_half_width` is half of the last place of the figure as it was published, None where that is as the
    catalogue has it.
    """

    year: int
    state: ValueState
    value: float | None
    n: int | None
    n_is_proxy: bool
    release_id: str
    stage: Stage
    half_width: float = 0.0
    published_half_width: float | None = None

    @property
    def usable(self) -> bool:
        """Whether there is a value and a number of pupils to weigh it by."""
        return self.state is ValueState.OK and self.value is not None and self.n is not None and self.n > 0


YEAR = attrgetter("year")


@dataclass(frozen=True, slots=True)
class Pooled:
    """Several years as one: the value in the measure's unit, over how many pupils, from which releases.

    `half_width` is how far the value may be off by rounding alone.
    """

    value: float
    n: int
    years: tuple[int, ...]
    releases: tuple[str, ...]
    half_width: float = 0.0


def pool(readings: Iterable[Reading]) -> Pooled | None:
    """Pupils of usable readings pooled (sum of n times value over sum of n); None when there is none.

    For proportions this is the sum of numerators over the sum of denominators (METHOD.md 3.1).
    """
    usable = sorted([each for each in readings if each.usable], key=YEAR)
    if not usable:
        return None
    facts = [(each.n or 0, each.value or 0.0, each.half_width) for each in usable]
    n = sum([own for own, _value, _half in facts])
    value = sum([own * value for own, value, _half in facts]) / n
    releases = tuple(sorted({each.release_id for each in usable}))
    half_width = math.sqrt(sum([(own * half / n) ** 2 for own, _value, half in facts]))
    return Pooled(value, n, tuple([each.year for each in usable]), releases, half_width)


def last_place(measure: Measure, decimals: int | None) -> float:
    """Half of the last place published: by the `decimals` that a release tells, or as the catalogue has it."""
    return float(measure.rounding_half_width if decimals is None else Decimal(5).scaleb(-1 - decimals))


def published_half_width(measure: Measure, readings: Sequence[Reading]) -> float:
    """By how much a target may be missed by rounding alone: half of the last place published, of several years pooled.

    Also where exact figures were recovered, since a target is agreed in the figures that are published (METHOD.md 1.4).
    """
    usual = float(measure.rounding_half_width)
    n = sum(each.n or 0 for each in readings)
    halves = [usual if each.published_half_width is None else each.published_half_width for each in readings]
    off = sum((each.n or 0) * half for each, half in zip(readings, halves, strict=True))
    return round(off / n, TWELVE_PLACES) if n else usual


TWELVE_PLACES = 12
"""Enough for every half of a last place, and too few for what floats add to it."""
WHOLE_PERCENT = Decimal("0.5")
FLOAT_NOISE = 1e-9


def recovered(measure: Measure, values: Floats, pupils: Ints, proxies: Bools, halves: Floats) -> tuple[Floats, Floats]:
    """The exact percentages behind rounded ones, and how far each may still be off by rounding.

    `halves` are half of the last place published. Of fewer pupils than there are steps of it in 100 (100 for whole
    numbers, 1,000 for one decimal place), only one count can round to a value. Where none does, the pupils are not
    those of the figure, and it stays as it was published (METHOD.md 1.1).
    """
    if measure.kind is not Kind.PROPORTION or measure.rounding_half_width != WHOLE_PERCENT:
        return values, halves
    n = np.maximum(pupils, 1)
    exact = 100 * np.rint(values * n / 100) / n
    few = (pupils > 0) & (pupils * 2 * halves < 100 - FLOAT_NOISE)
    found = few & ~proxies & (np.abs(exact - values) <= halves + FLOAT_NOISE)
    return np.where(found, exact, values), np.where(found, 0.0, halves)


def baseline_years(usable: Iterable[int], measure: Measure, starts_on: date) -> tuple[int, ...]:
    """The last three usable years whose results were all there before the term began, earliest first.

    All of one version of the measure. Fewer than two: none, since a single bad year would be judged against its own
    recovery (METHOD.md 3.1, 3.2).
    """
    before = {year for year in usable if assessed_on(measure.key_stage, year) < starts_on} - NOT_USABLE
    alike = [year for year in sorted(before) if measure.unchanged((year, max(before)))]
    found = tuple(alike[-BASELINE_YEARS:])
    return found if len(found) >= BASELINE_NEEDED else ()


def baseline(readings: Mapping[int, Reading], measure: Measure, starts_on: date) -> Pooled | None:
    """What a school achieved before the term; None without two usable years."""
    usable = [year for year, reading in readings.items() if reading.usable]
    return pool(readings[year] for year in baseline_years(usable, measure, starts_on))


@lru_cache(maxsize=4096)
def accountable_years(term: Term, key_stage: KeyStage, year: int) -> tuple[int, ...]:
    """Academic years up to `year` for which the supplier answers, earliest first (METHOD.md 2.2)."""
    return tuple(
        each
        for each in range(term.starts_on.year - 1, year + 1)
        if contract_role(term, census_on(each, term.census), assessed_on(key_stage, each)) is ContractRole.ACCOUNTABLE
    )


def interval(measure: Measure, pooled: Pooled) -> Interval:
    """The 95% interval of a pooled value, in the measure's unit: Wilson for percentages, national spread for means.

    What rounding may have taken is added in quadrature (a third of its half width squared, METHOD.md 1.4). Absence is
    a share of sessions; its interval is reckoned over pupils, who are what varies, and so errs wide.
    """
    if measure.kind is Kind.PROPORTION:
        share = min(max(pooled.value / 100, 0.0), 1.0)
        found = wilson(share * pooled.n, pooled.n)
        found = Interval(found.low * 100, found.high * 100)
    else:
        found = progress_interval(pooled.value, pooled.n, measure.over(pooled.years).pupil_sd)
    return by_rounding(pooled.value, found, pooled.half_width)


def denominator(
    published: int | None, census: Mapping[int, int], on_roll: int | None, year: int
) -> tuple[int | None, bool]:
    """The pupils that a value speaks of, and whether they are only a proxy.

    Where the table does not publish them: the census of the same or the nearest year (the earlier of two), else the
    register's present number on roll.
    """
    if published is not None:
        return published, False
    if census:
        return census[nearest_first(census, year)[0]], True
    return on_roll, True


def nearest_first(years: Iterable[int], year: int) -> list[int]:
    """These years in the order of their distance from `year`; the earlier of two."""
    return sorted(years, key=lambda each: (abs(each - year), each))
