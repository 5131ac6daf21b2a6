"""A statement of a contract's money: what accounts held, every movement, what they hold. It is the ledger, retold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.contracts.rules.ledger import Account


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger; `claim` is the reference of the claim that its money is in."""

    journal_id: UUID
    occurred_on: date
    kind: str
    code: str
    account: Account
    amount_pence: int
    reason: str
    claim: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """What an account held before, what came or left, and what it holds, in pence."""

    opening_pence: int
    moved_pence: int
    closing_pence: int


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that went from one account to another on a day."""

    occurred_on: date
    kind: str
    code: str
    source: Account
    target: Account
    amount_pence: int
    reason: str
    claim: str | None


def movement(entries: Sequence[Entry]) -> Movement:
    """The movement that the two entries of a journal make."""
    source, target = sorted(entries, key=lambda each: each.amount_pence)
    return Movement(
        source.occurred_on,
        source.kind,
        source.code,
        source.account,
        target.account,
        target.amount_pence,
        source.reason,
        target.claim or source.claim,
    )


def movements(entries: Sequence[Entry]) -> list[Movement]:
    """Every movement, in the order in which they were written; no longer promised reads as a move back."""
    journals: dict[UUID, list[Entry]] = {}
    for each in entries:
        journals.setdefault(each.journal_id, []).append(each)
    return [movement(each) for each in journals.values()]


def accounts(entries: Sequence[Entry], first: date | None, last: date) -> Mapping[Account, Line]:
    """Every account over the days from the first to the last; what happened earlier is in its opening."""
    found = {}
    for account in Account:
        own = [each for each in entries if each.account is account and each.occurred_on <= last]
        before = sum(each.amount_pence for each in own if first is not None and each.occurred_on < first)
        whole = sum(each.amount_pence for each in own)
        found[account] = Line(before, whole - before, whole)
    return found
