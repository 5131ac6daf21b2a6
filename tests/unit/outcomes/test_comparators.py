"""Nearest schools, with numpy and scipy as a second opinion."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance

from services.outcomes.rules.comparators import (
    CALIPER,
    ENOUGH,
    FEATURES,
    NEIGHBOURS,
    OUTCOME_LAMBDA,
    PRIMARY,
    SECONDARY,
    Features,
    nearest,
    weighted_distance,
    weighting_of,
)

Pool = list[tuple[int, Features]]

features = st.lists(st.floats(-1000, 1000), min_size=3, max_size=3)
weights = st.lists(st.floats(0, 10), min_size=3, max_size=3)
rows = st.lists(st.integers(-5, 5).map(float) | st.none(), min_size=3, max_size=3)
pools = st.lists(st.tuples(st.integers(1, 40), rows), max_size=30, unique_by=lambda row: row[0])
WHOLE = st.lists(st.integers(-5, 5).map(float), min_size=3, max_size=3)


@given(features, features, weights)
def test_distance_is_symmetric_zero_on_itself_and_never_negative(
    a: list[float], b: list[float], by: list[float]
) -> None:
    assert weighted_distance(a, b, by) == weighted_distance(b, a, by) >= 0
    assert weighted_distance(a, a, by) == 0


@given(features, features, features, weights)
def test_a_detour_is_never_shorter(a: list[float], b: list[float], c: list[float], by: list[float]) -> None:
    direct = weighted_distance(a, c, by)
    assert direct <= weighted_distance(a, b, by) + weighted_distance(b, c, by) + 1e-6


@given(features, features, weights)
def test_distance_agrees_with_scipy(a: list[float], b: list[float], by: list[float]) -> None:
    assert weighted_distance(a, b, by) == pytest.approx(float(distance.euclidean(a, b, w=by)), rel=1e-9, abs=1e-9)


def test_a_distance_by_hand() -> None:
    assert weighted_distance([0, 0], [3, 4], [1, 1]) == 5
    assert weighted_distance([1, 7], [3, -100], [4, 0]) == 4
    assert weighted_distance([], [], []) == 0


@pytest.mark.parametrize(("b", "by"), [([1.0], [1.0, 1.0]), ([1.0, 2.0], [1.0])])
def test_features_and_weights_must_match(b: list[float], by: list[float]) -> None:
    with pytest.raises(ValueError, match="zip"):
        weighted_distance([1.0, 2.0], b, by)


@given(WHOLE, pools, st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=3, max_size=3), st.integers(1, 30))
def test_the_nearest_are_sorted_complete_and_never_the_school_itself(
    own: list[float], pool: Pool, by: list[float], k: int
) -> None:
    found = nearest((7, own), pool, by, k)
    whole = {urn: [value for value in row if value is not None] for urn, row in pool if None not in row and urn != 7}
    expected = sorted((weighted_distance(own, row, by), urn) for urn, row in whole.items())
    assert len(found) == min(k, len(expected))
    assert [urn for urn, _ in found] == [urn for _, urn in expected][:k]
    assert [far for _, far in found] == pytest.approx([far for far, _ in expected][:k])
    assert found == nearest((7, own), pool[::-1], by, k)


@given(WHOLE, pools)
def test_asking_for_more_only_adds(own: list[float], pool: Pool) -> None:
    by = [1.0, 1.0, 1.0]
    assert nearest((7, own), pool, by, 50)[:5] == nearest((7, own), pool, by, 5)


def test_ties_go_by_urn_whatever_the_order_of_the_pool() -> None:
    pool: Pool = [(30, (1.0,)), (10, (-1.0,)), (20, (1.0,)), (5, (2.0,)), (40, (0.0,))]
    assert nearest((1, (0.0,)), pool, [4.0], 4) == [(40, 0.0), (10, 2.0), (20, 2.0), (30, 2.0)]


def test_a_school_without_a_feature_is_left_out_and_one_with_zero_is_not() -> None:
    pool: Pool = [(2, (None, 0.0)), (3, (0.0, 0.0)), (4, (0.0, None))]
    assert nearest((1, (0.0, 0.0)), pool, [1.0, 1.0], 50) == [(3, 0.0)]


@pytest.mark.parametrize("pool", [[], [(1, (0.0,))], [(2, (None,))]])
def test_a_pool_of_nobody_gives_nobody(pool: Pool) -> None:
    assert nearest((1, (0.0,)), pool, [1.0], 50) == []


def test_a_treated_school_without_a_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="treated school lacks a feature"):
        nearest((1, (0.0, None)), [(2, (0.0, 0.0))], [1.0, 1.0], 50)


def test_the_weights_are_one_over_the_squared_published_spreads() -> None:
    spreads = {
        "CENSUS_FSM": 14.20985,
        "CENSUS_EAL": 18.06654,
        "CENSUS_SEN_SUPPORT": 5.70462,
        "CENSUS_EHCP": 1.96881,
        "CENSUS_NOR": 392.46604,
    }
    assert set(FEATURES) == spreads.keys()
    for code, spread in spreads.items():
        assert 1 / math.sqrt(SECONDARY.weights[code]) == pytest.approx(spread)


def test_primary_schools_are_compared_by_the_weights_that_dfe_uses_for_them() -> None:
    assert PRIMARY.of(FEATURES).tolist() == [5.26760083e-4, 9.9477003e-5, 2.18607623e-3, 4.63726593e-3, 6.03098922e-7]
    for phase in ("Primary", "Middle deemed primary"):
        assert weighting_of(phase) is PRIMARY
    for phase in ("Secondary", "All-through", "Middle deemed secondary"):
        assert weighting_of(phase) is SECONDARY


def test_the_parameters_of_matching_are_the_methods() -> None:
    assert (OUTCOME_LAMBDA, CALIPER, NEIGHBOURS, ENOUGH) == (3.0, 0.25, 50, 10)


def test_thousands_of_schools_agree_with_a_plain_sort() -> None:
    generator = np.random.default_rng(20190831)
    matrix = generator.normal(size=(3000, 5))
    by = SECONDARY.of(FEATURES).tolist()
    pool: Pool = [(urn, tuple(row)) for urn, row in enumerate(matrix.tolist(), start=100000)]
    own = tuple(generator.normal(size=5).tolist())
    expected = sorted((weighted_distance(own, [float(value or 0) for value in row], by), urn) for urn, row in pool)
    assert [urn for urn, _ in nearest((1, own), pool, by, 50)] == [urn for _, urn in expected[:50]]
