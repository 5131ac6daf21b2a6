"""Milestones: what a record of one does to the promise."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from services.contracts.rules.life import Status
from services.contracts.rules.money import PaymentStatus


class MilestoneStatus(StrEnum):
    """How a milestone stands, in the words of the wire."""

    SCHEDULED = "scheduled"
    MET = "met"
    PARTIALLY_MET = "partially_met"
    NOT_MET = "not_met"


class Applied(StrEnum):
    """What became of a record when it reached the contract."""

    APPLIED = "applied"
    UNKNOWN_MILESTONE = "unknown_milestone"
    NOT_IN_FORCE = "not_in_force"
    ALREADY_MET = "already_met"


class Undone(StrEnum):
    """What became of a withdrawal when it reached the contract."""

    REVERTED = "reverted"
    NO_EFFECT = "no_effect"
    FROZEN = "frozen"


class Timing(StrEnum):
    """How near a milestone is, by the clock."""

    PLANNED = "planned"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    DECIDED = "decided"


REMINDER_DAYS = 14
"""So many days before its date a milestone that is not decided is brought to mind."""

RECORDABLE = frozenset({Status.ACTIVE, Status.SUSPENDED, Status.COMPLETED, Status.EXPIRED, Status.TERMINATED})
"""Statuses in which evidence about a milestone still counts: from the start of the term on."""

TABLE: dict[MilestoneStatus, frozenset[MilestoneStatus]] = {
    MilestoneStatus.SCHEDULED: frozenset(set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}),
    MilestoneStatus.NOT_MET: frozenset(set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}),
    MilestoneStatus.PARTIALLY_MET: frozenset(set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}),
    MilestoneStatus.MET: frozenset(),
}
"""A milestone once met stays met; only a withdrawal of the record undoes it. The latest of the others counts."""


def apply_record(contract: Status, present: MilestoneStatus | None, recorded: MilestoneStatus) -> Applied:
    """What a record means for its milestone (None: the contract has no such milestone)."""
    if present is None:
        return Applied.UNKNOWN_MILESTONE
    if contract not in RECORDABLE:
        return Applied.NOT_IN_FORCE
    return Applied.APPLIED if recorded in TABLE[present] else Applied.ALREADY_MET


def standing(statuses: Sequence[MilestoneStatus]) -> int | None:
    """Which of a milestone's records decides it, by its place; None when there is none. They come as they arrived."""
    present, decider = MilestoneStatus.SCHEDULED, None
    for place, recorded in enumerate(statuses):
        if recorded in TABLE[present]:
            present, decider = recorded, place
    return decider


def undone(contract: Status, decides: bool) -> Undone:
    """What the withdrawal of a record means; `decides` says whether the milestone stands by that record."""
    if contract is Status.TRANSFERRED:
        return Undone.FROZEN
    return Undone.REVERTED if decides else Undone.NO_EFFECT


def payment_after(status: MilestoneStatus) -> PaymentStatus:
    """What a milestone's status means for its payment: it is earned when the milestone is met, not before."""
    return PaymentStatus.EARNED if status is MilestoneStatus.MET else PaymentStatus.SCHEDULED


def all_decided(required: list[MilestoneStatus]) -> bool:
    """Whether every required milestone has been decided, one way or the other."""
    return MilestoneStatus.SCHEDULED not in required


def timing(status: MilestoneStatus, due_on: date, today: date) -> Timing:
    """How near a milestone is on a day; the due date itself is still in time."""
    if status is not MilestoneStatus.SCHEDULED:
        return Timing.DECIDED
    if today > due_on:
        return Timing.OVERDUE
    return Timing.DUE_SOON if today >= due_on - timedelta(days=REMINDER_DAYS) else Timing.PLANNED


def next_look(undecided: Sequence[date], today: date) -> date | None:
    """The next day on which the timing of one of these due dates changes; None when no date lies ahead."""
    days = [day for due in undecided for day in (due - timedelta(days=REMINDER_DAYS), due + timedelta(days=1))]
    return min((day for day in days if day > today), default=None)


def waiting_for(depends_on: Sequence[str], met: frozenset[str]) -> list[str]:
    """The milestones that must be met before one that depends on them pays."""
    return [code for code in depends_on if code not in met]


def circle(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """The codes that depend on themselves in the end, by code; none when every milestone can be reached."""
    open_codes = dict(depends_on)
    while True:
        free = {code for code, needs in open_codes.items() if not any(need in open_codes for need in needs)}
        if not free:
            return sorted(open_codes)
        open_codes = {code: needs for code, needs in open_codes.items() if code not in free}
