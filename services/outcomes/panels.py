"""All schools of a phase with their results over the years, as arrays: what contracts are judged from."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.columns import STATES, Column, Key, Source, columns, sources
from services.outcomes.registers import Register, register
from services.outcomes.rules.agreement import Agreed
from services.outcomes.rules.comparators import FEATURES, Features, Floats, Ints
from services.outcomes.rules.gathering import Gathered, Question, gather
from services.outcomes.rules.measures import MEASURES, KeyStage, Measure
from services.outcomes.rules.population import Bools, Population, Results
from services.outcomes.rules.ringfence import assessed_on
from services.outcomes.rules.series import Reading, nearest_first, recovered
from services.outcomes.rules.values import ValueState

ON_ROLL = "CENSUS_NOR"
CENSUS_BACK = 5
UNSEEN = -1
KEPT = 40
"""Measures of a phase kept by a process: of 20,000 schools over ten years each takes some 6 MB."""
OK = STATES.index(ValueState.OK)
Of = TypeVar("Of", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """One measure of every school of a register: a row a year, a column a school, from the releases that count.

    `values` in the measure's unit, as exact as could be recovered, off by `halves` at most; `origins` are places in
    `sources`, -1 where no release has the school; `pupils` 0 where unknown, from another source where `proxies`.
    """

    measure: Measure
    sources: tuple[Source, ...]
    years: tuple[int, ...]
    states: NDArray[np.uint8]
    values: Floats
    pupils: Ints
    proxies: Bools
    halves: Floats
    origins: Ints
    releases: Mapping[int, frozenset[str]]

    def results(self) -> Results:
        """The values and pupils alone."""
        return Results(self.years, self.values, self.pupils)

    def readings(self, place: int, years: Iterable[int]) -> dict[int, Reading]:
        """What the school at a place achieved in these years, with the release of each figure."""
        return {
            year: self.reading(row, place)
            for row, year in enumerate(self.years)
            if year in years and self.origins[row, place] != UNSEEN
        }

    def reading(self, row: int, place: int) -> Reading:
        """What is known of the school at a place in the year of a row."""
        source, state = self.sources[self.origins[row, place]], STATES[self.states[row, place]]
        return Reading(
            self.years[row],
            state,
            float(self.values[row, place]) if state is ValueState.OK else None,
            int(self.pupils[row, place]) or None,
            bool(self.proxies[row, place]),
            str(source.release_id),
            source.stage,
            float(self.halves[row, place]),
        )


@dataclass(eq=False)
class Panel:
    """The schools of a phase, their intakes, and their results in the measures asked for."""

    register: Register
    observed: Mapping[str, Observed]
    populations: dict[date, tuple[Population, frozenset[str]]] = field(default_factory=dict)

    @cached_property
    def results(self) -> dict[str, Results]:
        """The results by measure; made once, since what is pooled is kept with them."""
        return {code: each.results() for code, each in self.observed.items()}

    def population(self, on: date) -> tuple[Population, frozenset[str]]:
        """The schools as they may be compared from a day on, by the last census before it, and its releases."""
        if on not in self.populations:
            year = self.census_before(on)
            found = self.register.population(on, self.intake(year))
            self.populations[on] = found, frozenset().union(*(self.releases(name, (year,)) for name in FEATURES))
        return self.populations[on]

    def census_before(self, on: date) -> int:
        """The academic year of the last census before a day, never a later one; of five years at most."""
        before = [year for year in range(on.year - CENSUS_BACK, on.year) if assessed_on(KeyStage.CENSUS, year) < on]
        taken = [year for year in before if any(self.has_values(name, year) for name in FEATURES)]
        return max(taken, default=max(before))

    def has_values(self, code: str, year: int) -> bool:
        """Whether any school has a value in that year."""
        seen = self.observed[code]
        return year in seen.years and not bool(np.isnan(seen.values[seen.years.index(year)]).all())

    def intake(self, year: int) -> Floats:
        """What every school's intake was like by the census of a year: a row a school, a column a characteristic."""
        rows = []
        for name in FEATURES:
            seen, nothing = self.observed[name], np.full(len(self.register.urns), np.nan)
            rows.append(seen.values[seen.years.index(year)] if year in seen.years else nothing)
        return np.column_stack(rows)

    def intake_at(self, place: int, year: int) -> Features:
        """What the intake of the school at a place was like by the census of a year; None where it is not known."""
        found = []
        for name in FEATURES:
            seen = self.observed[name]
            value = seen.values[seen.years.index(year), place] if year in seen.years else np.nan
            found.append(None if np.isnan(value) else float(value))
        return found

    def releases(self, code: str, years: Iterable[int]) -> frozenset[str]:
        """The releases that these years of a measure come from, and the censuses that stand in for its pupils."""
        seen = self.observed[code]
        found: frozenset[str] = frozenset().union(*(seen.releases.get(year, ()) for year in years))
        if seen.proxies.any() and code != ON_ROLL:
            found |= self.releases(ON_ROLL, self.observed[ON_ROLL].years)
        return found

    def gather(self, question: Question, urn: int, agreed: Agreed) -> "Evidence":
        """The evidence on an outcome of the school with this URN; raises KeyError for one that is not of the phase."""
        seen, place = self.observed[agreed.measure.code], self.register.place_of[urn]
        population, censuses = self.population(question.term.starts_on)
        before = agreed.baseline.years if agreed.baseline else ()
        years = sorted({*before, *range(question.term.starts_on.year - 1, question.year + 1)})
        now = self.intake_at(place, question.year)
        readings, results = seen.readings(place, years), self.results[agreed.measure.code]
        found = gather(question, agreed, place, readings, population, results, now)
        used = censuses | self.releases(agreed.measure.code, years)
        return Evidence(found, used)


class Evidence(NamedTuple):
    """What was gathered on an outcome, and every release that it comes from."""

    gathered: Gathered
    releases: frozenset[str]


class Kept(NamedTuple):
    """What the merged results of a measure are known by: they change with who is whom and with what counts."""

    continuities: bytes
    measure: str
    sources: tuple[Source, ...]


MERGED: OrderedDict[Kept, Observed] = OrderedDict()


async def panel(session: AsyncSession, phase: str, measures: Iterable[str]) -> Panel:
    """The schools of a phase with these measures and the census, as the register and current releases have them."""
    schools, counting = await register(session, phase), await sources(session)
    wanted = {code: Kept(schools.continuities, code, counting) for code in dict.fromkeys((*FEATURES, *measures))}
    lacking = [code for code, key in wanted.items() if key not in MERGED]
    found = await columns(session, lacking, counting) if lacking else {}
    observed = {code: MERGED[key] for code, key in wanted.items() if key in MERGED}
    for code in sorted(lacking, key=lambda each: each != ON_ROLL):
        census = observed.get(ON_ROLL)
        rolls = dict(zip(census.years, census.values, strict=True)) if census else {}
        observed[code] = MERGED[wanted[code]] = merged(schools, MEASURES[code], counting, found, rolls)
    while len(MERGED) > KEPT:
        MERGED.popitem(last=False)
    return Panel(schools, observed)


def merged(
    schools: Register,
    measure: Measure,
    counting: tuple[Source, ...],
    found: Mapping[Key, Column],
    rolls: Mapping[int, Floats],
) -> Observed:
    """What counts of a measure, school by school: of two releases the better, of two URNs the present one.

    `rolls` are the pupils by each census, which stand in where the table does not say how many it speaks of.
    """
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
    states, values = under_one(schools, origins, states), under_one(schools, origins, values, np.nan)
    published, origins = under_one(schools, origins, published, UNSEEN), under_one(schools, origins, origins, UNSEEN)
    values[states != OK] = np.nan
    pupils, lacking = counted(published, years, rolls, schools.on_roll)
    proxies = lacking & (origins != UNSEEN)
    exact, halves = recovered(measure, values, pupils, proxies, half_widths(measure, held)[origins])
    releases = {
        year: frozenset(str(counting[each].release_id) for each in np.unique(origins[row]).tolist() if each != UNSEEN)
        for row, year in enumerate(years)
    }
    return Observed(measure, counting, years, states, exact, pupils, proxies, halves, origins, releases)


def half_widths(measure: Measure, held: Sequence[Column]) -> Floats:
    """Half of the last place published by each release, and for none of them, in the measure's unit."""
    usual = float(measure.rounding_half_width)
    return np.array([*(usual if each.decimals is None else 0.5 * 0.1**each.decimals for each in held), usual])


def places_of(lives: Ints, order: Ints, urns: NDArray[np.int32]) -> tuple[Ints, Bools]:
    """Where these URNs stand among the lives, and which of them are there at all."""
    if not len(lives):
        return np.empty(0, dtype=np.int64), np.zeros(len(urns), dtype=np.bool_)
    at = np.minimum(np.searchsorted(lives, urns, sorter=order), len(lives) - 1)
    found = order[at]
    known: Bools = lives[found] == urns
    return found[known], known


def under_one(schools: Register, origins: Ints, rows: NDArray[Of], nothing: float = 0) -> NDArray[Of]:
    """What was observed of each life, as that of its school: the last life that has anything counts."""
    found = np.full((len(rows), len(schools.urns)), nothing, dtype=rows.dtype)
    for row in range(len(rows)):
        seen = np.flatnonzero(origins[row] != UNSEEN)
        found[row, schools.places[seen]] = rows[row, seen]
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
