"""The fee in instalments."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.instalments import earned_of, months_later, periods, shares
from services.contracts.rules.money import Part, PaymentKind, fee_after_change, instalments, moved_on, value_pence

days = st.dates(date(2015, 1, 1), date(2030, 12, 31))


def test_a_year_has_four_quarters_and_a_fee_that_does_not_divide_loses_no_penny() -> None:
    found = instalments(10_000_003, date(2023, 9, 1), date(2024, 8, 31))
    assert [(part.code, part.amount_pence) for part in found] == [
        ("FEE-1", 2_500_001),
        ("FEE-2", 2_500_001),
        ("FEE-3", 2_500_001),
        ("FEE-4", 2_500_000),
    ]
    assert [part.period for part in found] == [
        (date(2023, 9, 1), date(2023, 11, 30)),
        (date(2023, 12, 1), date(2024, 2, 29)),
        (date(2024, 3, 1), date(2024, 5, 31)),
        (date(2024, 6, 1), date(2024, 8, 31)),
    ]


def test_a_last_quarter_that_is_shorter_is_paid_by_its_months() -> None:
    found = instalments(400, date(2023, 9, 1), date(2023, 12, 15))
    assert [part.amount_pence for part in found] == [300, 100]
    assert found[-1].period == (date(2023, 12, 1), date(2023, 12, 15))


def test_months_end_where_there_is_no_such_day() -> None:
    assert months_later(date(2023, 11, 30), 3) == date(2024, 2, 29)
    assert months_later(date(2023, 12, 31), 1) == date(2024, 1, 31)


@given(st.integers(0, 10**12), st.lists(st.integers(1, 3), min_size=1, max_size=30))
def test_shares_add_up_and_are_as_equal_as_pennies_allow(total: int, weights: list[int]) -> None:
    found = shares(total, weights)
    assert sum(found) == total
    for share, weight in zip(found, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) < sum(weights)


@given(days, st.integers(0, 2600))
def test_periods_cover_the_term_without_a_gap(starts_on: date, length: int) -> None:
    ends_on = starts_on + timedelta(days=length)
    found = periods(starts_on, ends_on)
    assert (found[0].starts_on, found[-1].ends_on) == (starts_on, ends_on)
    for before, after in pairwise(found):
        assert after.starts_on == before.ends_on + timedelta(days=1)
    assert all(1 <= each.months <= 3 for each in found)


def test_an_instalment_earns_by_days() -> None:
    quarter = (date(2024, 1, 1), date(2024, 3, 31))
    assert earned_of(9_100, quarter, date(2023, 12, 31)) == 0
    assert earned_of(9_100, quarter, date(2024, 1, 1)) == 100
    assert earned_of(9_100, quarter, date(2024, 2, 10)) == 4_100
    assert earned_of(9_100, quarter, date(2024, 6, 1)) == 9_100


def test_a_fee_that_grows_is_spread_over_what_is_left_of_the_term() -> None:
    begun = instalments(400, date(2023, 9, 1), date(2024, 8, 31))[:1]
    found = fee_after_change(begun, 700, date(2023, 9, 1), date(2024, 8, 31), date(2023, 12, 10))
    assert [(part.code, part.amount_pence) for part in found] == [
        ("FEE-1", 100),
        ("FEE-2", 200),
        ("FEE-3", 200),
        ("FEE-4", 200),
    ]
    assert found[0] == begun[0]
    over = fee_after_change(found, 750, date(2023, 9, 1), date(2024, 8, 31), date(2024, 8, 31))
    assert over[-1] == Part(PaymentKind.FEE, "FEE-5", 50, (date(2024, 8, 31), date(2024, 8, 31)))
    assert fee_after_change(found, 700, date(2023, 9, 1), date(2024, 8, 31), date(2024, 8, 31)) == found
    earlier = [Part(PaymentKind.FEE, "FEE", 100)]
    assert fee_after_change(earlier, 100, date(2023, 9, 1), date(2023, 9, 30), date(2023, 9, 2)) == earlier
    again = fee_after_change(earlier, 130, date(2023, 9, 1), date(2023, 9, 30), date(2023, 9, 2))
    assert again[1].code == "FEE-2"


@given(st.integers(0, 10**9), st.integers(0, 8), st.integers(0, 10**9))
def test_a_changed_fee_is_what_was_wanted(fee: int, begun: int, more: int) -> None:
    before = instalments(fee, date(2023, 9, 1), date(2025, 8, 31))[:begun]
    after = fee_after_change(before, fee + more, date(2023, 9, 1), date(2025, 8, 31), date(2025, 8, 31))
    assert value_pence(after) == fee + more
    assert after[: len(before)] == before


def test_a_clock_that_stood_still_moves_instalments_that_are_not_over() -> None:
    first, second, third = (date(2023, 9, 1), date(2023, 11, 30)), (date(2023, 12, 1), date(2024, 2, 29)), None
    since, end = date(2023, 12, 10), date(2024, 9, 10)
    over, running = Part(PaymentKind.FEE, "FEE-1", 1, first), Part(PaymentKind.FEE, "FEE-2", 1, second)
    assert moved_on(over, since, 10, end) == over
    assert moved_on(running, since, 10, end).period == (date(2023, 12, 1), date(2024, 3, 10))
    assert moved_on(running, date(2023, 11, 1), 10, date(2024, 3, 5)).period == (date(2023, 12, 11), date(2024, 3, 5))
    assert moved_on(Part(PaymentKind.MILESTONE, "M1", 1, third), since, 10, end).period is None
