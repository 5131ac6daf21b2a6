"""Payment by results: what a verdict earns, and what has to move when it is another than before (METHOD.md 3.12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.contracts.rules.ledger import Account, Balances, Move, gained

N_MIN = 30
"""Pupils below which a result has no effect on payment (METHOD.md 3.6)."""
COVERAGE_FROM = 0.6
"""The weight that must be measurable for results to pay at all."""
FALLBACK_SHARE = Decimal("0.5")
"""What outcomes pay where too little could be measured: a fixed half, as a measure that is partly met counts half."""
RETAINED_SHARE = Decimal("0.25")
"""What is kept back until revised or final data settle the verdict."""
EARLY = frozenset({"first_year_alone", "provisional_only"})
"""Why a final verdict leaves an outcome to a later one: the first of several years says too little (METHOD.md 3.1), and
provisional results are revised (1.4)."""
NOT_ACCOUNTABLE = "no_accountable_series"
"""Why a verdict does not judge a year that is not one of the term as a whole (METHOD.md 2.2)."""
GUARD = "disadvantaged_pupils_fell_behind"
"""The veto of the guard measures: with it, no outcome pays."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An agreed outcome that pays, and what the verdict says of it.

    `floor`, `full` and `effect` are improvements in the measure's unit, `effect` drawn towards nothing by how little
    it says (shrunk); `surely_better` is whether its lower bound at 90% lies above zero.
    """

    code: str
    payment_pence: int
    floor: float
    full: float
    status: str
    n: int | None
    effect: float | None
    surely_better: bool


@dataclass(frozen=True, slots=True)
class Award:
    """What an outcome has earned, in pence, as a share of its payment, and why."""

    code: str
    amount_pence: int
    share: float
    reason: str
    effect: float | None


def too_early(measures: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a verdict leaves an outcome to a later one.

    It settles nothing: what could not be measured yet pays no fixed share, and takes the place of no other verdict.
    """
    return any(not EARLY.isdisjoint(each["reasons"]) for each in measures)


def of_no_term(measures: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a verdict is as of a year of which the supplier answers for nothing, so that no other gives way to it."""
    return all(NOT_ACCOUNTABLE in each["reasons"] for each in measures)


def share_of(judged: Judged) -> tuple[Decimal, str] | None:
    """The share that an outcome earns by itself and why; None where it could not be measured well enough to pay."""
    if judged.status == "not_measurable" or judged.effect is None or judged.n is None or judged.n < N_MIN:
        return None
    if judged.status != "met" and not (judged.status == "partly_met" and judged.surely_better):
        return Decimal(0), "improvement_not_proven" if judged.status == "partly_met" else "outcome_not_met"
    way = (Decimal(str(judged.effect)) - Decimal(str(judged.floor))) / Decimal(str(judged.full - judged.floor))
    if way <= 0:
        return Decimal(0), "below_floor"
    return (way, "between_floor_and_full") if way < 1 else (Decimal(1), "full")


def awards(outcomes: Sequence[Judged], coverage: float, vetoes: Sequence[str]) -> list[Award]:
    """What each outcome earns by a verdict.

    An outcome that could not be measured pays the average share of those that could, which is what it comes to when
    its weight is spread over them.
    """
    if GUARD in vetoes:
        return [award(each, Decimal(0), GUARD) for each in outcomes]
    own = {each.code: share_of(each) for each in outcomes}
    known = [(each.payment_pence, found[0]) for each in outcomes if (found := own[each.code]) is not None]
    if coverage < COVERAGE_FROM or not known:
        return [award(each, FALLBACK_SHARE, "fixed_fallback") for each in outcomes]
    average = sum((pence * share for pence, share in known), Decimal(0)) / sum(pence for pence, _share in known)
    return [award(each, *(own[each.code] or (average, "weight_redistributed"))) for each in outcomes]


def award(judged: Judged, share: Decimal, reason: str) -> Award:
    """A share of an outcome's payment in pence, rounded half up."""
    amount = int((judged.payment_pence * share).quantize(Decimal(1), ROUND_HALF_UP))
    return Award(judged.code, amount, float(share), reason, judged.effect)


def negligible(before: float | None, now: float | None, half_width: float) -> bool:
    """Whether an effect has only moved by what rounding of the published figures can move it."""
    return before is not None and now is not None and abs(now - before) < half_width


def payable(amount_pence: int, *, settled: bool) -> tuple[int, int]:
    """What of an award is earned now, and what is kept back until it is settled, in pence."""
    kept = 0 if settled else int((amount_pence * RETAINED_SHARE).quantize(Decimal(1), ROUND_HALF_UP))
    return amount_pence - kept, kept


@dataclass(frozen=True, slots=True)
class Shift:
    """Money that is to leave an account, in pence."""

    source: Account
    step: Move
    amount_pence: int


def shifts(held: Balances, earned_pence: int, retained_pence: int, *, settled: bool) -> list[Shift]:
    """The moves that bring a part from what it holds to what it has earned; money that has to be given back last.

    What has been claimed is taken out of its claim before; see `take_back` for what was approved or paid.
    """
    retained, short = held.get(Account.RETAINED, 0), earned_pence - gained(held)
    if (short, retained) == (0, retained_pence) and not (settled and held.get(Account.SCHEDULED, 0)):
        return []
    found = [Shift(Account.RETAINED, Move.RELEASE, retained)]
    free = held.get(Account.SCHEDULED, 0) + retained
    for source in (Account.SCHEDULED, Account.REVERSED, Account.REDUCED):
        most = free if source is Account.SCHEDULED else held.get(source, 0)
        amount = min(max(short, 0), most)
        found.append(Shift(source, Move.EARN, amount))
        short -= amount
        free -= amount if source is Account.SCHEDULED else 0
    back = min(max(-short, 0), held.get(Account.EARNED, 0))
    found.append(Shift(Account.EARNED, Move.UNEARN, back))
    free += back
    kept = min(retained_pence, free)
    found.append(Shift(Account.SCHEDULED, Move.RETAIN, kept))
    found.append(Shift(Account.SCHEDULED, Move.REDUCE, free - kept if settled else 0))
    return [each for each in found if each.amount_pence]


def take_back(held: Balances, amount_pence: int) -> list[Shift]:
    """The moves that reverse what was approved, then what was paid, up to an amount in pence."""
    approved = min(amount_pence, held.get(Account.APPROVED, 0))
    paid = min(amount_pence - approved, held.get(Account.PAID, 0) + held.get(Account.OWED, 0))
    found = [Shift(Account.APPROVED, Move.REVERSE, approved), Shift(Account.OWED, Move.REVERSE, paid)]
    return [each for each in found if each.amount_pence]
