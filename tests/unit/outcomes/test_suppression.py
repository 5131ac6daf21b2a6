"""What is published must not tell of single pupils, neither by itself nor by reckoning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.disclosure import Result
from services.outcomes.evaluations.views import tells
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.suppression import Count, fit, poolable, protected, total_tells, withheld

RWM, RWM_DIS = MEASURES["KS2_RWM_EXP"], MEASURES["KS2_RWM_EXP_DIS"]
NO_WHOLE = np.array([np.nan]), np.array([np.nan])
P8, ABSENCE, PA = MEASURES["KS4_P8"], MEASURES["ABS_OVERALL"], MEASURES["ABS_PA"]


@pytest.mark.parametrize(
    ("measure", "value", "n", "told"),
    [
        (RWM, 60.0, 5, False),
        (RWM, 50.0, 6, True),
        (RWM, 97.0, 30, False),
        (RWM, 93.0, 30, False),
        (RWM, 90.0, 30, True),
        (RWM, 3.0, 30, False),
        (RWM, 7.0, 30, False),
        (RWM, 10.0, 30, True),
        (RWM, 0.0, 30, True),
        (RWM, 100.0, 30, True),
        (PA, 2.0, 100, False),
        (ABSENCE, 2.0, 100, True),
        (ABSENCE, 2.0, 5, False),
        (P8, -0.4, 6, True),
        (P8, -0.4, 5, False),
    ],
)
def test_few_pupils_and_one_or_two_who_stand_out_are_not_told(measure, value: float, n: int, told: bool) -> None:
    assert fit(measure, [Count(value, n)]) is told
    assert withheld(measure, np.array([value]), np.array([float(n)]), NO_WHOLE).tolist() == [not told]


@pytest.mark.parametrize(
    ("group", "whole", "told"),
    [
        ((50.0, 20), (50.0, 40), True),
        ((50.0, 20), (50.0, 25), False),
        ((50.0, 20), (50.0, 20), True),
        ((50.0, 20), (36.7, 30), False),
        ((50.0, 20), (33.3, 30), True),
        ((50.0, 20), (None, None), True),
    ],
)
def test_a_group_is_not_told_where_the_rest_of_the_school_would_stand_out(group, whole, told: bool) -> None:
    assert fit(RWM_DIS, [Count(*group, *whole)]) is told
    known = tuple(np.array([np.nan if part is None else float(part)]) for part in whole)
    values, n = (np.array([float(part)]) for part in group)
    assert withheld(RWM_DIS, values, n, known).tolist() == [not told]


def test_where_there_is_no_result_nothing_is_withheld() -> None:
    assert withheld(RWM, np.array([np.nan, 50.0]), np.array([3.0, 0.0]), NO_WHOLE).tolist() == [False, False]


def stands_for(measure, achieved: int, n: int, *beside: int) -> float | None:
    """What stands for the result of so many of `n` pupils, and of so many of all `beside` them; None for nothing."""
    whole, of = beside or (np.nan, np.nan)
    wholes = np.array([100 * whole / of]), np.array([float(of)])
    [found] = protected(measure, np.array([100 * achieved / n]), np.array([float(n)]), wholes).tolist()
    return None if np.isnan(found) else found


@pytest.mark.parametrize(
    ("achieved", "n", "whole", "instead"),
    [
        (1, 12, (), 100 * 1.5 / 12),
        (2, 12, (), 100 * 1.5 / 12),
        (11, 12, (), 100 * 10.5 / 12),
        (3, 12, (), 25.0),
        (0, 12, (), 0.0),
        (2, 5, (), None),
        (15, 30, (17, 40), 100 * 15.5 / 30),
        (15, 30, (24, 40), 100 * 15.5 / 30),
        (3, 20, (4, 40), 100 * 2 / 20),
        (20, 20, (22, 40), 100 * 19 / 20),
        (18, 20, (4, 40), 100 * 18.5 / 20),
        (15, 30, (16, 33), 100 * 16 / 33),
        (2, 30, (2, 33), 100 * 1.5 / 33),
        (2, 30, (2, 30), 100 * 1.5 / 30),
        (30, 30, (38, 40), 100.0),
    ],
)
def test_what_may_not_be_told_counts_as_the_middle_of_what_it_may_be(achieved, n, whole, instead) -> None:
    """One and a half who did, or did not; the same for those outside the group; nearly all pupils are as all are."""
    measure = RWM_DIS if whole else RWM
    assert stands_for(measure, achieved, n, *whole) == (None if instead is None else pytest.approx(instead))


@given(n=st.integers(1, 40), more=st.integers(0, 40), others=st.data())
def test_what_stands_for_a_result_tells_nothing_but_that_it_is_withheld(n: int, more: int, others) -> None:
    """Whatever stands for a group's result beside what is told of all, it may be another one that is withheld."""
    whole = others.draw(st.integers(0, n + more))
    known: dict[float | None, list[int]] = {}
    for achieved in range(max(0, whole - more), min(n, whole) + 1):
        instead = stands_for(RWM_DIS, achieved, n, whole, n + more)
        if not fit(RWM_DIS, [Count(100 * achieved / n, n, 100 * whole / (n + more), n + more)]):
            known.setdefault(instead, []).append(achieved)
        else:
            assert instead == pytest.approx(100 * achieved / n)
    if fit(RWM, [Count(100 * whole / (n + more), n + more)]):
        assert len(known) < 2 or 1 not in map(len, known.values())


@pytest.mark.parametrize(
    ("whole", "proxy", "told"),
    [
        (Result("KS2_RWM_EXP", 2023, 50.0, 38), False, False),
        (Result("KS2_RWM_EXP", 2023, 50.0, 60), False, True),
        (Result("KS2_RWM_EXP", 2023, 50.0, 38), True, True),
        (Result("KS2_RWM_EXP", 2023, 50.0, None), False, True),
        (None, False, True),
    ],
)
def test_a_verdict_on_a_group_tells_of_the_rest_of_the_school(whole: Result | None, proxy: bool, told: bool) -> None:
    """Half of 36 disadvantaged pupils beside half of 38: two others, of whom one did."""
    reading = {"value": 50.0, "n": 36, "n_is_proxy": proxy}
    wholes = {(whole.measure, whole.academic_year): whole} if whole else {}
    assert tells("KS2_RWM_EXP_DIS", ["2023/24"], {"2023": reading}, wholes) is not told


def test_a_group_of_withheld_results_counts_where_it_is_fit_to_be_told_together() -> None:
    shown = {1: Count(50.0, 40)}
    few, fewer, enough = Count(25.0, 4), Count(50.0, 4), Count(97.0, 30)
    assert poolable(RWM, shown, [{2: few}]) == shown
    assert poolable(RWM, shown, [{2: few, 3: fewer}]) == {1: shown[1], 2: few, 3: fewer}
    assert poolable(RWM, shown, [{2: few}, {3: enough}]) == shown
    assert poolable(RWM, shown, [{}]) == shown


def test_a_total_of_years_tells_of_years_that_are_not_shown() -> None:
    shown, small, smaller = Count(50.0, 30), Count(50.0, 4), Count(25.0, 4)
    assert not total_tells(RWM, [shown, shown])
    assert total_tells(RWM, [shown, small])
    assert total_tells(RWM, [shown, small, smaller]), "less another total that holds one of them, one is left over"
    assert total_tells(RWM, [Count(0.0, 2), Count(0.0, 2)])


counts = st.builds(
    lambda n, share: Count(round(100 * round(n * share) / n, 4), n), st.integers(1, 40), st.floats(0.0, 1.0)
)


@given(
    dfe=st.lists(counts, max_size=6),
    more=st.lists(counts, max_size=6),
)
def test_nobody_can_reckon_what_is_hidden_from_two_totals_and_all_that_is_shown(dfe, more) -> None:
    """All that follows from what is told, by any sums and differences, must itself be fit to be told.

    Told are: every result that is fit, the total of DfE's view, and that of all members, which holds it. From these
    follow the sums over the hidden results in each, and in the difference, and nothing else.
    """
    everything = dict(enumerate([*dfe, *more]))
    shown = {at: each for at, each in everything.items() if fit(RWM, [each])}
    inside = {at: each for at, each in everything.items() if at < len(dfe) and at not in shown}
    beyond = {at: each for at, each in everything.items() if at >= len(dfe) and at not in shown}
    first = poolable(RWM, {at: each for at, each in shown.items() if at < len(dfe)}, [inside, {}])
    whole = poolable(RWM, shown, [inside, beyond])
    residuals = [set(first) - set(shown), set(whole) - set(shown)]
    residuals += [residuals[1] - residuals[0], residuals[0] - residuals[1]]
    equations = np.array([[float(at in each) for at in everything] for each in residuals[:2]])
    for residual in residuals:
        assert not residual or fit(RWM, [everything[at] for at in residual])
    for at in everything:
        if at not in shown:
            unit = np.array([float(at == other) for other in everything])
            rank = np.linalg.matrix_rank(equations)
            assert np.linalg.matrix_rank(np.vstack([equations, unit])) > rank


@given(st.lists(counts, min_size=1, max_size=8))
def test_what_is_fit_alone_is_fit_together(several) -> None:
    told = [each for each in several if fit(RWM, [each])]
    assert not told or fit(RWM, told)
