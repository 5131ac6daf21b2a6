"""When a transfer opens, who must consent, and how it moves (METHOD.md 3.11, the join gate)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


class Role(StrEnum):
    """In which capacity somebody acts on a transfer; the worker stands for the system itself."""

    COMMISSIONER = "commissioner"
    SUPPLIER = "supplier"
    RESPONSIBLE_BODY = "responsible_body"
    DFE = "dfe"
    WORKER = "worker"


TABLE: dict[Status, dict[Move, Status]] = {
    Status.PROPOSED: {
        Move.CONSENT: Status.CONSENTING,
        Move.BLOCK: Status.BLOCKED,
        Move.CANCEL: Status.CANCELLED,
    },
    Status.CONSENTING: {
        Move.CONSENT: Status.CONSENTING,
        Move.SCHEDULE: Status.SCHEDULED,
        Move.BLOCK: Status.BLOCKED,
        Move.CANCEL: Status.CANCELLED,
    },
    Status.SCHEDULED: {
        Move.SCHEDULE: Status.SCHEDULED,
        Move.BLOCK: Status.BLOCKED,
        Move.COMPLETE: Status.COMPLETED,
        Move.CANCEL: Status.CANCELLED,
    },
    Status.BLOCKED: {
        Move.BLOCK: Status.BLOCKED,
        Move.CONSENT: Status.CONSENTING,
        Move.CANCEL: Status.CANCELLED,
    },
    Status.COMPLETED: {},
    Status.CANCELLED: {},
}
CONSENTERS = frozenset({Role.COMMISSIONER, Role.SUPPLIER, Role.RESPONSIBLE_BODY})
MAY: dict[Move, frozenset[Role]] = {
    Move.CONSENT: CONSENTERS,
    Move.SCHEDULE: frozenset({Role.COMMISSIONER, Role.WORKER}),
    Move.BLOCK: CONSENTERS | {Role.WORKER},
    Move.COMPLETE: frozenset({Role.WORKER}),
    Move.CANCEL: frozenset({Role.COMMISSIONER}),
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


class BadDate(Unprocessable):
    """The effective date is not the first of a month to come."""

    code = "bad_effective_date"
    title = "The effective date does not serve"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the join gate: `state` is met, not_met or unknown; `detail` gives the figure."""

    code: str
    state: str
    detail: str


def condition(code: str, held: bool | None, detail: str) -> Condition:
    """A condition from a truth that may not be known yet (None)."""
    return Condition(code, "unknown" if held is None else "met" if held else "not_met", detail)


def conditions(contract: Mapping[str, Any]) -> list[Condition]:
    """Every condition for a transfer, explained, from the contract as its service shows it."""
    verdict = contract["evaluation"]
    required = [each for each in contract["milestones"] if each["required"]]
    unmet = [each["code"] for each in required if each["status"] != "met"]
    ended = contract["status"] in {"completed", "transferred"}
    found = [
        condition("transfer_intended", contract["transfer_intended"], "The parties agreed that a transfer may follow."),
        condition("contract_completed", ended, f"The contract is {contract['status']}."),
        condition(
            "required_milestones_met",
            not unmet,
            f"{len(required) - len(unmet)} of {len(required)} required milestones met"
            + (f"; not met: {', '.join(unmet)}." if unmet else "."),
        ),
    ]
    if verdict is None:
        words = "No evaluation has been made."
        names = ("outcomes_met", "final_data", "no_veto", "no_critical_measure_failed")
        return found + [Condition(name, "unknown", words) for name in names]
    final = verdict["run"] == "final" and verdict["release_status"] in {"revised", "final"}
    failed, vetoes = verdict["critical_not_met"], verdict["vetoes"]
    score = "none" if verdict["score"] is None else f"{verdict['score']:.3f}"
    return [
        *found,
        condition("outcomes_met", verdict["overall"] == "met", f"Overall {verdict['overall']}, score {score}."),
        condition("final_data", final, f"A {verdict['run']} run on {verdict['release_status']} data."),
        condition("no_veto", not vetoes, f"Vetoes: {', '.join(vetoes) or 'none'}."),
        condition("no_critical_measure_failed", not failed, f"Critical, not met: {', '.join(failed) or 'none'}."),
    ]


def gate_open(found: Sequence[Condition]) -> bool:
    """Whether every condition is met; one that is not known keeps the gate shut."""
    return all(each.state == "met" for each in found)


def route_of(school: Mapping[str, Any]) -> Route:
    """Which way in, by what the school is now: an academy moves between trusts, any other school converts."""
    return Route.TRUST_TO_TRUST if school["trust"] else Route.CONVERSION


NO_FAITH = frozenset({"", "none", "does not apply", "not applicable"})


def consents_needed(route: Route, religious_character: str | None) -> list[Body]:
    """Whose consent a transfer asks for."""
    faith = (religious_character or "").strip().lower() not in NO_FAITH
    own = Body.OUTGOING_TRUST if route is Route.TRUST_TO_TRUST else Body.GOVERNING_BODY
    return [Body.RSC, Body.TRUST_BOARD, own, *([Body.DIOCESE] if faith else [])]


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


def check_effective_date(effective_on: date, today: date) -> None:
    """Raise BadDate unless the day is the first of a month and has not passed."""
    if effective_on.day != 1 or effective_on < today:
        raise BadDate("Schools join a trust on the first of a month, today or later.")


def after_consents(needed: Sequence[str], decisions: Mapping[str, Decision]) -> str:
    """What the latest decisions add up to: `approved`, `declined` or `waiting`."""
    if Decision.DECLINED in decisions.values():
        return "declined"
    return "approved" if all(decisions.get(body) in APPROVALS for body in needed) else "waiting"
