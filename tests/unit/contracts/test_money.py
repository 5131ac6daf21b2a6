"""The value of a contract is the sum of its parts."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.money import Part, PaymentKind, due_on, schedule, value_pence

pence = st.integers(0, 10**12)


def fee(amount: int) -> list[Part]:
    """A fee in one instalment."""
    return [Part(PaymentKind.FEE, "FEE-1", amount)]


promised = st.lists(st.tuples(st.text(min_size=1, max_size=5), pence), max_size=8)


def test_the_contract_of_the_public_example_is_worth_its_fee_milestone_and_outcome() -> None:
    parts = schedule(fee(12_000_000), [("M1", 2_000_000)], [("O1", 3_000_000)])
    assert parts == [
        Part(PaymentKind.FEE, "FEE-1", 12_000_000),
        Part(PaymentKind.MILESTONE, "M1", 2_000_000),
        Part(PaymentKind.OUTCOME, "O1", 3_000_000),
    ]
    assert value_pence(parts) == 17_000_000


def test_parts_of_nothing_are_left_out() -> None:
    assert schedule(fee(0), [("M1", 0), ("M2", 1)], [("O1", 0)]) == [Part(PaymentKind.MILESTONE, "M2", 1)]
    assert schedule(fee(0), [], []) == []
    assert value_pence([]) == 0


def test_a_milestone_and_an_outcome_of_the_same_code_stay_apart() -> None:
    parts = schedule(fee(0), [("A", 1)], [("A", 2)])
    assert [(part.kind.value, part.code, part.amount_pence) for part in parts] == [
        ("milestone", "A", 1),
        ("outcome", "A", 2),
    ]


@given(pence, promised, promised)
def test_the_schedule_sums_to_the_value(
    whole: int, milestones: list[tuple[str, int]], outcomes: list[tuple[str, int]]
) -> None:
    parts = schedule(fee(whole), milestones, outcomes)
    assert value_pence(parts) == whole + sum(amount for _, amount in [*milestones, *outcomes])
    assert all(part.amount_pence > 0 for part in parts)
    kinds = [part.kind for part in parts]
    assert kinds == sorted(kinds, key=list(PaymentKind).index)


def test_money_falls_due_thirty_days_after_a_valid_claim() -> None:
    assert due_on(date(2019, 1, 31)) == date(2019, 3, 2)
    assert due_on(date(2020, 1, 31)) == date(2020, 3, 1)
    assert due_on(date(2018, 12, 31)) == date(2019, 1, 30)
