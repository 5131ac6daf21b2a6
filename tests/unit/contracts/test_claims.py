"""The life of a claim, and the hands that have to be apart."""

from datetime import date
from itertools import product

import pytest

from services.contracts.rules.claims import (
    MAY,
    ClaimMove,
    ClaimStatus,
    Hand,
    RecordedByThem,
    SameHand,
    check_apart,
    check_not_recorder,
    late,
    moved,
)
from services.contracts.rules.life import MoveNotAllowed, NotTheirMove, Role
from services.contracts.rules.money import due_on

BEFORE = ("submitted", "certified", "disputed")
ALLOWED = {
    ("submitted", "certify", "supplier"): "certified",
    ("certified", "approve", "commissioner"): "approved",
    ("certified", "dispute", "commissioner"): "disputed",
    ("disputed", "resolve", "commissioner"): "certified",
    ("approved", "pay", "commissioner"): "paid",
    ("approved", "empty", "clock"): "void",
    **{(status, "reject", "commissioner"): "rejected" for status in BEFORE},
    **{(status, "withdraw", "supplier"): "withdrawn" for status in BEFORE},
    **{(status, "empty", "clock"): "void" for status in BEFORE},
}
HANDS = [Hand(key, person) for key in ("key-1", "key-2") for person in ("Ann Onym", " ann  ONYM ", "Bea Two")]


def test_every_move_of_a_claim_by_everybody() -> None:
    for status, step, role in product(ClaimStatus, ClaimMove, Role):
        target = ALLOWED.get((status.value, step.value, role.value))
        if target is not None:
            assert moved(status, step, role) == target
            continue
        with pytest.raises(MoveNotAllowed if role in MAY[step] else NotTheirMove):
            moved(status, step, role)


@pytest.mark.parametrize(("first", "second"), list(product(HANDS, HANDS)))
def test_two_hands_are_two_credentials_and_two_people(first: Hand, second: Hand) -> None:
    people = {hand.person.strip().lower().split()[0] for hand in (first, second)}
    if first.client_id != second.client_id and len(people) == 2:
        check_apart(first, second, "words")
        return
    with pytest.raises(SameHand):
        check_apart(first, second, "words")


@pytest.mark.parametrize(("approver", "recorders"), list(product(HANDS, [(), ("key-1",), ("key-2", "key-3")])))
def test_who_recorded_the_evidence_does_not_approve(approver: Hand, recorders: tuple[str, ...]) -> None:
    if approver.client_id in recorders:
        with pytest.raises(RecordedByThem):
            check_not_recorder(approver, recorders)
    else:
        check_not_recorder(approver, recorders)


def test_a_claim_is_due_in_thirty_days_and_days_in_dispute_do_not_count() -> None:
    assert due_on(date(2023, 12, 4)) == date(2024, 1, 3)
    assert due_on(date(2023, 12, 4), 30) == date(2024, 2, 2)


@pytest.mark.parametrize("status", ClaimStatus)
def test_only_a_claim_that_waits_for_the_commissioner_can_be_late(status: ClaimStatus) -> None:
    waits = status in {ClaimStatus.CERTIFIED, ClaimStatus.APPROVED}
    assert late(status, date(2024, 1, 3), date(2024, 1, 4)) is waits
    assert not late(status, date(2024, 1, 3), date(2024, 1, 3))
    assert not late(status, None, date(2024, 1, 4))
