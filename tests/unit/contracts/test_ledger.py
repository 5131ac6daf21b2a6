"""Money moves between accounts by one table, and what accounts hold says where a payment stands."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.ledger import (
    MAY,
    TABLE,
    Account,
    Move,
    NotSoMuch,
    check_held,
    gained,
    moved,
    standing,
    status_of,
)
from services.contracts.rules.life import MoveNotAllowed, NotTheirMove, Role
from services.contracts.rules.money import PaymentStatus

ALLOWED = {
    ("scheduled", "earn", "clock"): "earned",
    ("scheduled", "retain", "clock"): "retained",
    ("scheduled", "reduce", "clock"): "reduced",
    ("scheduled", "withhold", "clock"): "withheld",
    ("retained", "release", "clock"): "scheduled",
    ("earned", "claim", "supplier"): "claimed",
    ("earned", "unearn", "clock"): "scheduled",
    ("claimed", "certify", "supplier"): "certified",
    **{("claimed", "return", role): "earned" for role in ("supplier", "commissioner", "clock")},
    ("certified", "approve", "commissioner"): "approved",
    **{("certified", "return", role): "earned" for role in ("supplier", "commissioner", "clock")},
    ("approved", "pay", "commissioner"): "paid",
    ("approved", "reverse", "clock"): "reversed",
    ("paid", "repay", "commissioner"): "owed",
    ("owed", "reverse", "clock"): "reversed",
    ("reduced", "earn", "clock"): "earned",
    ("reversed", "earn", "clock"): "earned",
}


def test_every_move_of_money_by_everybody() -> None:
    for account, step, role in product(Account, Move, Role):
        target = ALLOWED.get((account.value, step.value, role.value))
        if target is not None:
            assert moved(account, step, role) == target
            continue
        refusal = MoveNotAllowed if role in MAY[step] else NotTheirMove
        with pytest.raises(refusal):
            moved(account, step, role)


def test_no_more_is_moved_than_there_is_and_no_more_is_owed_than_was_paid() -> None:
    check_held({Account.EARNED: 5}, Account.EARNED, 5)
    check_held({Account.PAID: 5, Account.OWED: -2}, Account.OWED, 3)
    for held, source, amount in (
        ({Account.EARNED: 5}, Account.EARNED, 6),
        ({Account.EARNED: 5}, Account.EARNED, 0),
        ({}, Account.CLAIMED, 1),
        ({Account.PAID: 5, Account.OWED: -2}, Account.OWED, 4),
    ):
        with pytest.raises(NotSoMuch):
            check_held(held, source, amount)


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ({Account.SCHEDULED: 100}, "scheduled"),
        ({Account.RETAINED: 25, Account.EARNED: 75}, "earned"),
        ({Account.CLAIMED: 100}, "claimed"),
        ({Account.CERTIFIED: 100}, "certified"),
        ({Account.APPROVED: 100}, "approved"),
        ({Account.PAID: 100}, "paid"),
        ({Account.PAID: 75, Account.RETAINED: 25}, "paid"),
        ({Account.PAID: 60, Account.REDUCED: 40}, "reduced"),
        ({Account.REDUCED: 100}, "withheld"),
        ({Account.WITHHELD: 100}, "withheld"),
        ({Account.PAID: 100, Account.OWED: -30, Account.REVERSED: 30}, "reversed"),
        ({Account.REVERSED: 100}, "reversed"),
        ({Account.PAID: 75, Account.EARNED: 25}, "earned"),
    ],
)
def test_what_accounts_hold_says_where_a_payment_stands(held: dict[Account, int], status: str) -> None:
    assert status_of({Account.VALUE: -100, **held}) == status
    found = standing({Account.VALUE: -100, **held})
    assert found.earned_pence == gained(held)
    assert found.paid_pence == held.get(Account.PAID, 0) + held.get(Account.OWED, 0)


@given(
    st.lists(st.tuples(st.sampled_from(list(Account)), st.sampled_from(list(Move)), st.integers(1, 120)), max_size=60)
)
def test_whatever_moves_the_accounts_of_a_part_sum_to_nothing(moves: list[tuple[Account, Move, int]]) -> None:
    held = dict.fromkeys(Account, 0) | {Account.VALUE: -100, Account.SCHEDULED: 100}
    for source, step, amount in moves:
        if step not in TABLE[source]:
            continue
        try:
            check_held(held, source, amount)
        except NotSoMuch:
            continue
        held[source] -= amount
        held[TABLE[source][step]] += amount
        assert sum(held.values()) == 0
        assert all(amount >= 0 for account, amount in held.items() if account not in {Account.VALUE, Account.OWED})
        assert 0 <= held[Account.PAID] + held[Account.OWED] <= 100
        assert isinstance(status_of(held), PaymentStatus)
