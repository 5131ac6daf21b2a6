"""How an outcome goes on its way, and the worked examples of METHOD.md 3.8 and 3.10."""

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.agreement import Missing, TargetMode
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.ringfence import Break, Term
from services.outcomes.rules.trajectory import (
    NOT_KNOWN_YET,
    contract_year,
    expected_in,
    follow,
    standard_error,
    usual_path,
)
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.verdict import Rag, expected_by, rag
from tests.unit.outcomes.test_evaluation import AGREED, BASELINE, OWN, TERM, with_last

LONG = Term(date(2022, 9, 1), date(2025, 8, 31))


@pytest.mark.parametrize(
    ("actual", "expected", "se", "rating", "z"),
    [(47, 48.6, 9.13, "amber", -0.18), (38, 48.6, 9.13, "amber", -1.16), (56, 53.0, 8.98, "green", 0.33)],
)
def test_the_worked_examples(actual: float, expected: float, se: float, rating: str, z: float) -> None:
    found, distance = rag(actual, expected, se, 1)
    assert found == rating
    assert distance == pytest.approx(z, abs=0.005)


def test_the_glide_path_of_the_worked_example() -> None:
    path = [round(expected_by(45.5, 58.0, (0.25, 0.6, 1.0), year), 1) for year in (1, 2, 3, 4)]
    assert path == [48.6, 53.0, 58.0, 58.0]


@pytest.mark.parametrize(
    ("ends_in", "path"),
    [
        (2023, [58.0]),
        (2024, [48.625, 58.0]),
        (2025, [48.625, 53.0, 58.0]),
        (2027, [48.625, 53.0, 58.0, 58.0, 58.0]),
    ],
)
def test_the_usual_path_leads_to_the_target_by_the_last_year_of_the_term(ends_in: int, path: list[float]) -> None:
    agreed, term = replace(AGREED, target=58.0), Term(date(2022, 9, 1), date(ends_in, 8, 31))
    assert [expected_in(agreed, 45.5, None, term, 2022 + at) for at in range(len(path))] == path
    assert usual_path(agreed.measure, Term(date(2022, 9, 1), date(2022, 12, 31))) == (1.0,)


def test_who_only_does_as_the_path_of_a_year_asks_is_not_green_where_the_target_is_missed() -> None:
    own = with_last(OWN, ValueState.OK, 35.0, 900)
    found = follow(replace(AGREED, baseline=replace(BASELINE, value=38.386)), None, own, TERM, 2023)
    assert (found.rag, found.expected) == (Rag.RED, AGREED.target)
    agreed = follow(AGREED, (0.25, 0.6, 1.0), own, TERM, 2023)
    assert (agreed.rag, agreed.expected) == (Rag.GREEN, 38.0)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_the_end_of_the_way_is_the_target_to_the_last_digit(baseline: float, target: float) -> None:
    assert expected_by(baseline, target, (0.25, 1.0), 2) == target


def test_red_begins_where_a_tenth_of_chance_ends() -> None:
    assert rag(0.0, 1.2816, 1.0, 1)[0] is Rag.AMBER
    assert rag(0.0, 1.2817, 1.0, 1)[0] is Rag.RED
    assert rag(0.0, 0.0, 1.0, 1)[0] is Rag.GREEN
    with pytest.raises(ValueError, match="se > 0"):
        rag(0.0, 0.0, 0.0, 1)


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.01, 50))
def test_where_less_is_better_the_same_holds_upside_down(actual: float, expected: float, se: float) -> None:
    assert rag(actual, expected, se, 1) == rag(-actual, -expected, se, -1)


def test_an_outcome_beside_its_path() -> None:
    found = follow(AGREED, None, OWN, TERM, 2023)
    assert (found.rag, found.expected, found.actual, found.n) == (Rag.GREEN, 32.0, 28.0, 900)
    assert found.releases == ("r",)
    change = follow(replace(AGREED, mode=TargetMode.CHANGE, target=-20.0), (1.0,), OWN, TERM, 2023)
    assert (change.rag, change.expected) == (Rag.RED, 20.0)
    assert change.z == pytest.approx(-8 / (100 * math.sqrt(0.28 * 0.72 / 900)))


@pytest.mark.parametrize("half", [0.0, 0.05, 0.5])
def test_an_error_is_wider_by_how_far_the_figure_may_be_off(half: float) -> None:
    own = {2023: replace(OWN[2023], half_width=half)}
    found = follow(AGREED, None, own, TERM, 2023)
    assert found.se == pytest.approx(math.hypot(100 * math.sqrt(0.28 * 0.72 / 900), half / math.sqrt(3)))


@pytest.mark.parametrize("mode", [TargetMode.RELATIVE, TargetMode.PERCENTILE])
def test_a_target_that_hangs_on_others_is_not_known_on_the_way(mode: TargetMode) -> None:
    found = follow(replace(AGREED, mode=mode), None, OWN, TERM, 2023)
    assert (found.rag, found.reasons, found.z) == (Rag.GREY, (NOT_KNOWN_YET,), None)


@pytest.mark.parametrize(
    ("state", "value", "n", "reason"),
    [
        (ValueState.SUPPRESSED, None, None, Missing.SUPPRESSED),
        (ValueState.NO_ENTRIES, None, None, Missing.NO_ENTRIES),
        (ValueState.OK, 28.0, None, Missing.PUPILS_NOT_KNOWN),
        (ValueState.OK, 28.0, 5, Missing.SUPPRESSED),
        (ValueState.OK, 28.0, 10, Missing.N_TOO_SMALL),
    ],
)
def test_what_figures_do_not_say_is_grey(state: ValueState, value: float | None, n: int | None, reason: str) -> None:
    found = follow(AGREED, None, with_last(OWN, state, value, n), TERM, 2023)
    assert (found.rag, found.reasons, found.actual) == (Rag.GREY, (reason,), None)


def test_every_reason_is_given() -> None:
    found = follow(replace(AGREED, baseline=None), None, {}, TERM, 2030)
    assert found.reasons == (Missing.NO_ACCOUNTABLE_SERIES, Missing.NOT_PRODUCED, Missing.NO_BASELINE)


def test_years_of_the_contract_are_counted_from_the_first_that_is_assessed_in_it() -> None:
    measure = MEASURES["ABS_PA"]
    assert [contract_year(measure, LONG, year) for year in (2022, 2023, 2024)] == [1, 2, 3]
    rested = replace(LONG, breaks=(Break(date(2022, 9, 1), date(2023, 8, 31)),))
    assert [contract_year(measure, rested, year) for year in (2023, 2024)] == [1, 2]


def test_errors_of_shares_and_of_means() -> None:
    share = standard_error(MEASURES["ABS_PA"], 50.0, 30, 0.5)
    assert share == pytest.approx(9.13, abs=0.01)
    for edge in (0.0, 100.0):
        assert standard_error(MEASURES["ABS_PA"], edge, 30, 0.0) > 0
    score = MEASURES["KS4_P8"]
    assert standard_error(score, -0.3, 100, 0.0) == pytest.approx(score.pupil_sd / 10)


@given(st.floats(0, 100), st.integers(11, 2000))
def test_more_pupils_say_more(value: float, n: int) -> None:
    measure = MEASURES["ABS_PA"]
    assert 0 < standard_error(measure, value, 4 * n, 0.05) <= standard_error(measure, value, n, 0.05)
