"""Difference in differences, with scipy and numpy as a second opinion."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.outcomes.rules.effects import Effect, difference_in_differences

CHANGES = (6, 7, 4, 5, 9, 3, 7, 3, 9, 7)
TEN = [(40.0 + place, 40.0 + place + change) for place, change in enumerate(CHANGES)]
scores = st.integers(0, 100).map(float)
pairs = st.lists(st.tuples(scores, scores), min_size=2, max_size=40)


def t_of(effect: Effect, level: float) -> float:
    return float(stats.t.ppf(level, effect.df))


def test_ten_comparators_worked_by_hand() -> None:
    found = difference_in_differences(42, 55, TEN)
    assert (found.k, found.df) == (10, 9)
    assert found.tau == pytest.approx(7.0)
    assert found.se == pytest.approx(2.3190, abs=5e-5)
    assert found.t == pytest.approx(3.0185, abs=5e-5)
    assert found.p_two_sided == pytest.approx(0.0145, abs=5e-5)
    assert (round(found.ci95.low, 3), round(found.ci95.high, 3)) == (1.754, 12.246)
    assert round(found.lower80, 3) == 4.951
    assert round(found.lower90, 3) == 3.793
    assert found.p_rank == pytest.approx(1 / 11)


def test_the_upper_bound_mirrors_the_lower_one() -> None:
    found = difference_in_differences(42, 55, TEN)
    assert found.upper80 == pytest.approx(7 + t_of(found, 0.8) * found.se)
    assert found.lower80 == pytest.approx(7 - t_of(found, 0.8) * found.se)
    assert found.lower90 == pytest.approx(7 - t_of(found, 0.9) * found.se)
    assert found.ci80.low == pytest.approx(found.lower90)


@given(scores, scores, pairs)
def test_the_effect_agrees_with_numpy_and_scipy(
    baseline: float, outcome: float, others: list[tuple[float, float]]
) -> None:
    found = difference_in_differences(baseline, outcome, others)
    before, after = np.array(others).T
    changes, k = after - before, len(others)
    assert found.tau == pytest.approx(outcome - baseline - np.mean(changes), abs=1e-9)
    assert found.se == pytest.approx(math.sqrt(np.var(changes, ddof=1) * (1 + 1 / k)), abs=1e-9)
    for level, interval in ((0.8, found.ci80), (0.9, found.ci90), (0.95, found.ci95)):
        if found.se > 1e-9:
            low, high = stats.t.interval(level, k - 1, loc=found.tau, scale=found.se)
            assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    if found.se > 1e-9:
        assert found.t * found.se == pytest.approx(found.tau, abs=1e-9)
        assert found.p_two_sided == pytest.approx(2 * stats.t.cdf(-abs(found.tau / found.se), k - 1), abs=1e-9)
    better = sum(change >= outcome - baseline for change in changes)
    assert found.p_rank == pytest.approx((1 + better) / (k + 1))
    assert 1 / (k + 1) <= found.p_rank <= 1
    assert 0 <= found.p_two_sided <= 1


@given(scores, scores, pairs)
def test_less_is_better_is_the_mirror_image_of_more_is_better(
    baseline: float, outcome: float, others: list[tuple[float, float]]
) -> None:
    more = difference_in_differences(-baseline, -outcome, [(-before, -after) for before, after in others], 1)
    less = difference_in_differences(baseline, outcome, others, -1)
    assert less.tau == pytest.approx(-more.tau, abs=1e-9)
    assert (less.p_rank, less.k) == (more.p_rank, more.k)
    for name in ("se", "lower80", "lower90", "upper80"):
        assert getattr(less, name) == pytest.approx(getattr(more, name), abs=1e-9)


@given(scores, scores, pairs, st.integers(-50, 50))
def test_what_happens_to_everybody_changes_nothing(
    baseline: float, outcome: float, others: list[tuple[float, float]], shift: int
) -> None:
    found = difference_in_differences(baseline, outcome, others)
    moved = difference_in_differences(baseline, outcome + shift, [(b, a + shift) for b, a in others])
    assert moved.tau == pytest.approx(found.tau, abs=1e-9)
    assert moved.se == pytest.approx(found.se, abs=1e-9)
    assert moved.p_rank == found.p_rank


def test_the_order_of_comparators_does_not_matter() -> None:
    found = {round(difference_in_differences(1, 5, list(order)).t, 9) for order in permutations(TEN[:4])}
    assert len(found) == 1


def test_a_fall_in_absence_is_an_improvement_and_keeps_its_sign() -> None:
    others = [(30.0, 30.0 - change) for change in CHANGES]
    found = difference_in_differences(42, 29, others, -1)
    assert found.tau == pytest.approx(-7.0)
    assert found.lower80 == pytest.approx(4.951, abs=5e-4)
    assert found.upper80 == pytest.approx(9.049, abs=5e-4)
    assert found.ci95.low == pytest.approx(-12.246, abs=5e-4)
    assert found.p_rank == pytest.approx(1 / 11)


def test_the_rank_counts_those_that_did_as_well() -> None:
    others = [(0.0, change) for change in (1.0, 2.0, 3.0, 4.0)]
    ranks = [difference_in_differences(0, own, others).p_rank for own in (5, 4, 3, 2.5, 1, 0)]
    assert ranks == [1 / 5, 2 / 5, 3 / 5, 3 / 5, 1.0, 1.0]


def test_a_tie_is_a_tie_in_spite_of_binary_fractions() -> None:
    assert 0.3 - 0.1 != 0.2
    found = difference_in_differences(0.0, 0.2, [(0.1, 0.3), (0.0, 0.2), (0.0, 0.0)])
    assert found.p_rank == 3 / 4
    below = difference_in_differences(0.0, 0.2, [(0.1, 0.3), (0.0, 0.2), (0.0, 0.0)], -1)
    assert below.p_rank == 1.0


@pytest.mark.parametrize(("outcome", "t", "p"), [(5.0, math.inf, 0.0), (-5.0, -math.inf, 0.0), (1.0, 0.0, 1.0)])
def test_comparators_that_all_changed_alike_leave_no_doubt(outcome: float, t: float, p: float) -> None:
    found = difference_in_differences(0.0, outcome, [(3.0, 4.0), (5.0, 6.0), (0.0, 1.0)])
    assert (found.se, found.t, found.p_two_sided) == (0.0, t, p)
    assert found.lower80 == found.upper80 == found.tau == outcome - 1


@pytest.mark.parametrize("others", [[], [(1.0, 2.0)]])
def test_fewer_than_two_comparators_have_no_spread(others: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="at least two comparators"):
        difference_in_differences(0.0, 1.0, others)
