"""What the schools achieved in each year: a school's standing, its trend, the country's year, and chance by cohort."""

from dataclasses import dataclass

import numpy as np

from bench.england.country import FIRST_YEAR, Country
from bench.england.words import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """Results of schools in an academic year, one to a place: pupils of the cohort and figures in their unit."""

    cohorts: Ints
    standings: Floats
    share: Floats

    def points(self, mean: float, spread: float) -> Floats:
        """A measure in points, spread so much between schools."""
        found: Floats = mean + spread * self.standings
        return found


def year_of(land: Country, places: Ints, year: int, *, years_taught: int, middle: float, spread: float) -> Year:
    """Results of these schools in a year; a cohort is the roll spread over the years taught.

    `middle` and `spread` are percentages: the share reaching the standard, and its spread between schools.
    """
    rng = land.size.generator(100 + year + 10_000 * years_taught)
    cohorts = np.maximum(1, rng.poisson(land.pupils[places] / years_taught))
    standings = land.quality[places] + land.trend[places] * (year - FIRST_YEAR)
    expected = np.clip(middle + spread * standings, 3, 97) / 100
    reached = rng.binomial(cohorts, expected)
    chance = rng.normal(0, 1, len(places)) * 3 / np.sqrt(cohorts)
    return Year(cohorts, standings + chance, 100 * reached / cohorts)
