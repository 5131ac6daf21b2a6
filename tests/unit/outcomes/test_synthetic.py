"""Mixtures of donors: exact, and judged by what would have come of any donor."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.effects import synthetic_control
from services.outcomes.rules.synthetic import nearest_mixture, placebo_rank

BEFORE = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
DONORS = {
    "a": [8.0, 9.0, 10.0, 11.0, 12.0, 13.0],
    "b": [14.0, 15.0, 16.0, 17.0, 18.0, 19.0],
    "c": [30.0, 1.0, 30.0, 1.0, 30.0, 1.0],
}


def test_a_school_that_is_a_mixture_is_found_to_be_one() -> None:
    found = synthetic_control(BEFORE, DONORS, [18.0, 19.0], {"a": [14.0, 15.0], "b": [20.0, 21.0], "c": [9.0, 9.0]})
    assert found.weights == pytest.approx({"a": 2 / 3, "b": 1 / 3}, abs=1e-9)
    assert found.pre_rmspe == pytest.approx(0, abs=1e-9)
    assert found.gaps == pytest.approx((2.0, 2.0))
    assert (found.effect, found.usable, found.dominated) == (pytest.approx(2.0), True, True)


def test_too_few_years_or_a_bad_fit_are_not_usable() -> None:
    short = synthetic_control(
        BEFORE[:4], {name: each[:4] for name, each in DONORS.items()}, [1.0], {n: [1.0] for n in DONORS}
    )
    assert not short.usable
    far = synthetic_control([90.0] * 6, DONORS, [1.0], {name: [1.0] for name in DONORS})
    assert not far.usable
    alone = synthetic_control(BEFORE, {"a": BEFORE}, [20.0], {"a": [18.0]})
    assert (alone.weights, alone.effect, alone.dominated) == ({"a": 1.0}, 2.0, True)


series = st.lists(st.floats(-100, 100), min_size=3, max_size=3)


@given(series, st.lists(series, min_size=1, max_size=12))
def test_no_other_mixture_is_nearer(target: list[float], columns: list[list[float]]) -> None:
    own, matrix = np.array(target), np.array(columns).T
    weights = nearest_mixture(own, matrix)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    gradient = matrix.T @ (matrix @ weights - own)
    slack = gradient - gradient @ weights
    assert slack.min() >= -1e-7 * (1 + np.abs(matrix).max() ** 2 + np.abs(own).max() ** 2)
    distance = np.linalg.norm(matrix @ weights - own)
    others = np.random.default_rng(1).dirichlet(np.ones(matrix.shape[1]), 50)
    assert distance <= min(np.linalg.norm(matrix @ each - own) for each in (*others, *np.eye(matrix.shape[1]))) + 1e-6


def test_twins_among_donors_do_no_harm() -> None:
    twins = {"a": DONORS["a"], "b": DONORS["b"], "a2": DONORS["a"]}
    found = synthetic_control(BEFORE, twins, [18.0], {"a": [14.0], "b": [20.0], "a2": [14.0]})
    assert found.pre_rmspe == pytest.approx(0, abs=1e-9)
    assert sum(found.weights.values()) == pytest.approx(1)


def test_a_school_that_broke_away_ranks_first_among_placebos() -> None:
    rng = np.random.default_rng(7)
    common = rng.normal(0, 3, 9)
    donors = {str(at): common + rng.normal(0, 1, 9) for at in range(19)}
    split = {name: (list(each[:6]), list(each[6:])) for name, each in donors.items()}
    usual = [common + rng.normal(0, 1, 9) for _ in range(5)]
    away = [placebo_rank((list(each[:6]), [late + 60 for late in each[6:]]), split) for each in usual]
    assert away == pytest.approx([1 / 20] * 5)
    assert sum(placebo_rank((list(each[:6]), list(each[6:])), split) for each in usual) > 1
    same = {"a": ([1.0, 2.0], [3.0]), "b": ([1.0, 2.0], [3.0])}
    assert placebo_rank(([1.0, 2.0], [3.0]), same) == 1.0
    assert placebo_rank(([1.0, 2.0], [4.0]), same) == pytest.approx(1 / 3)
    assert math.isclose(placebo_rank(([1.0, 2.0], [4.0]), same), 1 / 3)


@pytest.mark.parametrize(
    ("pre", "donors", "post", "after"),
    [
        ([], {"a": []}, [1.0], {"a": [1.0]}),
        ([1.0], {}, [1.0], {}),
        ([1.0], {"a": [1.0]}, [1.0], {"b": [1.0]}),
        ([1.0], {"a": [1.0, 2.0]}, [1.0], {"a": [1.0]}),
        ([1.0], {"a": [1.0]}, [1.0, 2.0], {"a": [1.0]}),
    ],
)
def test_series_that_do_not_fit_are_an_error(
    pre: list[float], donors: dict[str, list[float]], post: list[float], after: dict[str, list[float]]
) -> None:
    with pytest.raises(ValueError, match="need"):
        synthetic_control(pre, donors, post, after)


def test_a_rank_needs_two_donors() -> None:
    with pytest.raises(ValueError, match="two donors"):
        placebo_rank(([1.0], [1.0]), {"a": ([1.0], [1.0])})
