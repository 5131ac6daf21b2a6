"""Intervals, distances and effects, on worked figures."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.outcomes.rules.comparators import nearest, weighted_distance
from services.outcomes.rules.effects import difference_in_differences
from services.outcomes.rules.intervals import Interval, progress_interval, wilson

CHANGES = [6, 7, 4, 5, 9, 3, 7, 3, 9, 7]


def test_wilson_on_the_worked_figure() -> None:
    found = wilson(40, 88)
    assert (found.low, found.high) == (pytest.approx(0.355, abs=5e-4), pytest.approx(0.558, abs=5e-4))


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_within_nothing_and_all(case: tuple[int, int]) -> None:
    x, n = case
    found = wilson(x, n)
    assert 0 <= found.low <= x / n + 1e-12
    assert x / n - 1e-12 <= found.high <= 1
    scipys = stats.binomtest(x, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(scipys.low, abs=1e-9), pytest.approx(scipys.high, abs=1e-9))


@pytest.mark.parametrize(("x", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_needs_counts(x: int, n: int) -> None:
    with pytest.raises(ValueError, match="need"):
        wilson(x, n)


def test_progress_intervals_use_the_national_spread() -> None:
    found = progress_interval(0.0925, 530, 1.41628)
    assert found.high - 0.0925 == pytest.approx(0.1206, abs=5e-5)
    for n, sigma in ((0, 1.4), (10, 0)):
        with pytest.raises(ValueError, match="need"):
            progress_interval(0, n, sigma)


def test_both_ends_belong_to_an_interval() -> None:
    assert Interval(1, 2).holds(1)
    assert Interval(1, 2).holds(2)
    assert not Interval(1, 2).holds(2.001)


def test_difference_in_differences_on_the_worked_figure() -> None:
    found = difference_in_differences(42, 55, [(0, change) for change in CHANGES])
    assert (found.tau, found.k, found.df) == (7.0, 10, 9)
    assert found.se == pytest.approx(2.3190, abs=5e-5)
    assert found.t == pytest.approx(3.0185, abs=5e-5)
    assert found.p_two_sided == pytest.approx(0.0145, abs=5e-5)
    assert (found.ci95.low, found.ci95.high) == (pytest.approx(1.754, abs=5e-4), pytest.approx(12.246, abs=5e-4))
    assert (found.lower80, found.lower90) == (pytest.approx(4.951, abs=5e-4), pytest.approx(3.793, abs=5e-4))
    assert found.p_rank == pytest.approx(1 / 11)


def test_where_less_is_better_an_improvement_is_a_negative_tau() -> None:
    better = difference_in_differences(55, 42, [(0, -change) for change in CHANGES], direction=-1)
    assert (better.tau, better.p_rank) == (-7.0, pytest.approx(1 / 11))
    assert better.lower80 == pytest.approx(4.951, abs=5e-4)
    assert better.upper80 == pytest.approx(2 * 7 - 4.951, abs=5e-4)
    worse = difference_in_differences(42, 55, [(0, change) for change in CHANGES], direction=-1)
    assert worse.upper80 < 0 < -worse.lower80


def test_comparators_that_all_moved_alike_leave_no_doubt() -> None:
    assert difference_in_differences(0, 3, [(0, 1), (0, 1)]).t == math.inf
    assert difference_in_differences(0, -3, [(0, 1), (0, 1)]).t == -math.inf
    assert difference_in_differences(0, 1, [(0, 1), (0, 1)]).t == 0.0


def test_one_comparator_has_no_spread() -> None:
    with pytest.raises(ValueError, match="at least two"):
        difference_in_differences(0, 1, [(0, 1)])


rows = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3)


@given(rows, rows)
def test_distance_is_symmetric_and_nothing_from_itself(a: list[float], b: list[float]) -> None:
    weights = [0.5, 2.0, 1.0]
    assert weighted_distance(a, b, weights) == weighted_distance(b, a, weights)
    assert weighted_distance(a, a, weights) == 0
    assert weighted_distance(a, b, weights) == pytest.approx(np.linalg.norm(np.sqrt(weights) * (np.array(a) - b)))


def test_nearest_by_distance_then_by_urn_without_those_that_lack_something() -> None:
    pool = [(5, (1.0, 1.0)), (3, (1.0, 1.0)), (9, (0.0, 0.5)), (1, (None, 0.0)), (7, (0.0, 0.0)), (4, (9.0, 9.0))]
    found = nearest((7, (0.0, 0.0)), pool, [1.0, 1.0], 3)
    assert [urn for urn, _distance in found] == [9, 3, 5]
    assert found[0][1] == 0.5


def test_nearest_of_nobody() -> None:
    assert nearest((7, (0.0,)), [(1, (None,))], [1.0], 5) == []
    with pytest.raises(ValueError, match="lacks a feature"):
        nearest((7, (None,)), [], [1.0], 5)
