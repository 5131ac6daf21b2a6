"""What a verdict follows from: the question, and the evidence on each outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from services.outcomes.rules.agreement import Agreed, Run
from services.outcomes.rules.comparators import FEATURES, Features
from services.outcomes.rules.evidence import actual_readings
from services.outcomes.rules.matching import NO_MATCH, Match, match, match_listed
from services.outcomes.rules.population import Population, Results
from services.outcomes.rules.ringfence import Term, assessed_on, census_on
from services.outcomes.rules.series import Reading, pool


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged: a school's results, for which supplier, over which term, as of which academic year."""

    supplier_uid: str
    term: Term
    year: int
    run: Run


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a verdict on an outcome follows from, in plain values: the school's own results, and whom it is beside.

    `shifts` says by how many standard deviations each characteristic of its intake has moved since the term began.
    """

    readings: Mapping[int, Reading]
    match: Match
    shifts: Mapping[str, float] = field(default_factory=dict)


def gather(
    question: Question,
    agreed: Agreed,
    place: int,
    readings: Mapping[int, Reading],
    population: Population,
    results: Results,
    intake: Features,
) -> Gathered:
    """The evidence on one outcome of the school at a place: its own results, and those matched among all of its phase.

    `intake` are the characteristics of the school in the year evaluated, in the order of FEATURES.
    """
    actual, first = pool(actual_readings(question.term, agreed, question.year, readings)), agreed.baseline
    shifts = intake_shifts(population, place, intake)
    if actual is None or first is None:
        return Gathered(readings, NO_MATCH, shifts)
    window = (
        census_on(min(first.years), question.term.census),
        assessed_on(agreed.measure.key_stage, max(actual.years)),
    )
    alike = population.comparable(place, question.supplier_uid, window)
    compared = (first.value, first.years, actual.years)
    if agreed.comparators is None:
        return Gathered(readings, match(population, place, results, alike, *compared), shifts)
    return Gathered(readings, match_listed(population, place, results, alike, agreed.comparators, *compared), shifts)


def intake_shifts(population: Population, place: int, now: Features) -> dict[str, float]:
    """By how many of the population's standard deviations the intake has moved; what is not known is left out."""
    before, spreads = population.features[place], population.spreads
    found = {}
    for name, first, then, spread in zip(FEATURES, before.tolist(), now, spreads.tolist(), strict=True):
        if then is not None and spread > 0 and not np.isnan(first):
            found[name] = (then - first) / spread
    return found
