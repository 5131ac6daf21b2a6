"""Estimates pooled and drawn together: published examples, a second opinion, and properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from services.outcomes.rules.shrinkage import (
    Pooled,
    dersimonian_laird,
    empirical_bayes,
    paule_mandel,
    posterior,
    rank_intervals,
    reliability,
    reml,
)

EIGHT_SCHOOLS = ([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0], [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
"""Rubin (1981): coaching for the SAT."""
TRIALS = [
    *((4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761)),
    *((180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232)),
    *((17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)),
]
"""Colditz et al. (1994): ill and well with the BCG vaccine, ill and well without."""


def bcg() -> tuple[list[float], list[float]]:
    found = []
    for ill, well, ill_without, well_without in TRIALS:
        treated, others = ill + well, ill_without + well_without
        ratio = math.log((ill / treated) / (ill_without / others))
        found.append((ratio, math.sqrt(1 / ill - 1 / treated + 1 / ill_without - 1 / others)))
    return [each for each, _ in found], [each for _, each in found]


estimates = st.lists(
    st.tuples(st.floats(-50, 50, allow_nan=False), st.floats(0.5, 20, allow_nan=False)), min_size=2, max_size=20
)


def test_eight_schools_do_not_differ_by_moments() -> None:
    found = dersimonian_laird(*EIGHT_SCHOOLS)
    assert (found.tau2, found.mean, found.se) == (0.0, pytest.approx(7.69, abs=0.005), pytest.approx(4.07, abs=0.005))
    assert paule_mandel(*EIGHT_SCHOOLS).tau2 == reml(*EIGHT_SCHOOLS).tau2 == 0.0
    assert empirical_bayes(*EIGHT_SCHOOLS, found) == pytest.approx([found.mean] * 8)


def test_the_bcg_trials_as_published() -> None:
    """Viechtbauer (2010), Journal of Statistical Software 36(3), and the manual of metafor."""
    assert reml(*bcg()).tau2 == pytest.approx(0.3132, abs=5e-5)
    assert reml(*bcg()).mean == pytest.approx(-0.7145, abs=5e-5)
    assert reml(*bcg()).se == pytest.approx(0.1798, abs=5e-5)
    assert dersimonian_laird(*bcg()).tau2 == pytest.approx(0.3088, abs=5e-5)
    assert paule_mandel(*bcg()).tau2 == pytest.approx(0.3181, abs=5e-5)
    assert reml(*bcg()).q == pytest.approx(152.2330, abs=5e-5)


@given(estimates)
def test_a_second_opinion_where_it_does_not_go_below_zero(pairs: list[tuple[float, float]]) -> None:
    y, se = [each for each, _ in pairs], [each for _, each in pairs]
    for method, ours in (("chi2", dersimonian_laird(y, se)), ("iterated", paule_mandel(y, se))):
        assert ours.tau2 >= 0
        if ours.tau2 > 1e-3:
            theirs = combine_effects(np.array(y), np.array(se) ** 2, method_re=method)
            assert ours.tau2 == pytest.approx(float(theirs.tau2), rel=1e-3, abs=1e-5)
            assert ours.q == pytest.approx(float(theirs.q), rel=1e-9, abs=1e-9)


@given(estimates)
def test_no_variance_is_likelier_than_the_restricted_maximum(pairs: list[tuple[float, float]]) -> None:
    y, se = np.array([each for each, _ in pairs]), np.array([each for _, each in pairs])

    def likelihood(tau2: float) -> float:
        weights = 1 / (se**2 + tau2)
        mean = (weights * y).sum() / weights.sum()
        return float(0.5 * (np.log(weights).sum() - math.log(weights.sum()) - (weights * (y - mean) ** 2).sum()))

    best = likelihood(reml(list(y), list(se)).tau2)
    for tau2 in (0.0, *np.geomspace(1e-4, 1e4, 60)):
        assert likelihood(float(tau2)) <= best + 1e-6


@given(estimates, st.floats(0, 100))
def test_shrunk_estimates_lie_between_themselves_and_the_mean(pairs: list[tuple[float, float]], tau2: float) -> None:
    y, se = [each for each, _ in pairs], [each for _, each in pairs]
    common = Pooled(tau2, 3.0, 0.5, 0.0)
    for before, after in zip(y, empirical_bayes(y, se, common), strict=True):
        assert min(before, 3.0) - 1e-9 <= after <= max(before, 3.0) + 1e-9
    _means, variances = posterior(np.array(y), np.array(se) ** 2, common)
    assert bool((variances <= np.maximum(np.array(se) ** 2, 0.25) + tau2 + 1e-9).all())


@pytest.mark.parametrize(("n", "expected"), [(30, 0.705), (60, 0.827), (100, 0.889), (150, 0.923), (200, 0.941)])
def test_reliability_of_progress_8(n: int, expected: float) -> None:
    assert reliability(n, 0.40, 1.41628) == pytest.approx(expected, abs=5e-4)


def test_places_are_certain_where_nothing_is_uncertain_and_equal_where_all_are_alike() -> None:
    sure = rank_intervals([1.0, 5.0, 3.0], [1e-12] * 3)
    assert sure.expected.tolist() == sure.low.tolist() == sure.high.tolist() == [3.0, 1.0, 2.0]
    assert sure.first_tenth.tolist() == [0.0, 1.0, 0.0]
    alike = rank_intervals([0.0] * 20, [1.0] * 20)
    assert alike.expected == pytest.approx([10.5] * 20, abs=0.25)
    assert alike.first_tenth == pytest.approx([0.1] * 20, abs=0.015)
    assert (set(alike.low), set(alike.high)) <= ({1.0, 2.0}, {19.0, 20.0})
    again = rank_intervals([0.0] * 20, [1.0] * 20)
    assert again.expected.tolist() == alike.expected.tolist()


@pytest.mark.parametrize("function", [dersimonian_laird, paule_mandel, reml])
@pytest.mark.parametrize(("y", "se"), [([1.0], [1.0]), ([1.0, 2.0], [1.0, 0.0]), ([1.0, 2.0], [1.0])])
def test_too_little_is_an_error(function: object, y: list[float], se: list[float]) -> None:
    with pytest.raises(ValueError, match="two or more"):
        function(y, se)  # type: ignore[operator]


def test_reliability_needs_pupils() -> None:
    with pytest.raises(ValueError, match="n > 0"):
        reliability(0, 1.0, 1.0)


def test_small_schools_of_the_london_exam_data_are_drawn_further_to_the_mean() -> None:
    ratio = 70 * (0.787 / 0.723 - 1)
    assert 0.787 * reliability(70, 1.0, ratio**0.5) == pytest.approx(0.723, abs=5e-4)
    assert -0.967 * reliability(8, 1.0, ratio**0.5) == pytest.approx(-0.547, abs=3e-3)
