"""How far published figures may be off: what a release says of its rounding, and what the catalogue says otherwise."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from services.outcomes.columns import NOTHING, STATES, Column, Key, Source
from services.outcomes.observed import half_widths, merged
from services.outcomes.plots.queries import Result
from services.outcomes.plots.yearly import exact, told
from services.outcomes.registers import Register
from services.outcomes.rules.measures import MEASURES, ON_ROLL
from services.outcomes.rules.population import Spells
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.values import ValueState

MEASURE = MEASURES["KS4_EM95"]


def test_each_release_has_the_half_width_of_its_last_place() -> None:
    told = [replace(NOTHING, decimals=places) for places in (None, 0, 1, 2, 5)]
    assert half_widths(MEASURE, told).tolist() == [0.5, 0.5, 0.05, 0.005, 0.000005, 0.5]
    assert half_widths(MEASURES["KS4_A8"], told[:1]).tolist() == [0.05, 0.05]


def schools(*urns: int) -> Register:
    """Schools that have had one URN, of no trust."""
    known, none, each = np.array(urns), np.empty(0, dtype=np.int64), np.ones(len(urns), dtype=np.bool_)
    places, nobody = np.arange(len(urns)), Spells.of([])
    at = dict(zip(urns, places.tolist(), strict=True))
    whole = (known, each, each, ~each, np.full(len(urns), 900), known, places, at)
    return Register((0, None), b"", "Secondary", *whole, {}, none, none, none, none, nobody, nobody)


def test_a_reading_says_how_it_was_published_where_the_catalogue_says_otherwise() -> None:
    """Of two schools, 33 pupils give their count away, so that the figure is exact; it was published all the same."""
    counting, found = [], {}
    for at, (year, decimals) in enumerate([(2021, None), (2022, 0), (2023, 1)]):
        source = Source(UUID(int=at), year, Stage.FINAL, (MEASURE.code,))
        values, pupils = np.array([57.6, 57.6]), np.array([33, 1801], dtype=np.int32)
        states = np.full(2, STATES.index(ValueState.OK), dtype=np.uint8)
        column = Column(np.array([100_001, 100_002], dtype=np.int32), values, pupils, states, decimals)
        counting, found[Key(source.release_id, MEASURE.code, year)] = [*counting, source], column
    seen = merged(schools(100_001, 100_002), MEASURE, tuple(counting), found, None, None)
    few, many = ([*seen.readings(place, (2021, 2022, 2023)).values()] for place in (0, 1))
    assert [each.published_half_width for each in few] == [None, None, 0.05]
    assert [each.published_half_width for each in many] == [None, None, 0.05]
    assert [each.half_width for each in few] == [0.0, 0.0, 0.0]
    assert [each.half_width for each in many] == [0.5, 0.5, 0.05]


def test_pictures_recover_the_figures_of_a_year_by_the_rounding_of_its_release() -> None:
    """By whole percents 57.6 of 40 would be 23 pupils, and of 132 nobody could tell; to one place it is the reverse."""
    told = [(40, None), (40, 1), (132, None), (132, 1), (None, 1)]
    results = [Result(MEASURE.code, 100_001, 2023, 57.6, pupils, decimals) for pupils, decimals in told]
    found = exact(MEASURE, results)
    assert [each.value for each in found] == [57.5, 57.6, 57.6, 100 * 76 / 132, 57.6]
    assert [each._replace(value=57.6) for each in found] == results


@pytest.mark.parametrize(("on_roll", "shown"), [(20, [7.5]), (10, []), (None, [])])
def test_pictures_show_no_comparator_of_few_pupils_or_of_nobody_knows_how_many(
    on_roll: int | None, shown: list[float]
) -> None:
    """Of twenty pupils two stand out; had nobody counted them, it could not be known that they do."""
    rolls = [] if on_roll is None else [Result(ON_ROLL, 100_001, 2022, on_roll, None, None)]
    results = [Result("ABS_PA", 100_001, 2023, 10.0, None, None), *rolls]
    assert [each.value for each in told(MEASURES["ABS_PA"], results)] == shown
