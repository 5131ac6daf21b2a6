"""Milestones: what a record does, on every combination of contract, milestone and record."""

from datetime import date, timedelta
from itertools import combinations_with_replacement, product

from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.life import Status
from services.contracts.rules.milestones import (
    RECORDABLE,
    TABLE,
    Applied,
    MilestoneStatus,
    Timing,
    Undone,
    all_decided,
    apply_record,
    circle,
    next_look,
    payment_after,
    standing,
    timing,
    undone,
    waiting_for,
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


def test_how_near_a_milestone_is() -> None:
    due = date(2024, 1, 31)
    for day, expected in (
        (date(2024, 1, 16), Timing.PLANNED),
        (date(2024, 1, 17), Timing.DUE_SOON),
        (due, Timing.DUE_SOON),
        (date(2024, 2, 1), Timing.OVERDUE),
    ):
        assert timing(MilestoneStatus.SCHEDULED, due, day) is expected
        for status in set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}:
            assert timing(status, due, day) is Timing.DECIDED


@given(st.lists(st.dates(date(2024, 1, 1), date(2024, 12, 31))), st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_the_next_look_is_the_next_day_on_which_something_changes(due: list[date], today: date) -> None:
    look = next_look(due, today)

    def near(day: date) -> list[Timing]:
        return [timing(MilestoneStatus.SCHEDULED, each, day) for each in due]

    day = today
    while day < (look or date(2025, 2, 1)) - timedelta(days=1):
        day += timedelta(days=1)
        assert near(day) == near(today)
    if look is not None:
        assert near(look) != near(today)


def test_what_a_milestone_waits_for() -> None:
    assert waiting_for([], frozenset()) == []
    assert waiting_for(["M1", "M2"], frozenset({"M2"})) == ["M1"]


def test_circles_are_found() -> None:
    assert circle({}) == []
    assert circle({"A": [], "B": ["A"], "C": ["A", "B"]}) == []
    assert circle({"A": ["A"]}) == ["A"]
    assert circle({"A": ["B"], "B": ["C"], "C": ["A"], "D": []}) == ["A", "B", "C"]


MET, PARTLY, NOT_MET = MilestoneStatus.MET, MilestoneStatus.PARTIALLY_MET, MilestoneStatus.NOT_MET


def test_a_milestone_stands_by_the_first_record_that_says_met_or_else_by_the_last() -> None:
    assert standing([]) is None
    assert standing([NOT_MET]) == 0
    assert standing([NOT_MET, PARTLY]) == 1
    assert standing([PARTLY, MET, NOT_MET, MET]) == 1


@given(st.lists(st.sampled_from([MET, PARTLY, NOT_MET]), min_size=1))
def test_records_that_stand_decide_as_they_did_when_they_arrived(recorded: list[MilestoneStatus]) -> None:
    present = MilestoneStatus.SCHEDULED
    for each in recorded:
        if apply_record(Status.ACTIVE, present, each) is Applied.APPLIED:
            present = each
    place = standing(recorded)
    assert place is not None
    assert recorded[place] is present


def test_a_withdrawal_reverts_what_its_record_decided_unless_the_contract_is_frozen() -> None:
    for status in Status:
        if status is Status.TRANSFERRED:
            assert undone(status, True) is undone(status, False) is Undone.FROZEN
        else:
            assert undone(status, True) is Undone.REVERTED
            assert undone(status, False) is Undone.NO_EFFECT
