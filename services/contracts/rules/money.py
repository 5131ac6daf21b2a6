"""Payments: the value of a contract is the sum of its parts, and money falls due when something was earned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

PAYMENT_DAYS = 30
"""A valid undisputed invoice is paid within 30 days (Procurement Act 2023, section 68)."""


class PaymentKind(StrEnum):
    """What a payment is for."""

    FEE = "fee"
    MILESTONE = "milestone"
    OUTCOME = "outcome"


class PaymentStatus(StrEnum):
    """How far a payment has come: promised, earned, or never to be earned."""

    SCHEDULED = "scheduled"
    EARNED = "earned"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a contract's value, in pence."""

    kind: PaymentKind
    code: str
    amount_pence: int


def schedule(fee_pence: int, milestones: Sequence[tuple[str, int]], outcomes: Sequence[tuple[str, int]]) -> list[Part]:
    """The parts of a contract's value; parts of nothing are left out. Amounts are pence."""
    parts = [Part(PaymentKind.FEE, "FEE", fee_pence)]
    parts += [Part(PaymentKind.MILESTONE, code, amount) for code, amount in milestones]
    parts += [Part(PaymentKind.OUTCOME, code, amount) for code, amount in outcomes]
    return [part for part in parts if part.amount_pence]


def value_pence(parts: Sequence[Part]) -> int:
    """What a contract is worth at most, in pence."""
    return sum(part.amount_pence for part in parts)


def after_change(earned_fees: Sequence[Part], wanted: Sequence[Part]) -> list[Part]:
    """The parts once a contract is worth something else; they sum to what was wanted, always.

    A fee that was earned is not touched: what a variation adds to it becomes a part of its own, `FEE-2` and so on.
    """
    if not earned_fees:
        return list(wanted)
    others = [part for part in wanted if part.kind is not PaymentKind.FEE]
    more = value_pence(wanted) - value_pence(others) - value_pence(earned_fees)
    added = [Part(PaymentKind.FEE, f"FEE-{len(earned_fees) + 1}", more)] if more else []
    return [*earned_fees, *added, *others]


def due_on(earned_on: date) -> date:
    """The last day to pay what was earned on this day."""
    return earned_on + timedelta(days=PAYMENT_DAYS)
