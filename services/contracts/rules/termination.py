"""Ends before the term: on which ground, by whom, with what notice, and what stays payable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.contracts.rules.life import NotTheirMove, Role
from services.contracts.rules.money import PaymentKind, PaymentStatus
from services.kernel.errors import DomainError, Unprocessable


class Ground(StrEnum):
    """Why a contract ends before its term does."""

    AGREEMENT = "agreement"
    BREACH = "breach"
    CONVENIENCE = "convenience"
    SCHOOL_CLOSED = "school_closed"


MAY_GIVE_NOTICE: dict[Ground, frozenset[Role]] = {
    Ground.AGREEMENT: frozenset({Role.COMMISSIONER, Role.SUPPLIER, Role.RESPONSIBLE_BODY}),
    Ground.BREACH: frozenset({Role.COMMISSIONER}),
    Ground.CONVENIENCE: frozenset({Role.COMMISSIONER, Role.SUPPLIER}),
    Ground.SCHOOL_CLOSED: frozenset({Role.COMMISSIONER}),
}
"""Who may say so: an agreement every party, breach and closure the commissioner, convenience also the supplier."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says about leaving: days of notice, the days on which the supplier too may leave, and its end."""

    notice_days: int
    break_points: Sequence[date]
    ends_on: date


class NoticeTooShort(Unprocessable):
    """The contract would end before the notice that it asks for has run."""

    code = "notice_too_short"
    title = "The notice is too short"


class NotABreakPoint(Unprocessable):
    """The supplier leaves for convenience at a break point only."""

    code = "not_a_break_point"
    title = "Not a break point"


class BadEnd(Unprocessable):
    """The contract cannot end on that day."""

    code = "bad_end"
    title = "The last day does not serve"


class SchoolStillOpen(DomainError):
    """The register shows the school as open."""

    code = "school_open"
    title = "The school is open"


class AlreadyNotified(DomainError):
    """Notice has been given already, for a day no later than this one."""

    code = "already_notified"
    title = "Notice has been given"


def check_notice(ground: Ground, role: Role, terms: Terms, today: date, ends_on: date) -> None:
    """Raise unless `role` may end the contract on this ground with `ends_on` as its last day."""
    if role not in MAY_GIVE_NOTICE[ground]:
        who = " or the ".join(sorted(MAY_GIVE_NOTICE[ground]))
        raise NotTheirMove(f"A termination on the ground of {ground} is for the {who}.", ground=ground.value)
    pointer = [{"pointer": "/ends_on"}]
    if ends_on < today:
        raise BadEnd("A contract cannot end in the past.", errors=pointer)
    if ends_on >= terms.ends_on:
        raise BadEnd(f"The contract ends on {terms.ends_on} by itself.", errors=pointer)
    if ground is not Ground.CONVENIENCE:
        return
    first = today + timedelta(days=terms.notice_days)
    if ends_on < first:
        words = f"The contract asks for {terms.notice_days} days of notice: {first} is the first day to end on."
        raise NoticeTooShort(words, errors=pointer, first_day=first.isoformat())
    if role is Role.SUPPLIER and ends_on not in terms.break_points:
        days = ", ".join(day.isoformat() for day in terms.break_points) or "none"
        raise NotABreakPoint(f"The supplier may leave at a break point; this contract has {days}.", errors=pointer)


def check_earlier(ends_on: date, notified: date | None) -> None:
    """Raise unless no notice runs, or this one ends the contract earlier."""
    if notified is not None and ends_on >= notified:
        raise AlreadyNotified(f"The contract ends on {notified} by a notice already given.")


def after_termination(ground: Ground, kind: PaymentKind, due_on: date | None, ended_on: date) -> PaymentStatus:
    """What becomes of a payment that was promised and not yet earned when a contract was terminated.

    After a breach nothing more is earned. Else work that was due by the last day can still be shown to have been
    done, and results assessed within the shortened term can still earn; a fee not begun, and work due later, cannot.
    `due_on` is the day of a milestone; None for fee and outcomes.
    """
    done_in_time = kind is PaymentKind.MILESTONE and due_on is not None and due_on <= ended_on
    stays = ground is not Ground.BREACH and (kind is PaymentKind.OUTCOME or done_in_time)
    return PaymentStatus.SCHEDULED if stays else PaymentStatus.WITHHELD


def ended_on(starts_on: date, last_day: date) -> date:
    """The last day as the term counts it: the eve of the first one when the contract never began."""
    return max(last_day, starts_on - timedelta(days=1))
