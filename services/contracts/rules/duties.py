"""Duties: what must be published or done by when, computed from the contract, each with the rule that makes it due.

Procurement Act 2023 and Procurement Regulations 2024; see STANDARDS.md 2 and 4.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from services.contracts.rules.performance import Basis, kpi_basis, over_threshold, under_the_act
from services.contracts.rules.terms import anniversary

LIGHT_TOUCH_DAYS = 120
DETAILS_DAYS = 30
COPY_DAYS = 90
PERFORMANCE_DAYS = 30
TERMINATION_DAYS = 30
QUARTER_DAYS = 30
PUBLISHED_PAYMENT_PENCE = 3_000_000
"""Payments over £30,000 are published (section 70)."""


class DutyState(StrEnum):
    """Whether a duty lies ahead, has been done, or is late."""

    OPEN = "open"
    DONE = "done"
    OVERDUE = "overdue"


class Notice(StrEnum):
    """Notices of the Act, by the numbers of the Find a Tender platform; a copy of the contract goes with UK7."""

    CONTRACT_DETAILS = "UK7"
    CONTRACT_COPY = "UK7_copy"
    PAYMENT = "UK8"
    PERFORMANCE = "UK9"
    CHANGE = "UK10"
    TERMINATION = "UK11"


@dataclass(frozen=True, slots=True)
class Published:
    """A notice that was published; `subject` says about what, where a contract has several of a kind."""

    kind: Notice
    published_on: date
    subject: str | None


@dataclass(frozen=True, slots=True)
class Earned:
    """A payment that was claimed, in pence, the last day to pay it, and the day on which it was paid."""

    code: str
    amount_pence: int
    due_on: date
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """What duties follow from. Days are London dates, money is pence without VAT."""

    legal_route: str
    value_pence: int
    entered_on: date | None
    starts_on: date
    ended_on: date | None
    variations: Sequence[tuple[int, date]]
    assessments: Sequence[date]
    findings: Sequence[tuple[int, date]]
    earned: Sequence[Earned]
    hand_back_due_on: date | None
    handed_back_on: date | None
    notices: Sequence[Published]


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to publish or do by a day; `rule` names what makes it due, `done_on` when it was done."""

    code: str
    subject: str | None
    title: str
    due_on: date
    rule: str
    basis: Basis
    done_on: date | None

    def state(self, today: date) -> DutyState:
        """How the duty stands on a day."""
        if self.done_on is not None:
            return DutyState.DONE
        return DutyState.OVERDUE if today > self.due_on else DutyState.OPEN


def duties(contract: Commitment, today: date) -> list[Duty]:
    """Every duty that the contract has brought up to a day, by due date; one not signed by all brings none."""
    if contract.entered_on is None:
        return []
    found = [
        *details(contract, contract.entered_on),
        *changes(contract),
        *assessments(contract, today),
        *poor_performance(contract),
        *ending(contract),
        *money(contract),
    ]
    return sorted(found, key=lambda duty: (duty.due_on, duty.code, duty.subject or ""))


def by_act(contract: Commitment) -> Basis:
    """Whether the Act's notices bind: grants and earlier contracts are held to the same days by policy."""
    bound = under_the_act(contract.legal_route, contract.entered_on)
    return Basis.STATUTORY if bound else Basis.POLICY


def published(contract: Commitment, kind: Notice, subject: str | None = None) -> date | None:
    """The day on which a notice was first published."""
    days = [each.published_on for each in contract.notices if each.kind is kind and each.subject == subject]
    return min(days, default=None)


def notice(contract: Commitment, kind: Notice, subject: str | None, words: str, due_on: date, rule: str) -> Duty:
    """The duty to publish a notice."""
    done_on = published(contract, kind, subject)
    return Duty(f"publish_{kind.value.lower()}", subject, words, due_on, rule, by_act(contract), done_on)


def details(contract: Commitment, entered_on: date) -> list[Duty]:
    """Contract details within 30 days of entering into it, 120 where light-touch; a copy over £5 million within 90."""
    days = LIGHT_TOUCH_DAYS if contract.legal_route == "light_touch" else DETAILS_DAYS
    rule = f"Procurement Act 2023 s.53: {days} days after the contract is entered into"
    due = entered_on + timedelta(days=days)
    found = [notice(contract, Notice.CONTRACT_DETAILS, None, "Publish the contract details notice (UK7)", due, rule)]
    if over_threshold(contract.value_pence):
        words, due = "Publish a copy of the contract", entered_on + timedelta(days=COPY_DAYS)
        rule = f"Procurement Act 2023 s.53(3): over £5 million, {COPY_DAYS} days after the contract is entered into"
        found.append(notice(contract, Notice.CONTRACT_COPY, None, words, due, rule))
    return found


def changes(contract: Commitment) -> list[Duty]:
    """A change notice before each variation takes effect."""
    rule = "Procurement Act 2023 s.75: before the contract is modified"
    return [
        notice(
            contract,
            Notice.CHANGE,
            str(number),
            f"Publish the contract change notice (UK10) for variation {number}",
            effective_on - timedelta(days=1),
            rule,
        )
        for number, effective_on in contract.variations
    ]


def assessments(contract: Commitment, today: date) -> list[Duty]:
    """A KPI assessment at least every twelve months while the contract runs, and one at its end."""
    if today < contract.starts_on:
        return []
    basis = kpi_basis(contract.legal_route, contract.value_pence, contract.entered_on)
    end = contract.ended_on
    rule = "Procurement Act 2023 s.71(2): at least every 12 months, and on termination"
    running = [day for day in sorted(contract.assessments) if end is None or day <= end]
    after = [day for day in sorted(contract.assessments) if end is not None and day > end]
    title, found = "Assess performance against the KPIs and publish it (UK9)", []
    for before, done_on in pairwise([contract.starts_on, *running]):
        due = anniversary(before, 1)
        found.append(Duty("assess_kpis", done_on.isoformat(), title, due, rule, basis, done_on))
    due = anniversary(running[-1] if running else contract.starts_on, 1)
    if end is None or due <= end:
        done = after[0] if after else None
        found.append(Duty("assess_kpis", None, title, due, rule, basis, done))
    if end is not None and end >= contract.starts_on:
        due, done = end + timedelta(days=PERFORMANCE_DAYS), after[0] if after else None
        found.append(Duty("assess_kpis_at_end", None, "Assess performance at the end (UK9)", due, rule, basis, done))
    return found


def poor_performance(contract: Commitment) -> list[Duty]:
    """A performance notice within 30 days of a breach or a finding of poor performance.

    A termination in full for breach is told by the termination notice instead.
    """
    rule = "Procurement Act 2023 s.71(3)-(5): within 30 days"
    return [
        notice(
            contract,
            Notice.PERFORMANCE,
            str(number),
            f"Publish the performance notice (UK9) on finding {number}",
            found_on + timedelta(days=PERFORMANCE_DAYS),
            rule,
        )
        for number, found_on in contract.findings
    ]


def ending(contract: Commitment) -> list[Duty]:
    """A termination notice within 30 days of the end, whatever the end; and what is to be handed back."""
    found = []
    if contract.ended_on is not None:
        rule = "Procurement Act 2023 s.80: 30 days after the contract is terminated, also by running out"
        words, due = "Publish the contract termination notice (UK11)", contract.ended_on
        due = due + timedelta(days=TERMINATION_DAYS)
        found.append(notice(contract, Notice.TERMINATION, None, words, due, rule))
    if contract.hand_back_due_on is not None:
        words, rule, due = "Hand the school's affairs back", "The contract's termination", contract.hand_back_due_on
        found.append(Duty("hand_back", None, words, due, rule, Basis.POLICY, contract.handed_back_on))
    return found


def money(contract: Commitment) -> list[Duty]:
    """Pay what was claimed in 30 days; publish payments over £30,000 within 30 days of the quarter's end."""
    found = []
    for each in contract.earned:
        words, rule = f"Pay {each.code}", "Procurement Act 2023 s.68: an undisputed invoice within 30 days"
        found.append(Duty("pay", each.code, words, each.due_on, rule, by_act(contract), each.paid_on))
        if each.amount_pence > PUBLISHED_PAYMENT_PENCE:
            words, due = f"Publish the payment of {each.code} (UK8)", quarter_end(each.due_on)
            rule = "Procurement Act 2023 s.70: payments over £30,000, 30 days after the quarter"
            due = due + timedelta(days=QUARTER_DAYS)
            found.append(notice(contract, Notice.PAYMENT, each.code, words, due, rule))
    return found


def quarter_end(day: date) -> date:
    """The last day of the calendar quarter."""
    month = (day.month + 2) // 3 * 3
    return date(day.year, month, monthrange(day.year, month)[1])
