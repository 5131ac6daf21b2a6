"""From figures to a verdict on one measure."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.effects import difference_in_differences
from services.outcomes.rules.intervals import Interval
from services.outcomes.rules.verdict import (
    AddedValue,
    MeasureStatus,
    Target,
    measure_verdict,
    payment_share,
    target_result,
    value_result,
)

DECISIONS = {
    ("reached", "positive"): "met",
    ("reached", "unclear"): "partly_met",
    ("reached", "negative"): "partly_met",
    ("reached", "not_available"): "partly_met",
    ("close", "positive"): "partly_met",
    ("close", "unclear"): "partly_met",
    ("close", "negative"): "not_met",
    ("close", "not_available"): "partly_met",
    ("missed", "positive"): "partly_met",
    ("missed", "unclear"): "not_met",
    ("missed", "negative"): "not_met",
    ("missed", "not_available"): "not_met",
}
"""All twelve cells of the decision table, written out apart from the code."""
WIDE = Interval(0, 100)
NARROW = Interval(50, 50.1)
ten = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=25)


def test_the_decision_table() -> None:
    found = {(t.value, v.value): measure_verdict(t, v).status.value for t, v in product(Target, AddedValue)}
    assert found == DECISIONS


def test_every_verdict_has_one_reason_of_its_own() -> None:
    verdicts = [measure_verdict(target, value) for target, value in product(Target, AddedValue)]
    assert all(len(verdict.reasons) == 1 for verdict in verdicts)
    assert len({verdict.reasons for verdict in verdicts}) == 12


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (AddedValue.UNCLEAR, "target_met_value_unproven"),
        (AddedValue.NEGATIVE, "comparators_did_better"),
        (AddedValue.NOT_AVAILABLE, "no_comparator"),
    ],
)
def test_a_reached_target_that_is_not_enough_says_why(value: AddedValue, reason: str) -> None:
    assert measure_verdict(Target.REACHED, value).reasons == (reason,)


def test_only_a_reached_target_with_added_value_is_met() -> None:
    met = [pair for pair in product(Target, AddedValue) if measure_verdict(*pair).status is MeasureStatus.MET]
    assert met == [(Target.REACHED, AddedValue.POSITIVE)]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(60, "reached"), (58, "reached"), (57.5, "reached"), (57.49, "close"), (52, "close"), (51.9, "missed")],
)
def test_a_target_is_reached_but_for_rounding_and_close_from_half_way(outcome: float, expected: str) -> None:
    assert target_result(outcome, 46, 58, 1, 0.5, WIDE).value == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(14, "reached"), (15, "reached"), (15.01, "close"), (20, "close"), (20.01, "missed"), (30, "missed")],
)
def test_less_is_better_for_absence(outcome: float, expected: str) -> None:
    assert target_result(outcome, 25, 15, -1, 0.000005, WIDE).value == expected


def test_a_target_outside_the_interval_is_missed_and_one_on_its_end_is_close() -> None:
    assert target_result(57, 46, 58, 1, 0.5, Interval(50, 57.9)) is Target.MISSED
    assert target_result(57, 46, 58, 1, 0.5, Interval(50, 58)) is Target.CLOSE
    assert target_result(57, 46, 58, 1, 0.5, Interval(58, 60)) is Target.CLOSE
    assert target_result(58, 46, 58, 1, 0.5, NARROW) is Target.REACHED


def test_a_target_below_the_baseline_can_be_reached_and_missed() -> None:
    assert target_result(45, 50, 45, 1, 0.5, WIDE) is Target.REACHED
    assert target_result(44, 50, 45, 1, 0.5, WIDE) is Target.MISSED


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100), st.floats(0, 1))
def test_doing_better_never_makes_the_target_result_worse(
    outcome: float, baseline: float, target: float, half: float
) -> None:
    order = [Target.MISSED, Target.CLOSE, Target.REACHED]
    now = target_result(outcome, baseline, target, 1, half, WIDE)
    better = target_result(outcome + 5, baseline, target, 1, half, WIDE)
    assert order.index(better) >= order.index(now)
    assert target_result(-outcome, -baseline, -target, -1, half, Interval(-100, 0)) is now


def test_the_worked_effect_is_positive_unclear_or_negative_by_its_own_change() -> None:
    changes = (6, 7, 4, 5, 9, 3, 7, 3, 9, 7)
    others = [(40.0, 40.0 + change) for change in changes]
    words = {own: value_result(difference_in_differences(0, own, others)).value for own in (13, 8.1, 8, 4, 3.9, -1)}
    assert words == {
        13: "positive",
        8.1: "positive",
        8: "unclear",
        4: "unclear",
        3.9: "negative",
        -1: "negative",
    }


@given(ten, st.floats(0, 100), st.sampled_from([1, -1]))
def test_added_value_is_tau_against_its_one_sided_80_percent_bound(
    others: list[tuple[float, float]], outcome: float, direction: int
) -> None:
    effect = difference_in_differences(50, outcome, others, direction)
    margin = effect.upper80 - direction * effect.tau
    found = value_result(effect, enough=2)
    assert (found is AddedValue.POSITIVE) is (effect.lower80 > 0)
    assert (found is AddedValue.NEGATIVE) is (direction * effect.tau + margin < 0)
    assert (value_result(effect) is AddedValue.NOT_AVAILABLE) is (len(others) < 10)


def test_without_ten_comparators_there_is_no_added_value() -> None:
    others = [(0.0, place % 3) for place in range(10)]
    assert value_result(None) is AddedValue.NOT_AVAILABLE
    assert value_result(difference_in_differences(0, 50, others[:9])) is AddedValue.NOT_AVAILABLE
    assert value_result(difference_in_differences(0, 50, others)) is AddedValue.POSITIVE


def test_a_bound_of_exactly_zero_is_unclear() -> None:
    assert value_result(difference_in_differences(0, 1, [(0.0, 1.0)] * 10)) is AddedValue.UNCLEAR


@pytest.mark.parametrize("hundredths", range(-100, 100))
def test_a_target_is_reached_exactly_at_the_limit_of_rounding(hundredths: int) -> None:
    target = hundredths / 100
    outcome = (hundredths * 10 - 5) / 1000
    assert target_result(outcome, -2.0, target, 1, 0.005, Interval(-3, 3)) is Target.REACHED


@pytest.mark.parametrize(("tau", "share"), [(-1, 0.0), (1, 0.0), (2, 0.2), (3.5, 0.5), (6, 1.0), (9, 1.0)])
def test_the_worked_shares_of_a_payment(tau: float, share: float) -> None:
    assert payment_share(tau, 1, 6) == pytest.approx(share)


def test_a_payment_needs_room_between_floor_and_full() -> None:
    with pytest.raises(ValueError, match="floor < full"):
        payment_share(1, 6, 6)
