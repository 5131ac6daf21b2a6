"""All schools of a phase with their results over the years, as arrays: what contracts are judged from."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.columns import Source, columns, sources
from services.outcomes.observed import Observed, merged
from services.outcomes.registers import Register, register
from services.outcomes.rules.agreement import Agreed
from services.outcomes.rules.comparators import FEATURES, Features, Floats
from services.outcomes.rules.gathering import Gathered, Question, gather
from services.outcomes.rules.measures import MEASURES, ON_ROLL, KeyStage
from services.outcomes.rules.population import Population, Results
from services.outcomes.rules.ringfence import assessed_on

CENSUS_BACK = 5
KEPT = 40
"""Measures of a phase kept by a process: of 20,000 schools over ten years each takes some 6 MB."""


@dataclass(eq=False)
class Panel:
    """The schools of a phase, their intakes, and their results in the measures asked for."""

    register: Register
    observed: Mapping[str, Observed]
    populations: dict[date, tuple[Population, frozenset[str]]] = field(default_factory=dict)
    origins: dict[tuple[str, tuple[int, ...]], frozenset[str]] = field(default_factory=dict)

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

    def releases(self, code: str, years: Sequence[int]) -> frozenset[str]:
        """The releases that these years of a measure come from, and the censuses that stand in for its pupils."""
        asked = code, tuple(years)
        if asked not in self.origins:
            seen = self.observed[code]
            found: frozenset[str] = frozenset().union(*(seen.releases.get(year, ()) for year in years))
            if seen.measure.part_of is not None:
                found |= self.releases(seen.measure.part_of, years)
            if seen.proxies.any() and code != ON_ROLL:
                found |= self.releases(ON_ROLL, self.observed[ON_ROLL].years)
            self.origins[asked] = found
        return self.origins[asked]

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
    asked = dict.fromkeys((*FEATURES, *measures))
    asked |= dict.fromkeys(whole for each in asked if (whole := MEASURES[each].part_of) is not None)
    wanted = {code: Kept(schools.continuities, code, counting) for code in asked}
    lacking = [code for code, key in wanted.items() if key not in MERGED]
    found = await columns(session, lacking, counting) if lacking else {}
    observed = {code: MERGED[key] for code, key in wanted.items() if key in MERGED}
    for code in sorted(lacking, key=lambda each: (each != ON_ROLL, MEASURES[each].part_of is not None)):
        beside = observed.get(ON_ROLL), observed.get(MEASURES[code].part_of or "")
        observed[code] = MERGED[wanted[code]] = merged(schools, MEASURES[code], counting, found, *beside)
    while len(MERGED) > KEPT:
        MERGED.popitem(last=False)
    return Panel(schools, observed)
