"""Confidence intervals, with scipy as a second opinion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.outcomes.rules.intervals import (
    Interval,
    by_rounding,
    funnel_limits,
    newcombe_difference,
    overdispersion,
    progress8_band,
    progress_interval,
    wilson,
)

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.5, 0.999)


def test_three_small_years_pooled() -> None:
    found = wilson(12 + 15 + 13, 28 + 31 + 29)
    assert (round(100 * found.low, 1), round(100 * found.high, 1)) == (35.5, 55.8)


@pytest.mark.parametrize(("n", "half"), [(30, 17.9), (60, 12.7), (90, 10.3), (180, 7.3)])
def test_how_much_noise_a_cohort_has(n: int, half: float) -> None:
    # The guide's figures are Wald's; Wilson's interval at one half is narrower by the root of n / (n + z squared).
    found = wilson(n / 2, n)
    shrunk = half * (n / (n + 1.959964**2)) ** 0.5
    assert 100 * (found.high - found.low) / 2 == pytest.approx(shrunk, abs=0.06)


@given(counts, levels)
def test_wilson_agrees_with_scipy(count: tuple[int, int], level: float) -> None:
    expected = stats.binomtest(*count).proportion_ci(level, method="wilson")
    found = wilson(*count, level)
    assert found.low == pytest.approx(expected.low, abs=1e-9)
    assert found.high == pytest.approx(expected.high, abs=1e-9)


@given(counts, levels)
def test_wilson_holds_the_share_and_stays_a_share(count: tuple[int, int], level: float) -> None:
    found = wilson(*count, level)
    assert 0 <= found.low < found.high <= 1
    assert found.holds(count[0] / count[1])


@given(counts, levels)
def test_wilson_of_the_complement_is_mirrored(count: tuple[int, int], level: float) -> None:
    successes, n = count
    found, mirrored = wilson(successes, n, level), wilson(n - successes, n, level)
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)
    assert found.high == pytest.approx(1 - mirrored.low, abs=1e-9)


@given(counts)
def test_more_confidence_is_wider_and_more_pupils_are_narrower(count: tuple[int, int]) -> None:
    successes, n = count
    narrow, wide = wilson(successes, n, 0.8), wilson(successes, n, 0.95)
    assert wide.high - wide.low > narrow.high - narrow.low
    more = wilson(4 * successes, 4 * n)
    assert more.high - more.low < wide.high - wide.low


def test_nobody_and_everybody_still_leave_room() -> None:
    nobody, everybody = wilson(0, 10), wilson(10, 10)
    assert (nobody.low, everybody.high) == (0.0, 1.0)
    assert nobody.high == pytest.approx(0.27753, abs=1e-5)
    assert everybody.low == pytest.approx(1 - 0.27753, abs=1e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (1, 0), (0, -1), (-1, 5), (6, 5), (5.001, 5), (float("nan"), 5)])
def test_counts_that_cannot_be_are_refused(successes: float, n: float) -> None:
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        wilson(successes, n)


@pytest.mark.parametrize(("n", "half"), [(60, 0.358), (100, 0.278), (150, 0.227), (200, 0.196)])
def test_progress_8_is_known_this_well(n: int, half: float) -> None:
    found = progress_interval(0.0, n, 1.41628)
    assert found.high == pytest.approx(half, abs=6e-4)
    assert found.low == -found.high


def test_the_national_row_of_trusts_has_its_published_interval() -> None:
    found = progress_interval(-10377.997 / 222177, 222177, 1.41628)
    assert (round(found.low, 2), round(found.high, 2)) == (-0.05, -0.04)


@given(st.floats(-5, 5), st.integers(1, 10_000), st.floats(0.01, 10))
def test_the_progress_interval_is_1_96_standard_errors_either_side(mean: float, n: int, sigma: float) -> None:
    found = progress_interval(mean, n, sigma)
    assert (found.low + found.high) / 2 == pytest.approx(mean, abs=1e-9)
    assert (found.high - found.low) ** 2 * n == pytest.approx((3.92 * sigma) ** 2)


@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3), st.floats(0, 0.5))
def test_rounding_adds_its_variance_to_either_end(value: float, below: float, above: float, half_width: float) -> None:
    found = by_rounding(value, Interval(value - below, value + above), half_width)
    spread = (1.96 * half_width) ** 2 / 3
    assert (value - found.low) ** 2 == pytest.approx(below**2 + spread, abs=1e-9)
    assert (found.high - value) ** 2 == pytest.approx(above**2 + spread, abs=1e-9)


@pytest.mark.parametrize(("n", "sigma"), [(0, 1.4), (-1, 1.4), (10, 0), (10, -1.4)])
def test_no_pupils_or_no_spread_give_no_progress_interval(n: float, sigma: float) -> None:
    with pytest.raises(ValueError, match="need n > 0 and sigma > 0"):
        progress_interval(0.1, n, sigma)


def test_an_interval_holds_its_ends() -> None:
    found = Interval(1.0, 2.0)
    assert [found.holds(value) for value in (0.999, 1.0, 1.5, 2.0, 2.001)] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_as_newcombe_has_them(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe (1998), Statistics in Medicine 17, table II, method 10."""
    found = newcombe_difference(*first, *second)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_a_difference_turned_round_has_the_interval_turned_round(n1: int, n2: int, data: st.DataObject) -> None:
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    found, turned = newcombe_difference(x1, n1, x2, n2), newcombe_difference(x2, n2, x1, n1)
    assert (found.low, found.high) == (pytest.approx(-turned.high), pytest.approx(-turned.low))
    assert found.holds(x1 / n1 - x2 / n2)


@pytest.mark.parametrize(
    ("n", "coverage", "low", "high"),
    [
        (30, 0.95, 0.4253, 0.7736),
        (30, 0.998, 0.3207, 0.8617),
        (60, 0.95, 0.4867, 0.7323),
        (60, 0.998, 0.4139, 0.7980),
    ],
)
def test_the_worked_funnel(n: int, coverage: float, low: float, high: float) -> None:
    found = funnel_limits(0.62, n, coverage)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.floats(0, 1), st.integers(1, 500), st.sampled_from([0.8, 0.95, 0.998]))
def test_limits_hold_the_true_share_and_grow_with_coverage(p0: float, n: int, coverage: float) -> None:
    found, wider = funnel_limits(p0, n, coverage), funnel_limits(p0, n, 0.999)
    assert 0 <= wider.low <= found.low <= found.high <= wider.high <= 1
    assert found.low - 1 / n <= p0 <= found.high + 1 / n


@pytest.mark.parametrize(("p0", "n", "coverage"), [(-0.1, 10, 0.95), (1.1, 10, 0.95), (0.5, 0, 0.95), (0.5, 10, 1.0)])
def test_a_funnel_of_nothing_is_an_error(p0: float, n: int, coverage: float) -> None:
    with pytest.raises(ValueError, match="need"):
        funnel_limits(p0, n, coverage)


def test_overdispersion_draws_in_the_tails() -> None:
    assert overdispersion([2.0] * 10) == pytest.approx(4.0)
    assert overdispersion([1.0] * 50 + [1000.0]) == pytest.approx(1.0)
    chance = np.random.default_rng(3).normal(size=20_000)
    assert 0.6 < overdispersion(chance.tolist()) < 0.9
    with pytest.raises(ValueError, match="at least one"):
        overdispersion([])


@pytest.mark.parametrize(
    ("score", "low", "high", "band"),
    [
        (0.5, 0.01, 1.0, 1),
        (0.49, 0.01, 1.0, 2),
        (0.6, 0.0, 1.2, 3),
        (0.6, -0.1, 1.3, 3),
        (-0.6, -1.2, 0.0, 3),
        (-0.5, -0.9, -0.1, 4),
        (-0.51, -0.9, -0.1, 5),
    ],
)
def test_bands_of_progress_8(score: float, low: float, high: float, band: int) -> None:
    assert progress8_band(score, low, high) == band
