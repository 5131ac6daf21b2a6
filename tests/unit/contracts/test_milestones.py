"""Milestones: what a record does, on every combination of contract, milestone and record."""

from itertools import combinations_with_replacement, product

from services.contracts.rules.life import Status
from services.contracts.rules.milestones import (
    RECORDABLE,
    TABLE,
    Applied,
    MilestoneStatus,
    all_decided,
    apply_record,
    payment_after,
)
from services.contracts.rules.money import PaymentStatus

IN_FORCE = {"active", "suspended", "completed", "expired", "terminated"}
STEPS = {
    ("not_met", "not_met"),
    ("partially_met", "partially_met"),
    ("scheduled", "met"),
    ("scheduled", "partially_met"),
    ("scheduled", "not_met"),
    ("not_met", "partially_met"),
    ("not_met", "met"),
    ("partially_met", "not_met"),
    ("partially_met", "met"),
}
"""Every change of a milestone that there is, written out apart from the code."""


def test_the_table_has_exactly_these_changes() -> None:
    assert {(before.value, after.value) for before, to in TABLE.items() for after in to} == STEPS
    assert set(TABLE) == set(MilestoneStatus)


def test_evidence_counts_from_the_start_of_the_term_on() -> None:
    assert {status.value for status in RECORDABLE} == IN_FORCE


def test_what_a_record_does_in_every_case() -> None:
    reported = [status for status in MilestoneStatus if status is not MilestoneStatus.SCHEDULED]
    for contract, present, recorded in product(Status, [None, *MilestoneStatus], reported):
        if present is None:
            expected = "unknown_milestone"
        elif contract.value not in IN_FORCE:
            expected = "not_in_force"
        elif present.value == "met":
            expected = "already_met"
        else:
            expected = "applied"
        assert apply_record(contract, present, recorded).value == expected


def test_every_change_in_the_table_is_applied_and_none_from_met() -> None:
    for before, after in product(MilestoneStatus, MilestoneStatus):
        result = apply_record(Status.ACTIVE, before, after)
        if (before.value, after.value) in STEPS:
            assert result is Applied.APPLIED
        if before is MilestoneStatus.MET:
            assert result is Applied.ALREADY_MET


def test_a_payment_is_earned_by_a_milestone_that_is_met_and_by_no_other() -> None:
    for status in MilestoneStatus:
        expected = PaymentStatus.EARNED if status.value == "met" else PaymentStatus.SCHEDULED
        assert payment_after(status) is expected


def test_a_milestone_is_decided_either_way() -> None:
    for required in combinations_with_replacement(MilestoneStatus, 3):
        assert all_decided(list(required)) is all(status.value != "scheduled" for status in required)
    assert all_decided([])
