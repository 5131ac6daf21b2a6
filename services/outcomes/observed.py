"""One measure of every school over the years, merged from the releases that count."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.outcomes.columns import STATES, Column, Key, Source
from services.outcomes.registers import Register
from services.outcomes.rules.comparators import Floats, Ints
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.population import Bools, Results
from services.outcomes.rules.series import Reading, last_place, nearest_first, recovered
from services.outcomes.rules.suppression import protected, withheld
from services.outcomes.rules.values import ValueState

UNSEEN = -1
OK = STATES.index(ValueState.OK)
Of = TypeVar("Of", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One measure of every school of a register: a row a year, a column a school, from the releases that count.

    `values` in the measure's unit, as exact as could be recovered, off by `halves` at most; `fit` what others than the
    school may be told of them, which is another figure where they are `hidden`. `origins` are places in `sources`, -1
    where no release has the school; `pupils` 0 where unknown, from another source where `proxies`. `published` are half
    of the last place of each source, and of none.
    """

    measure: Measure
    sources: tuple[Source, ...]
    years: tuple[int, ...]
    states: NDArray[np.uint8]
    values: Floats
    fit: Floats
    hidden: Bools
    pupils: Ints
    proxies: Bools
    halves: Floats
    published: Floats
    origins: Ints
    releases: Mapping[int, frozenset[str]]

    def results(self) -> Results:
        """The values that others may be told and the pupils alone."""
        return Results(self.years, self.fit, self.pupils)

    def readings(self, place: int, years: Iterable[int]) -> dict[int, Reading]:
        """What the school at a place achieved in these years, with the release of each figure."""
        return {
            year: self.reading(row, place)
            for row, year in enumerate(self.years)
            if year in years and self.origins[row, place] != UNSEEN
        }

    def reading(self, row: int, place: int) -> Reading:
        """What is known of the school at a place in the year of a row."""
        origin, state = self.origins[row, place], STATES[self.states[row, place]]
        source, published = self.sources[origin], float(self.published[origin])
        return Reading(
            self.years[row],
            state,
            float(self.values[row, place]) if state is ValueState.OK else None,
            int(self.pupils[row, place]) or None,
            bool(self.proxies[row, place]),
            str(source.release_id),
            source.stage,
            float(self.halves[row, place]),
            published if published != float(self.measure.rounding_half_width) else None,
        )


def merged(
    schools: Register,
    measure: Measure,
    counting: tuple[Source, ...],
    found: Mapping[Key, Column],
    census: Observed | None,
    whole: Observed | None,
) -> Observed:
    """What counts of a measure, school by school: of two releases the better, of two URNs the one with a figure.

    Pupils by the census stand in where the table does not say how many it speaks of. `whole` is the measure of all
    pupils, of one that is about a group of them.
    """
    counting = tuple(each for each in counting if measure.code in each.measures)
    held = [found[Key(each.release_id, measure.code, each.academic_year)] for each in counting]
    years = tuple(sorted({each.academic_year for each, has in zip(counting, held, strict=True) if len(has.urns)}))
    shape = len(years), len(schools.lives)
    states, values = np.zeros(shape, dtype=np.uint8), np.full(shape, np.nan)
    published, origins = np.full(shape, UNSEEN), np.full(shape, UNSEEN)
    order = np.argsort(schools.lives)
    for at in reversed(range(len(counting))):
        column = held[at]
        places, known = places_of(schools.lives, order, column.urns)
        if known.any():
            row = years.index(counting[at].academic_year)
            states[row, places], values[row, places] = column.states[known], column.values[known]
            published[row, places], origins[row, places] = column.pupils[known], at
    lives = counting_lives(schools, origins, states)
    states, values = under_one(lives, states, 0), under_one(lives, values, np.nan)
    published, origins = under_one(lives, published, UNSEEN), under_one(lives, origins, UNSEEN)
    values[states != OK] = np.nan
    rolls = dict(zip(census.years, census.values, strict=True)) if census else {}
    pupils, lacking = counted(published, years, rolls, schools.on_roll)
    proxies = lacking & (origins != UNSEEN)
    told = half_widths(measure, held)
    exact, halves = recovered(measure, values, pupils, proxies, told[origins])
    n, wholes = pupils.astype(np.float64), beside(whole, years, proxies)
    hidden = withheld(measure, exact, n, wholes) if measure.judged else np.zeros(shape, dtype=np.bool_)
    fit = protected(measure, exact, n, wholes) if hidden.any() else exact
    releases = {
        year: frozenset(str(counting[each].release_id) for each in np.unique(origins[row]).tolist() if each != UNSEEN)
        for row, year in enumerate(years)
    }
    return Observed(
        measure, counting, years, states, exact, fit, hidden, pupils, proxies, halves, told, origins, releases
    )


def beside(whole: Observed | None, years: Sequence[int], proxies: Bools) -> tuple[Floats, Floats]:
    """Results and pupils of all pupils in the same years; NaN where either's pupils are but a proxy."""
    values, pupils = np.full(proxies.shape, np.nan), np.full(proxies.shape, np.nan)
    if whole is not None:
        for row in [row for row, year in enumerate(years) if year in whole.years]:
            there = whole.years.index(years[row])
            known = ~proxies[row] & ~whole.proxies[there]
            values[row, known], pupils[row, known] = whole.values[there, known], whole.pupils[there, known]
    return values, pupils


def half_widths(measure: Measure, held: Sequence[Column]) -> Floats:
    """Half of the last place published by each release, and for none of them, in the measure's unit."""
    return np.array([last_place(measure, each) for each in (*(column.decimals for column in held), None)])


def places_of(lives: Ints, order: Ints, urns: NDArray[np.int32]) -> tuple[Ints, Bools]:
    """Where these URNs stand among the lives, and which of them are there at all."""
    if not len(lives):
        return np.empty(0, dtype=np.int64), np.zeros(len(urns), dtype=np.bool_)
    at = np.minimum(np.searchsorted(lives, urns, sorter=order), len(lives) - 1)
    found = order[at]
    known: Bools = lives[found] == urns
    return found[known], known


def counting_lives(schools: Register, origins: Ints, states: NDArray[np.uint8]) -> Ints:
    """Which life speaks for each school in each year: the last one that has a value, else the last one with a reason.

    DfE lists a school that has converted under both its URNs, and its results under one of them. UNSEEN where no life
    was observed.
    """
    found = np.full((len(origins), len(schools.urns)), UNSEEN)
    for row in range(len(origins)):
        seen = np.flatnonzero(origins[row] != UNSEEN)
        seen = seen[np.argsort(states[row, seen] == OK, kind="stable")]
        found[row, schools.places[seen]] = seen
    return found


def under_one(lives: Ints, rows: NDArray[Of], nothing: float) -> NDArray[Of]:
    """What was observed of the lives that count, as that of their schools."""
    if not rows.shape[1]:
        return np.full(lives.shape, nothing, dtype=rows.dtype)
    found: NDArray[Of] = np.where(lives == UNSEEN, np.array(nothing, rows.dtype), np.take_along_axis(rows, lives, 1))
    return found


def counted(
    published: Ints, years: Sequence[int], rolls: Mapping[int, Floats], register_now: Ints
) -> tuple[Ints, Bools]:
    """The pupils that values speak of, and where they are only a proxy: the nearest census, else the roll now."""
    pupils, proxies = published.copy(), published < 0
    for row, year in enumerate(years):
        lacking = proxies[row].copy()
        for other in nearest_first(rolls, year):
            here = lacking & ~np.isnan(rolls[other])
            pupils[row, here] = rolls[other][here].astype(np.int64)
            lacking &= ~here
        pupils[row, lacking] = register_now[lacking]
    return pupils, proxies
