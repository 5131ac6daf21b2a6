"""The life of a contract: which move leads from which status to which, and who may make it."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar

from services.kernel.errors import DomainError, Forbidden
from services.kernel.types import Kind


class Status(StrEnum):
    """Where a contract stands; the fine reason stands in `reason_code` and never decides."""

    DRAFT = "draft"
    OFFERED = "offered"
    AGREED = "agreed"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    TERMINATED = "terminated"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"


class Move(StrEnum):
    """What can happen to a contract as a whole."""

    OFFER = "offer"
    WITHDRAW = "withdraw"
    REFUSE = "refuse"
    LAPSE = "lapse"
    AGREE = "agree"
    CANCEL = "cancel"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    COMPLETE = "complete"
    EXPIRE = "expire"
    TERMINATE = "terminate"
    TRANSFER = "transfer"


class Role(StrEnum):
    """In which capacity somebody acts on a contract; the clock stands for the passing of time."""

    COMMISSIONER = "commissioner"
    SUPPLIER = "supplier"
    RESPONSIBLE_BODY = "responsible_body"
    DFE = "dfe"
    CLOCK = "clock"
    GATEWAY = "gateway"


ROLES = {
    Kind.COMMISSIONER: Role.COMMISSIONER,
    Kind.SUPPLIER: Role.SUPPLIER,
    Kind.RESPONSIBLE_BODY: Role.RESPONSIBLE_BODY,
    Kind.DFE: Role.DFE,
    Kind.SERVICE: Role.CLOCK,
}
"""In which capacity each kind of caller acts; a service acts as the passing of time does."""

PARTIES = (Role.COMMISSIONER, Role.SUPPLIER, Role.RESPONSIBLE_BODY)
"""Who must sign before a contract, or a variation of it, is agreed."""

TABLE: dict[Status, dict[Move, Status]] = {
    Status.DRAFT: {Move.OFFER: Status.OFFERED, Move.CANCEL: Status.CANCELLED},
    Status.OFFERED: {
        Move.WITHDRAW: Status.DRAFT,
        Move.AGREE: Status.AGREED,
        Move.REFUSE: Status.CANCELLED,
        Move.LAPSE: Status.CANCELLED,
        Move.CANCEL: Status.CANCELLED,
    },
    Status.AGREED: {Move.ACTIVATE: Status.ACTIVE, Move.TERMINATE: Status.TERMINATED},
    Status.ACTIVE: {
        Move.SUSPEND: Status.SUSPENDED,
        Move.COMPLETE: Status.COMPLETED,
        Move.EXPIRE: Status.EXPIRED,
        Move.TERMINATE: Status.TERMINATED,
    },
    Status.SUSPENDED: {
        Move.RESUME: Status.ACTIVE,
        Move.EXPIRE: Status.EXPIRED,
        Move.TERMINATE: Status.TERMINATED,
    },
    Status.COMPLETED: {Move.TRANSFER: Status.TRANSFERRED},
    Status.TERMINATED: {},
    Status.EXPIRED: {Move.COMPLETE: Status.COMPLETED},
    Status.CANCELLED: {},
    Status.TRANSFERRED: {},
}

MAY: dict[Move, frozenset[Role]] = {
    Move.OFFER: frozenset({Role.COMMISSIONER}),
    Move.WITHDRAW: frozenset({Role.COMMISSIONER}),
    Move.REFUSE: frozenset({Role.SUPPLIER, Role.RESPONSIBLE_BODY}),
    Move.LAPSE: frozenset({Role.CLOCK}),
    Move.AGREE: frozenset(PARTIES),
    Move.CANCEL: frozenset({Role.COMMISSIONER}),
    Move.ACTIVATE: frozenset({Role.CLOCK}),
    Move.SUSPEND: frozenset({Role.COMMISSIONER}),
    Move.RESUME: frozenset({Role.COMMISSIONER}),
    Move.COMPLETE: frozenset({Role.CLOCK}),
    Move.EXPIRE: frozenset({Role.CLOCK}),
    Move.TERMINATE: frozenset({*PARTIES, Role.CLOCK}),
    Move.TRANSFER: frozenset({Role.GATEWAY}),
}

IN_FORCE = frozenset({Status.AGREED, Status.ACTIVE, Status.SUSPENDED})
"""Statuses in which a contract binds and has not ended: only then can it be varied, reviewed or terminated."""


class MoveNotAllowed(DomainError):
    """The contract's present status has no such move."""

    code = "status_forbids"
    title = "Not in this status"


class NotTheirMove(Forbidden):
    """The move exists, but another party makes it."""

    code = "not_your_move"
    title = "Another party does this"


class NotAParty(Forbidden):
    """A party's signature comes from somebody who does not speak for it."""

    code = "not_your_signature"
    title = "Each party signs for itself"


State = TypeVar("State", bound=StrEnum)
Step = TypeVar("Step", bound=StrEnum)


def advanced(
    noun: str,
    table: Mapping[State, Mapping[Step, State]],
    may: Mapping[Step, Collection[Role]],
    state: State,
    move: Step,
    role: Role,
) -> State:
    """The state after `move` by `role`, by a table of moves and one of who may make them.

    Raises NotTheirMove (who may) or MoveNotAllowed (when may it); `noun` is what moves, such as `a contract`.
    """
    if role not in may[move]:
        raise NotTheirMove(f"To {move} {noun} is for the {' or '.join(sorted(may[move]))}.", move=move.value)
    target = table[state].get(move)
    if target is None:
        allowed = sorted(each.value for each in table[state])
        words = f"{noun[0].upper()}{noun[1:]} that is {state} cannot {move}."
        raise MoveNotAllowed(words, status_now=state.value, allowed=allowed)
    return target


def moved(status: Status, move: Move, role: Role) -> Status:
    """The status after `move` by `role`; raises NotTheirMove (who may) or MoveNotAllowed (when may it)."""
    return advanced("a contract", TABLE, MAY, status, move, role)


def check_in_force(status: Status) -> None:
    """Raise unless the contract binds and has not ended."""
    if status not in IN_FORCE:
        raise MoveNotAllowed(f"A contract that is {status} is not in force.", status_now=status.value)


def check_party(role: Role) -> None:
    """Raise unless `role` is that of a party to the contract."""
    if role not in PARTIES:
        raise NotTheirMove(f"This is for the {', the '.join(PARTIES)}.")


def may_sign(party: Role, role: Role, status: Status) -> None:
    """Raise unless `role` may sign as `party` now: each party for itself, while the offer stands."""
    check_own_signature(party, role)
    if Move.AGREE not in TABLE[status]:
        raise MoveNotAllowed(f"A contract that is {status} is not open for signature.", status_now=status.value)


def check_own_signature(party: Role, role: Role) -> None:
    """Raise unless somebody signs for the party for which they act."""
    if role is not party:
        raise NotAParty(f"You act as {role}; the signature of the {party} is its own to give.")


def all_signed(signed: frozenset[Role]) -> bool:
    """Whether every party has signed."""
    return frozenset(PARTIES) <= signed
