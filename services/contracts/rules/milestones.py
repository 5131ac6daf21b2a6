"""Milestones: what a record of one does to the promise."""

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


RECORDABLE = frozenset({Status.ACTIVE, Status.SUSPENDED, Status.COMPLETED, Status.EXPIRED, Status.TERMINATED})
"""Statuses in which evidence about a milestone still counts: from the start of the term on."""

TABLE: dict[MilestoneStatus, frozenset[MilestoneStatus]] = {
    MilestoneStatus.SCHEDULED: frozenset(set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}),
    MilestoneStatus.NOT_MET: frozenset(set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}),
    MilestoneStatus.PARTIALLY_MET: frozenset(set(MilestoneStatus) - {MilestoneStatus.SCHEDULED}),
    MilestoneStatus.MET: frozenset(),
}
"""A milestone once met stays met; only a withdrawal of the record could undo it. The latest of the others counts."""


def apply_record(contract: Status, present: MilestoneStatus | None, recorded: MilestoneStatus) -> Applied:
    """What a record means for its milestone (None: the contract has no such milestone)."""
    if present is None:
        return Applied.UNKNOWN_MILESTONE
    if contract not in RECORDABLE:
        return Applied.NOT_IN_FORCE
    return Applied.APPLIED if recorded in TABLE[present] else Applied.ALREADY_MET


def payment_after(status: MilestoneStatus) -> PaymentStatus:
    """What a milestone's status means for its payment: it is earned when the milestone is met, not before."""
    return PaymentStatus.EARNED if status is MilestoneStatus.MET else PaymentStatus.SCHEDULED


def all_decided(required: list[MilestoneStatus]) -> bool:
    """Whether every required milestone has been decided, one way or the other."""
    return MilestoneStatus.SCHEDULED not in required
