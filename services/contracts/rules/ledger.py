"""The ledger of a contract's money: accounts, the moves between them, and what they say of a payment.

Every move is a journal of two entries that sum to zero, and none is ever changed. What an account holds is the sum of
its entries. For each part of a contract's value the accounts always add up to nothing: `value` holds what was promised,
with a minus, and the others say where it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.contracts.rules.life import Role, advanced
from services.contracts.rules.money import PaymentStatus
from services.kernel.errors import DomainError


class Account(StrEnum):
    """Where money of a contract is. `owed` is what a supplier has been paid and must give back, with a minus."""

    VALUE = "value"
    SCHEDULED = "scheduled"
    RETAINED = "retained"
    EARNED = "earned"
    CLAIMED = "claimed"
    CERTIFIED = "certified"
    APPROVED = "approved"
    PAID = "paid"
    OWED = "owed"
    REDUCED = "reduced"
    WITHHELD = "withheld"
    REVERSED = "reversed"


class Move(StrEnum):
    """What can happen to money of a contract."""

    EARN = "earn"
    RETAIN = "retain"
    RELEASE = "release"
    UNEARN = "unearn"
    CLAIM = "claim"
    CERTIFY = "certify"
    APPROVE = "approve"
    PAY = "pay"
    RETURN = "return"
    REDUCE = "reduce"
    WITHHOLD = "withhold"
    REVERSE = "reverse"
    REPAY = "repay"


TABLE: dict[Account, dict[Move, Account]] = {
    Account.VALUE: {},
    Account.SCHEDULED: {
        Move.EARN: Account.EARNED,
        Move.RETAIN: Account.RETAINED,
        Move.REDUCE: Account.REDUCED,
        Move.WITHHOLD: Account.WITHHELD,
    },
    Account.RETAINED: {Move.RELEASE: Account.SCHEDULED},
    Account.EARNED: {Move.CLAIM: Account.CLAIMED, Move.UNEARN: Account.SCHEDULED},
    Account.CLAIMED: {Move.CERTIFY: Account.CERTIFIED, Move.RETURN: Account.EARNED},
    Account.CERTIFIED: {Move.APPROVE: Account.APPROVED, Move.RETURN: Account.EARNED},
    Account.APPROVED: {Move.PAY: Account.PAID, Move.REVERSE: Account.REVERSED},
    Account.PAID: {Move.REPAY: Account.OWED},
    Account.OWED: {Move.REVERSE: Account.REVERSED},
    Account.REDUCED: {Move.EARN: Account.EARNED},
    Account.WITHHELD: {},
    Account.REVERSED: {Move.EARN: Account.EARNED},
}
"""Money that was paid stays paid until it is given back: a reversal makes it owed."""

FOLLOWS = frozenset({Role.CLOCK})
MAY: dict[Move, frozenset[Role]] = {
    Move.EARN: FOLLOWS,
    Move.RETAIN: FOLLOWS,
    Move.RELEASE: FOLLOWS,
    Move.UNEARN: FOLLOWS,
    Move.REDUCE: FOLLOWS,
    Move.WITHHOLD: FOLLOWS,
    Move.REVERSE: FOLLOWS,
    Move.CLAIM: frozenset({Role.SUPPLIER}),
    Move.CERTIFY: frozenset({Role.SUPPLIER}),
    Move.APPROVE: frozenset({Role.COMMISSIONER}),
    Move.PAY: frozenset({Role.COMMISSIONER}),
    Move.REPAY: frozenset({Role.COMMISSIONER}),
    Move.RETURN: frozenset({Role.SUPPLIER, Role.COMMISSIONER, Role.CLOCK}),
}
"""Who may: what follows from facts (time, milestones, verdicts, a termination) is for the clock, never for a person."""

GAINED = (Account.EARNED, Account.CLAIMED, Account.CERTIFIED, Account.APPROVED, Account.PAID, Account.OWED)
"""What of a part is the supplier's by now, on its way to it, or with it."""

Balances = Mapping[Account, int]


class NotSoMuch(DomainError):
    """There is less money in that account than was to be moved out of it."""

    code = "not_so_much"
    title = "There is not so much"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a part of a contract's value stands, in pence; see `Account` for the words."""

    status: PaymentStatus
    earned_pence: int
    paid_pence: int
    retained_pence: int
    reduced_pence: int


def moved(source: Account, step: Move, role: Role) -> Account:
    """The account that money goes to; raises NotTheirMove (who may) or MoveNotAllowed (when may it)."""
    return advanced("money", TABLE, MAY, source, step, role)


def check_held(held: Balances, source: Account, amount_pence: int) -> None:
    """Raise NotSoMuch unless the account holds the amount; what can be owed is what was paid and is not owed yet."""
    most = held.get(source, 0) + (held.get(Account.PAID, 0) if source is Account.OWED else 0)
    if not 0 < amount_pence <= most:
        raise NotSoMuch(f"{most} pence are {source}; {amount_pence} cannot be moved.", account=source.value)


def gained(held: Balances) -> int:
    """What of a part is the supplier's, in pence."""
    return sum(held.get(account, 0) for account in GAINED)


UNDER_WAY = (
    (Account.EARNED, PaymentStatus.EARNED),
    (Account.CLAIMED, PaymentStatus.CLAIMED),
    (Account.CERTIFIED, PaymentStatus.CERTIFIED),
    (Account.APPROVED, PaymentStatus.APPROVED),
)


def status_of(held: Balances) -> PaymentStatus:
    """How far a part has come: what waits longest for somebody comes first, then what became of it."""
    if held.get(Account.OWED, 0) < 0:
        return PaymentStatus.REVERSED
    for account, status in UNDER_WAY:
        if held.get(account, 0):
            return status
    paid = held.get(Account.PAID, 0)
    if held.get(Account.SCHEDULED, 0) or held.get(Account.RETAINED, 0):
        return PaymentStatus.PAID if paid else PaymentStatus.SCHEDULED
    if paid:
        return PaymentStatus.REDUCED if paid < -held.get(Account.VALUE, 0) else PaymentStatus.PAID
    return PaymentStatus.REVERSED if held.get(Account.REVERSED, 0) else PaymentStatus.WITHHELD


def standing(held: Balances) -> Standing:
    """What the ledger says of a part."""
    return Standing(
        status=status_of(held),
        earned_pence=gained(held),
        paid_pence=held.get(Account.PAID, 0) + held.get(Account.OWED, 0),
        retained_pence=held.get(Account.RETAINED, 0),
        reduced_pence=sum(held.get(each, 0) for each in (Account.REDUCED, Account.WITHHELD, Account.REVERSED)),
    )
