"""Who needs help first: the full table of tiers, and need as a quantity with its uncertainty."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.outcomes.rules.inspection import Concern
from services.outcomes.rules.targeting import (
    REASONS,
    THRESHOLDS,
    Component,
    Facts,
    Tier,
    below_limits,
    below_quantile,
    component,
    need_rank,
    predicted_by,
    tier,
)

KNOWN = (True, False, None)
NAN = float("nan")


def made(values: list[float], errors: float = 4.0, name: str = "attainment", direction: int = 1) -> Component:
    array = np.array(values)
    found = component(name, direction, array, np.full(len(array), errors), np.full(len(array), 60.0))
    assert found is not None
    return found


def test_the_first_rule_that_holds_decides() -> None:
    for concern, *rest in product((None, *Concern), KNOWN, KNOWN, KNOWN, KNOWN, KNOWN):
        facts = Facts(concern, *rest)
        found, reason = tier(facts)
        if concern is Concern.SPECIAL_MEASURES:
            expected = (Tier.STATUTORY, "special_measures")
        elif concern in (Concern.SERIOUS_WEAKNESS, Concern.REQ_SIGNIFICANT_IMPROVEMENT):
            expected = (Tier.SIGNIFICANT, "significant_improvement")
        elif facts.stuck:
            expected = (Tier.STUCK, "stuck")
        elif facts.low_attainment or facts.low_progress:
            expected = (Tier.LOW_ATTAINMENT, "low_attainment" if facts.low_attainment else "low_progress")
        elif facts.below_limits or facts.falling:
            expected = (Tier.EMERGING, "below_limits" if facts.below_limits else "falling")
        else:
            expected = (Tier.UNIVERSAL, "universal")
        assert (found, reason) == expected
        assert reason in REASONS


def test_weights_are_the_methods() -> None:
    assert list(THRESHOLDS.weights.values()) == [0.35, 0.25, 0.2, 0.1, 0.1]


def test_a_school_of_which_nothing_is_known_is_any_school_and_as_uncertain() -> None:
    found = made([40.0, 50.0, 60.0, 70.0, NAN])
    assert found.imputed.tolist() == [False] * 4 + [True]
    assert found.means[4] == pytest.approx(found.centre)
    assert found.variances[4] == pytest.approx(found.spread**2)
    assert found.variances[:4].max() < found.variances[4]
    ranked = need_rank([found])
    assert ranked.need[4] == pytest.approx(0.5)
    assert ranked.ranks.high[4] - ranked.ranks.low[4] >= 3


@given(st.lists(st.floats(0, 100), min_size=5, max_size=30), st.integers(0, 4), st.floats(0.1, 30), st.booleans())
def test_doing_worse_never_lowers_need(values: list[float], at: int, by: float, less_is_better: bool) -> None:
    """What is believed of others stays, so that only this school's own figure moves."""
    errors, pupils = np.full(len(values), 4.0), np.full(len(values), 60.0)
    direction = -1 if less_is_better else 1
    first = component("absence", direction, np.array(values), errors, pupils)
    if first is None:
        return
    moved = first.means.copy()
    moved[at] -= direction * by
    before, after = need_rank([first], draws=50), need_rank([replace(first, means=moved)], draws=50)
    assert after.need[at] >= before.need[at]
    assert after.ranks.expected[at] <= before.ranks.expected[at]
    others = np.arange(len(values)) != at
    assert after.need[others] == pytest.approx(before.need[others])


def test_parts_that_nobody_has_leave_their_weight_to_the_others() -> None:
    attainment, absence = made([40.0, 50.0, 60.0]), made([9.0, 5.0, 7.0], 0.1, "absence", -1)
    both = need_rank([attainment, absence], draws=10)
    weights = {"attainment": 0.35 / 0.55, "absence": 0.2 / 0.55}
    expected = attainment.share(weights["attainment"]) + absence.share(weights["absence"])
    assert both.need == pytest.approx(expected)
    assert ((both.need > 0) & (both.need < 1)).all()
    with pytest.raises(ValueError, match="at least one"):
        need_rank([])


def test_places_are_given_among_those_asked_for_only() -> None:
    found = made([10.0, 20.0, 30.0, 40.0, 50.0, 60.0], 0.001)
    among = np.array([False, True, False, True, True, False])
    ranked = need_rank([found], among=among)
    assert ranked.ranks.expected.tolist() == [1.0, 2.0, 3.0]
    assert ranked.need.tolist() == need_rank([found]).need[among].tolist()
    assert ranked.ranks.first_tenth.tolist() == [1.0, 0.0, 0.0]


def test_what_does_not_differ_or_is_hardly_known_is_no_part() -> None:
    one = np.array([50.0, NAN, NAN])
    assert component("attainment", 1, one, np.full(3, 4.0), np.full(3, 60.0)) is None
    assert component("attainment", 1, np.full(3, 50.0), np.full(3, 4.0), np.full(3, 60.0)) is None
    assert component("inspection_age", -1, np.full(3, 2.0), np.zeros(3), np.full(3, NAN)) is None
    sure = component("inspection_age", -1, np.array([1.0, 2.0, 6.0]), np.zeros(3), np.full(3, NAN))
    assert sure is not None
    assert (sure.means.tolist(), sure.variances.tolist()) == ([1.0, 2.0, 6.0], [0.0] * 3)


def test_disadvantaged_pupils_who_are_too_few_to_show_are_expected_to_do_as_elsewhere() -> None:
    rng = np.random.default_rng(5)
    whole = made(rng.normal(60, 12, 200).tolist(), 1.0)
    gap = 30 - 0.2 * whole.values + rng.normal(0, 3, 200)
    gap[:20] = NAN
    found = component("disadvantage_gap", -1, gap, np.full(200, 1.0), np.full(200, 12.0), predicted_by(whole))
    assert found is not None
    assert found.imputed[:20].all()
    assert not found.imputed[20:].any()
    truth = 30 - 0.2 * whole.values[:20]
    assert found.means[:20] == pytest.approx(truth, abs=2.0)
    assert found.variances[:20] == pytest.approx(9.0, rel=0.5)


def test_a_line_through_two_schools_is_no_model() -> None:
    whole = made([40.0, 50.0, 60.0])
    line, variance = predicted_by(whole)(np.array([5.0, 9.0, NAN]))
    assert (line.tolist(), variance) == ([7.0] * 3, 4.0)


def test_below_a_share_of_those_known() -> None:
    assert below_quantile(np.array([1.0, 2.0, 3.0, 4.0, NAN]), 0.25).tolist() == [True, False, False, False, False]
    assert below_quantile(np.array([NAN, NAN]), 0.25).tolist() == [False, False]


def test_two_of_three_years_below_the_limits() -> None:
    scores = np.zeros((3, 40))
    scores[:, 0] = (-30.0, 0.0, -30.0)
    scores[:, 1] = (-30.0, 0.0, 0.0)
    scores[:, 2] = (NAN, -30.0, NAN)
    scores[:, 3] = NAN
    below, known = below_limits(scores, np.full((3, 40), 9.0))
    assert np.flatnonzero(below).tolist() == [0]
    assert np.flatnonzero(~known).tolist() == [2, 3]
    nobody, none_known = below_limits(np.full((3, 2), NAN), np.zeros((3, 2)))
    assert not nobody.any()
    assert not none_known.any()


def test_limits_are_widened_where_schools_vary_more_than_chance() -> None:
    rng = np.random.default_rng(11)
    chance, more = rng.normal(0, 1, (3, 4000)), rng.normal(0, 3, (3, 4000))
    for scores in (chance, more):
        share = float(below_limits(scores, np.ones(scores.shape))[0].mean())
        once = stats.norm.cdf(-1.96)
        assert share < 6 * 3 * once**2
