"""Claims: the life of one, who may move it on, and which hands have to be apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.contracts.rules.life import Role, advanced
from services.kernel.errors import DomainError, Forbidden


class ClaimStatus(StrEnum):
    """Where a claim stands."""

    SUBMITTED = "submitted"
    CERTIFIED = "certified"
    DISPUTED = "disputed"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    VOID = "void"


class ClaimMove(StrEnum):
    """What can happen to a claim."""

    CERTIFY = "certify"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    DISPUTE = "dispute"
    RESOLVE = "resolve"
    PAY = "pay"
    EMPTY = "empty"


class Finding(StrEnum):
    """What was decided on money that stood still: disputed, or held back by a suspension that outlived its contract."""

    PAYABLE = "payable"
    NOT_PAYABLE = "not_payable"


OPEN_MOVES = {
    ClaimMove.REJECT: ClaimStatus.REJECTED,
    ClaimMove.WITHDRAW: ClaimStatus.WITHDRAWN,
    ClaimMove.EMPTY: ClaimStatus.VOID,
}
TABLE: dict[ClaimStatus, dict[ClaimMove, ClaimStatus]] = {
    ClaimStatus.SUBMITTED: {ClaimMove.CERTIFY: ClaimStatus.CERTIFIED, **OPEN_MOVES},
    ClaimStatus.CERTIFIED: {
        ClaimMove.APPROVE: ClaimStatus.APPROVED,
        ClaimMove.DISPUTE: ClaimStatus.DISPUTED,
        **OPEN_MOVES,
    },
    ClaimStatus.DISPUTED: {ClaimMove.RESOLVE: ClaimStatus.CERTIFIED, **OPEN_MOVES},
    ClaimStatus.APPROVED: {ClaimMove.PAY: ClaimStatus.PAID, ClaimMove.EMPTY: ClaimStatus.VOID},
    ClaimStatus.PAID: {},
    ClaimStatus.REJECTED: {},
    ClaimStatus.WITHDRAWN: {},
    ClaimStatus.VOID: {},
}
MAY: dict[ClaimMove, frozenset[Role]] = {
    ClaimMove.CERTIFY: frozenset({Role.SUPPLIER}),
    ClaimMove.WITHDRAW: frozenset({Role.SUPPLIER}),
    ClaimMove.APPROVE: frozenset({Role.COMMISSIONER}),
    ClaimMove.REJECT: frozenset({Role.COMMISSIONER}),
    ClaimMove.DISPUTE: frozenset({Role.COMMISSIONER}),
    ClaimMove.RESOLVE: frozenset({Role.COMMISSIONER}),
    ClaimMove.PAY: frozenset({Role.COMMISSIONER}),
    ClaimMove.EMPTY: frozenset({Role.CLOCK}),
}
"""The clock empties a claim whose grounds have gone: every line of it was taken out or credited."""
WAITING = frozenset({ClaimStatus.CERTIFIED, ClaimStatus.APPROVED})
"""Claims that run towards the day by which they are to be paid; the clock of a disputed one stands still."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who did something: with which credential, and the person whose name was given."""

    client_id: str
    person: str


class SameHand(Forbidden):
    """Two acts that must be done by different people, with different credentials, came from the same hand."""

    code = "same_hand"
    title = "Somebody else has to do this"


class RecordedByThem(Forbidden):
    """Who recorded that a milestone was met cannot approve that it is paid for."""

    code = "recorded_by_you"
    title = "Who recorded the evidence cannot approve the claim"


class WrongAmount(DomainError):
    """The sum that was paid is not the sum that is to be paid."""

    code = "wrong_amount"
    title = "That is not the amount"


class NothingToClaim(DomainError):
    """Nothing of what was asked for is earned and not claimed yet."""

    code = "nothing_to_claim"
    title = "There is nothing to claim"


def moved(status: ClaimStatus, step: ClaimMove, role: Role) -> ClaimStatus:
    """The status after a move by `role`; raises NotTheirMove (who may) or MoveNotAllowed (when may it)."""
    return advanced("a claim", TABLE, MAY, status, step, role)


def plain_name(person: str) -> str:
    """A name without what tells no two people apart: case and spaces."""
    return " ".join(person.casefold().split())


def check_apart(first: Hand, second: Hand, words: str) -> None:
    """Raise SameHand unless two acts were done with different credentials and by different people."""
    if first.client_id == second.client_id or plain_name(first.person) == plain_name(second.person):
        raise SameHand(f"{words}: with another credential, and by another person.")


def check_not_recorder(approver: Hand, recorders: Iterable[str]) -> None:
    """Raise RecordedByThem where the credential that approves is one that recorded the evidence."""
    if approver.client_id in set(recorders):
        raise RecordedByThem("This credential recorded a milestone that the claim is for; another one has to approve.")


def late(status: ClaimStatus, due_on: date | None, today: date) -> bool:
    """Whether a claim should have been paid before today."""
    return status in WAITING and due_on is not None and today > due_on
