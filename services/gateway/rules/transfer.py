"""How a transfer moves, who must consent to it, and on which day a school joins."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from services.kernel.errors import DomainError, Forbidden, Unprocessable
from services.kernel.types import Kind


class Status(StrEnum):
    """Where a transfer stands."""

    PROPOSED = "proposed"
    CONSENTING = "consenting"
    SCHEDULED = "scheduled"
    BLOCKED = "blocked"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What can happen to a transfer as a whole."""

    CONSENT = "consent"
    SCHEDULE = "schedule"
    BLOCK = "block"
    COMPLETE = "complete"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    HOLD = "hold"
    RESUME = "resume"


class Role(StrEnum):
    """In which capacity somebody acts on a transfer; the worker stands for the system itself."""

    COMMISSIONER = "commissioner"
    SUPPLIER = "supplier"
    RESPONSIBLE_BODY = "responsible_body"
    DFE = "dfe"
    WORKER = "worker"


LEAVING = {Move.CANCEL: Status.CANCELLED, Move.WITHDRAW: Status.CANCELLED}
STOPPING = {Move.BLOCK: Status.BLOCKED, Move.HOLD: Status.BLOCKED}
TABLE: dict[Status, dict[Move, Status]] = {
    Status.PROPOSED: {Move.CONSENT: Status.CONSENTING, **STOPPING, **LEAVING},
    Status.CONSENTING: {Move.CONSENT: Status.CONSENTING, Move.SCHEDULE: Status.SCHEDULED, **STOPPING, **LEAVING},
    Status.SCHEDULED: {
        Move.CONSENT: Status.CONSENTING,
        Move.SCHEDULE: Status.SCHEDULED,
        Move.COMPLETE: Status.COMPLETED,
        **STOPPING,
        **LEAVING,
    },
    Status.BLOCKED: {Move.CONSENT: Status.CONSENTING, Move.RESUME: Status.CONSENTING, **STOPPING, **LEAVING},
    Status.COMPLETED: {},
    Status.CANCELLED: {},
}
CONSENTERS = frozenset({Role.COMMISSIONER, Role.SUPPLIER, Role.RESPONSIBLE_BODY})
COMMISSIONER = frozenset({Role.COMMISSIONER})
WORKER = frozenset({Role.WORKER})
MAY: dict[Move, frozenset[Role]] = {
    Move.CONSENT: CONSENTERS,
    Move.SCHEDULE: COMMISSIONER | WORKER,
    Move.BLOCK: CONSENTERS,
    Move.COMPLETE: WORKER,
    Move.CANCEL: COMMISSIONER,
    Move.WITHDRAW: WORKER,
    Move.HOLD: COMMISSIONER,
    Move.RESUME: COMMISSIONER,
}


class Body(StrEnum):
    """Who consents to a transfer."""

    RSC = "rsc"
    TRUST_BOARD = "trust_board"
    GOVERNING_BODY = "governing_body"
    OUTGOING_TRUST = "outgoing_trust"
    DIOCESE = "diocese"


class Decision(StrEnum):
    """What was decided."""

    APPROVED = "approved"
    APPROVED_WITH_CONDITIONS = "approved_with_conditions"
    DECLINED = "declined"
    DEFERRED = "deferred"


ROLES = {
    Kind.COMMISSIONER: Role.COMMISSIONER,
    Kind.SUPPLIER: Role.SUPPLIER,
    Kind.RESPONSIBLE_BODY: Role.RESPONSIBLE_BODY,
    Kind.DFE: Role.DFE,
    Kind.SERVICE: Role.WORKER,
}
"""In which capacity each kind of caller acts on a transfer."""
APPROVALS = frozenset({Decision.APPROVED, Decision.APPROVED_WITH_CONDITIONS})
SPEAKS_FOR: dict[Body, Role] = {
    Body.RSC: Role.COMMISSIONER,
    Body.TRUST_BOARD: Role.SUPPLIER,
    Body.GOVERNING_BODY: Role.RESPONSIBLE_BODY,
    Body.OUTGOING_TRUST: Role.RESPONSIBLE_BODY,
    Body.DIOCESE: Role.COMMISSIONER,
}
"""Who records the consent of which body; a diocese has no system of its own here, so its letter is recorded."""


class Route(StrEnum):
    """How a school comes in: from its local authority, or from another trust."""

    CONVERSION = "conversion"
    TRUST_TO_TRUST = "trust_to_trust"


class TransferNotAllowed(DomainError):
    """The transfer's present status has no such move."""

    code = "status_forbids"
    title = "Not in this status"


class NotTheirConsent(Forbidden):
    """Somebody else gives this consent or makes this move."""

    code = "not_your_move"
    title = "Another party does this"


class NotNeeded(Unprocessable):
    """This transfer does not ask for the consent of that body."""

    code = "consent_not_needed"
    title = "That consent is not part of this transfer"


class NoWayBack(DomainError):
    """The school has joined, or is being made a member at this moment."""

    code = "no_way_back"
    title = "The point of no return has been passed"


class NotOnHold(DomainError):
    """Only what is on hold can be taken up again."""

    code = "not_on_hold"
    title = "The transfer is not on hold"


class BadDecision(Unprocessable):
    """A decision with conditions names them, a deferral says until when, and no other decision does either."""

    code = "bad_decision"
    title = "The decision is not complete"


class BadDate(Unprocessable):
    """The effective date is not the first of a month to come."""

    code = "bad_effective_date"
    title = "The effective date does not serve"


def route_of(school: Mapping[str, Any]) -> Route:
    """Which way in, by what the school is now: an academy moves between trusts, any other school converts."""
    return Route.TRUST_TO_TRUST if school["trust"] else Route.CONVERSION


NO_FAITH = frozenset({"", "none", "does not apply", "not applicable"})


def of_faith(religious_character: str | None) -> bool:
    """Whether a school has a religious character, by what GIAS says of it."""
    return (religious_character or "").strip().lower() not in NO_FAITH


def consents_needed(route: Route, religious_character: str | None) -> list[Body]:
    """Whose consent a transfer asks for."""
    own = Body.OUTGOING_TRUST if route is Route.TRUST_TO_TRUST else Body.GOVERNING_BODY
    return [Body.RSC, Body.TRUST_BOARD, own, *([Body.DIOCESE] if of_faith(religious_character) else [])]


def moved(status: Status, move: Move, role: Role) -> Status:
    """The status after `move` by `role`; raises NotTheirConsent (who may) or TransferNotAllowed (when may it)."""
    if role not in MAY[move]:
        raise NotTheirConsent(f"To {move} a transfer is for the {' or '.join(sorted(MAY[move]))}.")
    target = TABLE[status].get(move)
    if target is None:
        allowed = sorted(each.value for each in TABLE[status])
        raise TransferNotAllowed(f"A transfer that is {status} cannot {move}.", allowed=allowed)
    return target


def check_consent(needed: Sequence[str], by: Body, role: Role) -> None:
    """Raise unless this transfer asks for that body's consent and `role` speaks for it."""
    if by not in needed:
        raise NotNeeded(f"This transfer asks for the consent of {', '.join(needed)}.")
    if SPEAKS_FOR[by] is not role:
        raise NotTheirConsent(f"The consent of the {by} is recorded by the {SPEAKS_FOR[by]}.")


def check_decision(decision: Decision, conditions: Sequence[str], until: date | None, decided_on: date) -> None:
    """Raise BadDecision unless conditions go with an approval under conditions, and a day to come with a deferral."""
    if (decision is Decision.APPROVED_WITH_CONDITIONS) != bool(conditions):
        raise BadDecision("Name conditions with approved_with_conditions, and with no other decision.")
    if (decision is Decision.DEFERRED) != (until is not None):
        raise BadDecision("Say with a deferral until which day (until), and with no other decision.")
    if until is not None and until <= decided_on:
        raise BadDecision("A deferral ends after the day of the decision.", errors=[{"pointer": "/until"}])


def check_way_back(past: bool) -> None:
    """Raise NoWayBack once the membership is being opened."""
    if past:
        raise NoWayBack("It can only be reversed by a new transfer.")


def check_effective_date(effective_on: date, today: date) -> None:
    """Raise BadDate unless the day is the first of a month and has not passed."""
    if effective_on.day != 1 or effective_on < today:
        raise BadDate("Schools join a trust on the first of a month, today or later.")


def all_approved(needed: Sequence[str], decisions: Mapping[str, Decision]) -> bool:
    """Whether every body whose consent is needed has approved, with conditions or without."""
    return all(decisions.get(body) in APPROVALS for body in needed)


def blocking(hold: Mapping[str, Any] | None, decisions: Mapping[str, Decision]) -> str | None:
    """What stops a transfer as a whole, as a reason code: that it is on hold, or a body that declined."""
    if hold is not None:
        return "on_hold"
    return next((f"declined_by_{body}" for body, each in decisions.items() if each is Decision.DECLINED), None)
