"""The value of a contract is the sum of its parts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.money import Part, PaymentKind, PaymentStatus, after_change, due_on, schedule, value_pence

pence = st.integers(0, 10**12)
promised = st.lists(st.tuples(st.text(min_size=1, max_size=5), pence), max_size=8)


def test_the_contract_of_the_public_example_is_worth_its_fee_milestone_and_outcome() -> None:
    parts = schedule(12_000_000, [("M1", 2_000_000)], [("O1", 3_000_000)])
    assert parts == [
        Part(PaymentKind.FEE, "FEE", 12_000_000),
        Part(PaymentKind.MILESTONE, "M1", 2_000_000),
        Part(PaymentKind.OUTCOME, "O1", 3_000_000),
    ]
    assert value_pence(parts) == 17_000_000


def test_parts_of_nothing_are_left_out() -> None:
    assert schedule(0, [("M1", 0), ("M2", 1)], [("O1", 0)]) == [Part(PaymentKind.MILESTONE, "M2", 1)]
    assert schedule(0, [], []) == []
    assert value_pence([]) == 0


def test_a_milestone_and_an_outcome_of_the_same_code_stay_apart() -> None:
    parts = schedule(0, [("A", 1)], [("A", 2)])
    assert [(part.kind.value, part.code, part.amount_pence) for part in parts] == [
        ("milestone", "A", 1),
        ("outcome", "A", 2),
    ]


@given(pence, promised, promised)
def test_the_schedule_sums_to_the_value(
    fee: int, milestones: list[tuple[str, int]], outcomes: list[tuple[str, int]]
) -> None:
    parts = schedule(fee, milestones, outcomes)
    assert value_pence(parts) == fee + sum(amount for _, amount in [*milestones, *outcomes])
    assert all(part.amount_pence > 0 for part in parts)
    kinds = [part.kind for part in parts]
    assert kinds == sorted(kinds, key=list(PaymentKind).index)


def test_money_falls_due_thirty_days_after_it_was_earned() -> None:
    assert due_on(date(2019, 1, 31)) == date(2019, 3, 2)
    assert due_on(date(2020, 1, 31)) == date(2020, 3, 1)
    assert due_on(date(2018, 12, 31)) == date(2019, 1, 30)


def test_payments_are_promised_earned_or_withheld() -> None:
    assert {status.value for status in PaymentStatus} == {"scheduled", "earned", "withheld"}


def test_a_fee_that_was_earned_grows_by_a_part_of_its_own() -> None:
    fee, more = Part(PaymentKind.FEE, "FEE", 100), Part(PaymentKind.MILESTONE, "M1", 5)
    wanted = schedule(130, [("M1", 5)], [])
    assert after_change([], wanted) == wanted
    assert after_change([fee], wanted) == [fee, Part(PaymentKind.FEE, "FEE-2", 30), more]
    assert after_change([fee], schedule(100, [("M1", 5)], [])) == [fee, more]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=4), pence, promised)
def test_after_a_change_the_parts_still_sum_to_what_was_wanted(
    earned: list[int], more: int, milestones: list[tuple[str, int]]
) -> None:
    fees = [Part(PaymentKind.FEE, f"FEE-{place}", amount) for place, amount in enumerate(earned, 1)]
    wanted = schedule(sum(earned) + more, milestones, [])
    found = after_change(fees, wanted)
    assert value_pence(found) == value_pence(wanted)
    assert found[: len(fees)] == fees
