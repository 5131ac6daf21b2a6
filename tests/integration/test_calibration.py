"""Calibration: on schools that nobody was contracted for, the method must find next to nothing (METHOD.md 0).

The schools are the tenth of England's secondary schools that were worst in persistent absence when they would have
been chosen. Nobody did anything there for a contract's sake, so that every effect is spurious.
"""

import asyncio
from collections.abc import Iterable
from datetime import date

import numpy as np
import pytest

from services.kernel.auth import service_caller
from services.kernel.db import Database, role_url
from services.outcomes.panels import Panel, panel
from services.outcomes.rules.agreement import Agreed, Run, TargetMode
from services.outcomes.rules.comparators import Ints
from services.outcomes.rules.evaluation import MeasureResult, conclude_measure
from services.outcomes.rules.gathering import Question
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import baseline
from services.outcomes.rules.verdict import AddedValue, MeasureStatus
from tests.world import clone, drop

YEAR, MEASURE = 2023, MEASURES["ABS_PA"]
QUESTION = Question("0", Term(date(2023, 9, 1), date(2024, 8, 31)), YEAR, Run.FINAL)
GAIN = 5.0
"""Percentage points by which a naive contract would ask that persistent absence falls."""
NOISE = 0.02
"""What chance in some 150 schools adds to a share of one in twenty; the figures are fixed, so that nothing varies."""


Found = tuple[list[MeasureResult], list[float]]


@pytest.fixture(scope="module")
def found(owner_url: str, seeded: str) -> tuple[Found, Found]:
    """Verdicts and falls of the worst tenth of schools, and of every tenth school."""
    url = clone(owner_url, seeded)
    schools = asyncio.run(schools_of(url))
    drop(owner_url, url)
    seen = schools.observed["ABS_PA"]
    chosen_by, after = (seen.values[seen.years.index(year)] for year in (YEAR - 1, YEAR))
    usable = np.flatnonzero(schools.register.mainstream & ~np.isnan(chosen_by) & ~np.isnan(after))
    worst = usable[np.argsort(-chosen_by[usable])][: len(usable) // 10]

    def of(places: Ints) -> Found:
        judged = [judged_at(schools, place) for place in places.tolist()]
        return [each for each in judged if each.effect is not None], (chosen_by - after)[places].tolist()

    return of(worst), of(usable[::10])


async def schools_of(url: str) -> Panel:
    """All secondary schools of the sample."""
    database = Database("outcomes", role_url("outcomes", url))
    async with database.transaction(service_caller("outcomes")) as session:
        schools = await panel(session, "Secondary", ["ABS_PA"])
    await database.close()
    return schools


def judged_at(schools: Panel, place: int) -> MeasureResult:
    """The verdict on a school as if it had been contracted to fall by five points."""
    readings = schools.observed["ABS_PA"].readings(place, (YEAR - 2, YEAR - 1, YEAR))
    first = baseline(readings, MEASURE, QUESTION.term.starts_on)
    agreed = Agreed("O1", MEASURE, 1.0, False, TargetMode.CHANGE, -GAIN, first)
    evidence = schools.gather(QUESTION, int(schools.register.urns[place]), agreed)
    return conclude_measure(QUESTION, agreed, evidence.gathered)


def share(flags: Iterable[bool]) -> float:
    """How many of them are true, between 0 and 1."""
    return float(np.mean(list(flags)))


@pytest.mark.parametrize(("which", "bias"), [(0, 1.0), (1, 0.5)])
def test_nothing_was_done_and_next_to_nothing_is_found(found: tuple[Found, Found], which: int, bias: float) -> None:
    judged, _falls = found[which]
    effects = [each.effect for each in judged if each.effect is not None]
    assert len(effects) > 100
    assert abs(np.mean([each.tau for each in effects])) < bias
    assert share(each.p_rank <= 0.05 for each in effects) <= 0.05 + NOISE
    assert share(each.value_result is AddedValue.POSITIVE for each in judged) <= 0.20 + NOISE
    assert share(each.status is MeasureStatus.MET for each in judged) <= 0.21 + NOISE


def test_a_naive_rule_would_have_called_a_third_of_the_worst_a_success(found: tuple[Found, Found]) -> None:
    judged, falls = found[0]
    naive = share(each >= GAIN for each in falls)
    assert np.mean(falls) > 2.5
    assert naive > 1.5 * share(each.status is MeasureStatus.MET for each in judged)
    assert naive > 0.25
