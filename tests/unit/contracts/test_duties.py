"""What must be published or done by when (Procurement Act 2023)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.duties import (
    Commitment,
    Duty,
    DutyState,
    Earned,
    Notice,
    Published,
    duties,
    quarter_end,
)
from services.contracts.rules.performance import IN_FORCE_ON, Basis

TODAY = date(2024, 2, 1)
CONTRACT = Commitment(
    legal_route="light_touch",
    value_pence=23_000_000,
    entered_on=date(2023, 7, 1),
    starts_on=date(2023, 9, 1),
    ended_on=None,
    variations=(),
    assessments=(),
    findings=(),
    earned=(),
    hand_back_due_on=None,
    handed_back_on=None,
    notices=(),
)


def found(contract: Commitment, today: date = TODAY) -> dict[tuple[str, str | None], Duty]:
    return {(duty.code, duty.subject): duty for duty in duties(contract, today)}


def test_a_contract_that_was_not_signed_owes_nothing() -> None:
    assert duties(replace(CONTRACT, entered_on=None), TODAY) == []


@pytest.mark.parametrize(
    ("route", "days", "basis"), [("light_touch", 120, "statutory"), ("other", 30, "statutory"), ("grant", 30, "policy")]
)
def test_contract_details(route: str, days: int, basis: str) -> None:
    duty = found(replace(CONTRACT, legal_route=route, entered_on=IN_FORCE_ON))["publish_uk7", None]
    assert (duty.due_on, duty.basis, duty.done_on) == (IN_FORCE_ON + timedelta(days=days), basis, None)
    assert found(replace(CONTRACT, legal_route=route))["publish_uk7", None].basis is Basis.POLICY
    assert "s.53" in duty.rule
    assert ("publish_uk7_copy", None) not in found(replace(CONTRACT, legal_route=route))


def test_a_copy_of_a_contract_over_five_million() -> None:
    duty = found(replace(CONTRACT, value_pence=500_000_000))["publish_uk7_copy", None]
    assert duty.due_on == date(2023, 9, 29)


def test_a_notice_fulfils_the_duty_that_it_is_about() -> None:
    notices = [
        Published(Notice.CONTRACT_DETAILS, date(2023, 8, 2), None),
        Published(Notice.CONTRACT_DETAILS, date(2023, 8, 1), None),
        Published(Notice.CHANGE, date(2023, 12, 1), "2"),
    ]
    seen = found(replace(CONTRACT, notices=notices, variations=[(1, date(2023, 12, 1)), (2, date(2024, 3, 1))]))
    assert seen["publish_uk7", None].done_on == date(2023, 8, 1)
    first, second = seen["publish_uk10", "1"], seen["publish_uk10", "2"]
    assert (first.due_on, first.done_on, first.state(TODAY)) == (date(2023, 11, 30), None, DutyState.OVERDUE)
    assert (second.due_on, second.done_on, second.state(TODAY)) == (
        date(2024, 2, 29),
        date(2023, 12, 1),
        DutyState.DONE,
    )


def test_a_duty_is_late_after_its_day() -> None:
    duty = found(CONTRACT)["assess_kpis", None]
    assert duty.due_on == date(2024, 9, 1)
    assert duty.state(date(2024, 9, 1)) is DutyState.OPEN
    assert duty.state(date(2024, 9, 2)) is DutyState.OVERDUE


def test_kpis_are_assessed_at_least_every_twelve_months() -> None:
    assert not any(code == "assess_kpis" for code, _ in found(CONTRACT, date(2023, 8, 31)))
    seen = found(replace(CONTRACT, assessments=[date(2025, 1, 15), date(2024, 3, 1)]))
    assert seen["assess_kpis", "2024-03-01"].due_on == date(2024, 9, 1)
    assert seen["assess_kpis", "2025-01-15"].due_on == date(2025, 3, 1)
    assert (seen["assess_kpis", None].due_on, seen["assess_kpis", None].done_on) == (date(2026, 1, 15), None)


def test_and_once_more_at_the_end() -> None:
    ended = replace(CONTRACT, ended_on=date(2024, 8, 31), assessments=[date(2024, 3, 1)])
    seen = found(ended, date(2024, 10, 1))
    assert ("assess_kpis", None) not in seen
    assert (seen["assess_kpis_at_end", None].due_on, seen["assess_kpis_at_end", None].done_on) == (
        date(2024, 9, 30),
        None,
    )
    late = found(replace(ended, assessments=[date(2025, 3, 21)], ended_on=date(2025, 1, 31)), date(2025, 4, 1))
    assert late["assess_kpis", None].done_on == late["assess_kpis_at_end", None].done_on == date(2025, 3, 21)
    never_begun = found(replace(CONTRACT, ended_on=date(2023, 8, 31)), date(2023, 9, 10))
    assert ("assess_kpis_at_end", None) not in never_begun


def test_findings_and_ends_are_told_of_within_thirty_days() -> None:
    seen = found(replace(CONTRACT, findings=[(2, date(2024, 1, 10))], ended_on=date(2024, 1, 31)))
    assert seen["publish_uk9", "2"].due_on == date(2024, 2, 9)
    assert seen["publish_uk11", None].due_on == date(2024, 3, 1)


def test_what_is_handed_back() -> None:
    due = replace(CONTRACT, ended_on=date(2024, 1, 31), hand_back_due_on=date(2024, 2, 14))
    assert found(due)["hand_back", None].done_on is None
    assert found(replace(due, handed_back_on=TODAY))["hand_back", None].done_on == TODAY


def test_what_is_earned_is_paid_in_thirty_days_and_large_payments_are_published() -> None:
    earned = [Earned("FEE", 12_000_000, date(2023, 10, 1)), Earned("M1", 3_000_000, date(2023, 11, 26))]
    seen = found(replace(CONTRACT, earned=earned))
    assert seen["pay", "FEE"].due_on == date(2023, 10, 1)
    assert seen["publish_uk8", "FEE"].due_on == date(2024, 1, 30)
    assert ("publish_uk8", "M1") not in seen
    assert seen["pay", "M1"].basis is Basis.POLICY


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_quarters_end_in_march_june_september_and_december(day: date) -> None:
    end = quarter_end(day)
    assert day <= end < day + timedelta(days=92)
    assert end.month % 3 == 0
    assert (end + timedelta(days=1)).day == 1


def test_duties_come_by_due_date() -> None:
    busy = replace(CONTRACT, ended_on=date(2024, 1, 31), variations=[(1, date(2023, 12, 1))])
    seen = [duty.due_on for duty in duties(busy, TODAY)]
    assert seen == sorted(seen)
