"""Payments: the value of a contract is the sum of its parts, and money falls due when a valid claim was made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from services.contracts.rules.instalments import periods, shares

PAYMENT_DAYS = 30
"""A valid undisputed invoice is paid within 30 days (Procurement Act 2023, section 68)."""


class PaymentKind(StrEnum):
    """What a payment is for."""

    FEE = "fee"
    MILESTONE = "milestone"
    OUTCOME = "outcome"


class PaymentStatus(StrEnum):
    """How far a payment has come, as its ledger says; `rules.ledger.standing` tells it."""

    SCHEDULED = "scheduled"
    EARNED = "earned"
    CLAIMED = "claimed"
    CERTIFIED = "certified"
    APPROVED = "approved"
    PAID = "paid"
    REDUCED = "reduced"
    WITHHELD = "withheld"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a contract's value, in pence; an instalment of the fee has a first and a last day."""

    kind: PaymentKind
    code: str
    amount_pence: int
    period: tuple[date, date] | None = None


def instalments(fee_pence: int, starts_on: date, ends_on: date, before: int = 0) -> list[Part]:
    """The fee over a term, a quarter at a time; `before` instalments were numbered earlier."""
    found = periods(starts_on, ends_on)
    amounts = shares(fee_pence, [each.months for each in found])
    return [
        Part(PaymentKind.FEE, f"FEE-{number}", amount, (period.starts_on, period.ends_on))
        for number, (amount, period) in enumerate(zip(amounts, found, strict=True), before + 1)
    ]


def schedule(
    fee: Sequence[Part], milestones: Sequence[tuple[str, int]], outcomes: Sequence[tuple[str, int]]
) -> list[Part]:
    """The parts of a contract's value; parts of nothing are left out. Amounts are pence."""
    parts = list(fee)
    parts += [Part(PaymentKind.MILESTONE, code, amount) for code, amount in milestones]
    parts += [Part(PaymentKind.OUTCOME, code, amount) for code, amount in outcomes]
    return [part for part in parts if part.amount_pence]


def value_pence(parts: Sequence[Part]) -> int:
    """What a contract is worth at most, in pence."""
    return sum(part.amount_pence for part in parts)


def fee_after_change(begun: Sequence[Part], fee_pence: int, starts_on: date, ends_on: date, on: date) -> list[Part]:
    """The fee once the contract pays another one, or runs for longer.

    Instalments that were earned are not touched; what is left is spread over the quarters after them. Where none is
    left, what was added is an instalment of the day `on` which it was.
    """
    left = fee_pence - value_pence(begun)
    number = max((int(part.code.rpartition("-")[2]) for part in begun if "-" in part.code), default=len(begun))
    first = max((part.period[1] + timedelta(days=1) for part in begun if part.period), default=starts_on)
    if first > ends_on:
        added = [Part(PaymentKind.FEE, f"FEE-{number + 1}", left, (on, on))]
    else:
        added = instalments(left, first, ends_on, number)
    return [*begun, *(part for part in added if part.amount_pence)]


def moved_on(part: Part, since: date, days: int, ends_on: date) -> Part:
    """An instalment after so many days on which the clock stood still since a day; none runs past the last day."""
    if part.period is None or part.period[1] < since:
        return part
    first, last = part.period
    rest = timedelta(days=days)
    return replace(part, period=(first if first < since else min(first + rest, ends_on), min(last + rest, ends_on)))


def due_on(certified_on: date, disputed_days: int = 0) -> date:
    """The last day to pay a claim that was certified on this day; days in dispute do not count."""
    return certified_on + timedelta(days=PAYMENT_DAYS + disputed_days)
