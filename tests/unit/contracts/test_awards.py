"""Payment by results (METHOD.md 3.12)."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.awards.service import judged as as_judged
from services.contracts.models import Outcome
from services.contracts.rules.awards import (
    GUARD,
    Judged,
    awards,
    negligible,
    of_no_term,
    payable,
    shifts,
    take_back,
    too_early,
)
from services.contracts.rules.ledger import TABLE, Account, Move, check_held, gained


def judged(code: str = "O1", effect: float | None = 3.5, **changes: Any) -> Judged:
    """An outcome of 30,000 pence with floor 1 and full 6, met, of a large cohort."""
    facts = {"payment_pence": 30_000, "floor": 1.0, "full": 6.0, "status": "met", "n": 90, "surely_better": True}
    return Judged(code=code, effect=effect, **(facts | changes))


@pytest.mark.parametrize(("effect", "share"), [(-1, 0), (0, 0), (1, 0), (2, 0.2), (3.5, 0.5), (6, 1), (9, 1)])
def test_the_worked_shares(effect: float, share: float) -> None:
    found = awards([judged(effect=effect)], 1.0, [])[0]
    assert (found.share, found.amount_pence) == (share, round(30_000 * share))


@pytest.mark.parametrize(
    ("changes", "amount", "reason"),
    [
        ({}, 15_000, "between_floor_and_full"),
        ({"status": "partly_met"}, 15_000, "between_floor_and_full"),
        ({"status": "partly_met", "surely_better": False}, 0, "improvement_not_proven"),
        ({"status": "not_met"}, 0, "outcome_not_met"),
        ({"effect": 0.5}, 0, "below_floor"),
        ({"effect": 8.0}, 30_000, "full"),
    ],
)
def test_what_an_outcome_earns_by_its_status(changes: dict[str, Any], amount: int, reason: str) -> None:
    found = awards([judged(**changes)], 1.0, [])[0]
    assert (found.amount_pence, found.reason) == (amount, reason)


@pytest.mark.parametrize("unknown", [{"n": 29}, {"n": None}, {"effect": None}, {"status": "not_measurable"}])
def test_the_weight_of_what_cannot_be_measured_is_spread(unknown: dict[str, Any]) -> None:
    first, second = awards([judged(), judged("O2", **({"payment_pence": 10_000} | unknown))], 0.75, [])
    assert (first.amount_pence, second.amount_pence, second.reason) == (15_000, 5_000, "weight_redistributed")


def test_too_little_that_can_be_measured_pays_a_fixed_half() -> None:
    lone = [judged(), judged("O2", n=10)]
    assert [each.amount_pence for each in awards(lone, 0.59, [])] == [15_000, 15_000]
    assert {each.reason for each in awards(lone, 0.59, [])} == {"fixed_fallback"}
    assert [each.amount_pence for each in awards([judged(n=10)], 1.0, [])] == [15_000]


def test_a_verdict_that_leaves_an_outcome_to_the_next_year_comes_too_early() -> None:
    settled, waits = {"reasons": ["suppressed"]}, {"reasons": ["first_year_alone", "provisional_only"]}
    assert [too_early(each) for each in ([], [settled], [settled, waits])] == [False, False, True]


def test_a_verdict_on_a_year_for_which_the_supplier_does_not_answer() -> None:
    its, not_its = {"reasons": []}, {"reasons": ["no_accountable_series"]}
    assert [of_no_term(each) for each in ([not_its, not_its], [its, not_its])] == [True, False]


def test_a_guard_blocks_every_outcome() -> None:
    found = awards([judged(), judged("O2", effect=9)], 1.0, ["another", GUARD])
    assert {(each.amount_pence, each.reason) for each in found} == {(0, GUARD)}


def test_a_quarter_is_kept_back_until_it_is_settled() -> None:
    assert payable(15_002, settled=False) == (11_251, 3_751)
    assert payable(15_001, settled=False) == (11_251, 3_750)
    assert payable(15_001, settled=True) == (15_001, 0)


def test_what_rounding_can_do_is_no_revision() -> None:
    assert negligible(3.5, 3.46, 0.05)
    assert not negligible(3.5, 3.4, 0.05)
    assert not negligible(None, 3.4, 0.05)
    assert not negligible(3.4, None, 0.05)


def carried_out(held: dict[Account, int], steps: Any) -> dict[Account, int]:
    """What accounts hold after these shifts, each checked against the ledger's table."""
    found = dict.fromkeys(Account, 0) | held
    for shift in steps:
        check_held(found, shift.source, shift.amount_pence)
        found[shift.source] -= shift.amount_pence
        found[TABLE[shift.source][shift.step]] += shift.amount_pence
    return found


def test_an_advance_and_then_the_settlement() -> None:
    held = carried_out({Account.SCHEDULED: 30_000}, shifts({Account.SCHEDULED: 30_000}, 11_250, 3_750, settled=False))
    assert (held[Account.EARNED], held[Account.RETAINED], held[Account.SCHEDULED]) == (11_250, 3_750, 15_000)
    assert shifts(held, 11_250, 3_750, settled=False) == []
    held = carried_out(held, shifts(held, 18_000, 0, settled=True))
    assert (held[Account.EARNED], held[Account.RETAINED], held[Account.REDUCED]) == (18_000, 0, 12_000)
    held = carried_out(held, shifts(held, 20_000, 0, settled=True))
    assert (held[Account.EARNED], held[Account.REDUCED]) == (20_000, 10_000)


def test_what_was_approved_is_taken_back_before_what_was_paid() -> None:
    held = {Account.PAID: 100, Account.OWED: -20, Account.APPROVED: 30}
    assert [(each.source, each.amount_pence) for each in take_back(held, 50)] == [
        (Account.APPROVED, 30),
        (Account.OWED, 20),
    ]
    assert take_back(held, 0) == []
    assert sum(each.amount_pence for each in take_back(held, 10**6)) == 110
    assert {each.step for each in take_back(held, 50)} == {Move.REVERSE}


amounts = st.integers(0, 1_000)


@given(amounts, amounts, amounts, amounts, amounts, amounts, st.booleans())
def test_whatever_was_held_a_verdict_brings_it_to_what_was_earned(
    scheduled: int, earned: int, retained: int, reduced: int, target: int, kept: int, settled: bool
) -> None:
    before = {
        Account.SCHEDULED: scheduled,
        Account.EARNED: earned,
        Account.RETAINED: retained,
        Account.REDUCED: reduced,
        Account.VALUE: -(scheduled + earned + retained + reduced),
    }
    whole = -before[Account.VALUE]
    kept = 0 if settled else kept
    after = carried_out(before, shifts(before, min(target, whole), kept, settled=settled))
    assert sum(after.values()) == 0
    assert gained(after) == min(target, whole)
    assert min(amount for account, amount in after.items() if account is not Account.VALUE) >= 0
    if settled:
        assert after[Account.SCHEDULED] == after[Account.RETAINED] == 0


@pytest.mark.parametrize(("value_result", "sure"), [("not_available", False), ("same", True)])
def test_without_enough_comparators_no_effect_is_sure_and_none_is_paid_for(value_result: str, sure: bool) -> None:
    """METHOD.md 3.3: fewer than ten comparators cannot judge what was added."""
    terms = {"payment_pence": 3_000_000, "floor": Decimal(1), "full": Decimal(6)}
    row = Outcome(contract_id=uuid4(), code="O1", place=1, measure="KS4_A8", **terms)
    measure = {
        "status": "partly_met",
        "value_result": value_result,
        "effect": {"lower90": 14.8},
        "shrunk": 21.7,
        "actual": {"n": 120},
    }
    found = as_judged(row, measure)
    assert found.surely_better is sure
    assert awards([found], 1.0, [])[0].amount_pence == (3_000_000 if sure else 0)
