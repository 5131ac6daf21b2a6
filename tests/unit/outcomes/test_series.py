import math
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.comparators import Floats, Ints
from services.outcomes.rules.measures import MEASURES, KeyStage, Measure
from services.outcomes.rules.population import Bools
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import (
    Pooled,
    Reading,
    accountable_years,
    baseline,
    baseline_years,
    denominator,
    interval,
    pool,
    published_half_width,
    recovered,
)
from services.outcomes.rules.values import ValueState


def reading(
    year: int, value: float | None, n: int | None, release: str = "r1", state: ValueState | None = None
) -> Reading:
    found = state or (ValueState.OK if value is not None else ValueState.SUPPRESSED)
    return Reading(year, found, value, n, False, release, Stage.FINAL)


def test_whose_a_year_is_hangs_on_the_day_of_the_census() -> None:
    start, end = date(2023, 9, 13), date(2024, 8, 31)
    assert accountable_years(Term(start, end), KeyStage.KS4, 2023) == ()
    assert accountable_years(Term(start, end, census=(10, 1)), KeyStage.KS4, 2023) == (2023,)


def test_proportions_are_pooled_by_pupils_not_averaged() -> None:
    years = [reading(2021, 100 * 12 / 28, 28), reading(2022, 100 * 15 / 31, 31), reading(2023, 100 * 13 / 29, 29)]
    found = pool(years)
    assert found is not None
    assert found.value == pytest.approx(45.4545, abs=1e-4)
    assert (found.n, found.years) == (88, (2021, 2022, 2023))
    bounds = interval(MEASURES["KS2_RWM_EXP"], found)
    assert (bounds.low, bounds.high) == (pytest.approx(35.5, abs=0.05), pytest.approx(55.8, abs=0.05))


def test_what_is_withheld_or_without_pupils_is_not_pooled() -> None:
    assert pool([reading(2021, None, 30), reading(2022, 50.0, 0), reading(2023, 50.0, None)]) is None
    kept = pool([reading(2021, None, 30), reading(2022, 40.0, 10, "r2")])
    assert kept == Pooled(40.0, 10, (2022,), ("r2",))


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 400)), min_size=1, max_size=5))
def test_a_pooled_value_lies_between_the_years(years: list[tuple[float, int]]) -> None:
    found = pool(reading(2015 + place, value, n) for place, (value, n) in enumerate(years))
    assert found is not None
    values = [value for value, _n in years]
    assert min(values) - 1e-9 <= found.value <= max(values) + 1e-9


def test_the_baseline_is_the_last_three_years_before_the_term() -> None:
    usable = [2016, 2017, 2018, 2019, 2020, 2021, 2022, 2023]
    assert baseline_years(usable, MEASURES["ABS_PA"], date(2023, 9, 1)) == (2018, 2021, 2022)
    assert baseline_years(usable, MEASURES["ABS_PA"], date(2023, 7, 31)) == (2017, 2018, 2021)


def test_one_year_is_no_baseline() -> None:
    assert baseline_years([2022], MEASURES["KS4_A8"], date(2023, 9, 1)) == ()
    assert baseline({2022: reading(2022, 40.0, 100)}, MEASURES["KS4_A8"], date(2023, 9, 1)) is None


def test_a_baseline_skips_years_that_were_withheld() -> None:
    readings = {2021: reading(2021, 40.0, 100), 2022: reading(2022, None, 100), 2018: reading(2018, 50.0, 100)}
    found = baseline(readings, MEASURES["KS4_A8"], date(2023, 9, 1))
    assert found is not None
    assert (found.value, found.years) == (45.0, (2018, 2021))


def test_accountable_years_are_full_years_of_the_term() -> None:
    assert accountable_years(Term(date(2023, 9, 1), date(2026, 8, 31)), KeyStage.ABSENCE, 2024) == (2023, 2024)
    assert accountable_years(Term(date(2024, 1, 1), date(2026, 8, 31)), KeyStage.ABSENCE, 2025) == (2024, 2025)
    assert accountable_years(Term(date(2023, 9, 1), date(2024, 4, 30)), KeyStage.ABSENCE, 2025) == ()


def test_progress_uses_the_national_spread() -> None:
    bounds = interval(MEASURES["KS4_P8"], Pooled(0.0925, 530, (2023,), ()))
    assert bounds.high - 0.0925 == pytest.approx(0.1206, abs=5e-5)


def test_a_baseline_is_of_one_definition_of_the_measure() -> None:
    usable = [2015, 2016, 2017, 2018]
    assert baseline_years(usable, MEASURES["KS4_P8"], date(2019, 9, 1)) == (2017, 2018)
    assert baseline_years(usable, MEASURES["KS4_A8"], date(2019, 9, 1)) == (2016, 2017, 2018)
    assert baseline_years(usable[:3], MEASURES["KS4_P8"], date(2019, 9, 1)) == ()


@given(st.integers(1, 99), st.data())
def test_whole_percentages_of_few_pupils_give_their_count_away(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    published = float(Decimal(100 * count / n).quantize(Decimal(1), ROUND_HALF_UP))
    values, halves = recovered(*known(MEASURES["KS2_RWM_EXP"], published, n))
    assert values[0] == pytest.approx(100 * count / n)
    assert halves[0] == 0.0


@given(st.integers(1, 999), st.data())
def test_percentages_with_a_decimal_place_give_the_count_of_up_to_a_thousand_away(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    published = float(Decimal(100 * count / n).quantize(Decimal("0.1"), ROUND_HALF_UP))
    values, halves = recovered(*known(MEASURES["KS4_EM95"], published, n, half=0.05))
    assert values[0] == pytest.approx(100 * count / n)
    assert halves[0] == 0.0


def test_what_a_release_says_of_its_rounding_goes_before_the_catalogue() -> None:
    values, halves = recovered(*known(MEASURES["KS4_EM95"], 51.3, 1000, half=0.05))
    assert (values[0], halves[0]) == (51.3, 0.05)
    values, halves = recovered(*known(MEASURES["KS4_A8"], 51.3, 40, half=0.05))
    assert (values[0], halves[0]) == (51.3, 0.05)


@pytest.mark.parametrize(
    ("measure", "published", "n", "proxy"),
    [
        ("KS2_RWM_EXP", 50.0, 0, False),
        ("KS2_RWM_EXP", 50.0, 100, False),
        ("KS2_RWM_EXP", 51.0, 40, True),
        ("KS2_RWM_EXP", 51.0, 3, False),
        ("ABS_PA", 51.0, 40, False),
        ("KS4_A8", 51.0, 40, False),
    ],
)
def test_what_cannot_be_recovered_stays_as_published(measure: str, published: float, n: int, proxy: bool) -> None:
    values, halves = recovered(*known(MEASURES[measure], published, n, proxy=proxy))
    assert (values[0], halves[0]) == (published, float(MEASURES[measure].rounding_half_width))


def known(
    measure: Measure, value: float, n: int, *, proxy: bool = False, half: float | None = None
) -> tuple[Measure, Floats, Ints, Bools, Floats]:
    halves = np.array([float(measure.rounding_half_width) if half is None else half])
    return measure, np.array([value]), np.array([n], dtype=np.int64), np.array([proxy]), halves


def test_rounding_widens_an_interval_in_quadrature() -> None:
    exact, rounded = Pooled(50.0, 400, (2023,), ()), Pooled(50.0, 400, (2023,), (), 0.5)
    narrow, wide = (interval(MEASURES["KS2_RWM_EXP"], each) for each in (exact, rounded))
    assert wide.high - 50 == pytest.approx(math.hypot(narrow.high - 50, 1.96 * 0.5 / math.sqrt(3)))
    assert 50 - wide.low == pytest.approx(math.hypot(50 - narrow.low, 1.96 * 0.5 / math.sqrt(3)))
    halves = [replace(reading(year, 50.0, n), half_width=0.5) for year, n in ((2022, 300), (2023, 100))]
    pooled = pool(halves)
    assert pooled is not None
    assert pooled.half_width == pytest.approx(math.hypot(0.375, 0.125))


def test_the_last_place_that_was_published_is_pooled_by_pupils() -> None:
    """Each year is off by half of its last place at most, also where its exact figure was recovered."""
    whole, to_a_place = reading(2022, 57.6, 300), replace(reading(2023, 57.6, 100), published_half_width=0.05)
    measure = MEASURES["KS4_EM95"]
    assert published_half_width(measure, [whole]) == published_half_width(measure, []) == 0.5
    assert published_half_width(measure, [to_a_place]) == 0.05
    assert published_half_width(measure, [whole, to_a_place]) == (300 * 0.5 + 100 * 0.05) / 400
    assert published_half_width(MEASURES["ABS_PA"], [whole, replace(whole, n=7)]) == 0.000005


def test_pupils_come_from_the_table_then_the_nearest_census_then_the_register() -> None:
    assert denominator(90, {2022: 800}, 850, 2022) == (90, False)
    assert denominator(None, {2018: 700, 2022: 800}, 850, 2020) == (700, True)
    assert denominator(None, {2018: 700, 2022: 800}, 850, 2023) == (800, True)
    assert denominator(None, {}, 850, 2023) == (850, True)
    assert denominator(None, {}, None, 2023) == (None, True)
