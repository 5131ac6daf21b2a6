"""Taking a verdict to the payments for outcomes: what is earned, kept back, reduced or reversed by it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.claims.effect import reverse, take_out
from services.contracts.events import tell
from services.contracts.ledger.service import Book, open_book
from services.contracts.models import Contract, Outcome, Payment
from services.contracts.payments.effect import stopped
from services.contracts.payments.queries import payments
from services.contracts.queries import outcomes
from services.contracts.rules.awards import Award, Judged, awards, negligible, payable, shifts, take_back
from services.contracts.rules.claims import Finding
from services.contracts.rules.ledger import Account, Move, gained
from services.contracts.rules.life import Role
from services.kernel.auth import Caller
from services.kernel.types import london_date

NOT_AVAILABLE = "not_available"
"""What a verdict says of value added where too few comparators were found."""
TOLD = {Move.EARN: "earned", Move.RETAIN: "retained", Move.REDUCE: "reduced"}
"""What the events of moves by a verdict are called; the others only make room for these."""


def judged(outcome: Outcome, measure: Mapping[str, Any]) -> Judged:
    """An outcome that pays, as the verdict has it; an outcome that pays has floor and full.

    Without enough comparators to judge what the supplier added (METHOD.md 3.3) no effect is sure.
    """
    effect, actual = measure["effect"] or {}, measure["actual"] or {}
    return Judged(
        code=outcome.code,
        payment_pence=outcome.payment_pence,
        floor=float(outcome.floor or 0),
        full=float(outcome.full or 0),
        status=measure["status"],
        n=actual.get("n"),
        effect=measure["shrunk"],
        surely_better=measure["value_result"] != NOT_AVAILABLE and effect.get("lower90", 0.0) > 0,
    )


def decides(row: Contract, evaluation: Mapping[str, Any]) -> bool:
    """Whether a verdict moves money: a final one, or as an advance an interim one once the contract has ended.

    While a suspension stops payments none does, also after the end; the verdict that counts is taken to them when the
    contract goes on, or when it was decided what becomes of them.
    """
    return not stopped(row) and (row.ended_on is not None or evaluation["run"] == "final")


def forfeited(row: Contract) -> bool:
    """Whether what was held back by a suspension at the end is lost: a verdict can then only take away."""
    return bool(row.suspension) and (row.suspension or {}).get("resolution", {}).get("finding") == Finding.NOT_PAYABLE


async def award(
    session: AsyncSession, *, row: Contract, evaluation: Mapping[str, Any], caller: Caller, now: datetime
) -> None:
    """Bring the payments for outcomes to what a verdict earns, by new entries for the difference to what was before.

    An advance on interim or provisional results keeps a quarter back; what a settled verdict does not earn is reduced.
    Where what could be earned was forfeited, none earns more than there was before. A verdict that was taken to a
    payment changes nothing there when it comes again.
    """
    if not decides(row, evaluation):
        return
    measures = {each["code"]: each for each in evaluation["measures"]}
    paying = [each for each in await outcomes(session, [row.id]) if each.payment_pence and each.code in measures]
    settled = evaluation["run"] == "final" and evaluation["release_status"] != "provisional"
    found = awards([judged(each, measures[each.code]) for each in paying], evaluation["coverage"], evaluation["vetoes"])
    rows = {each.code: each for each in await payments(session, [row.id]) if each.kind == "outcome"}
    book = await open_book(session, row.id, london_date(now), now)
    for each in found:
        payment = rows[each.code]
        before = payment.basis or {}
        if before.get("evaluation_id") == evaluation["id"]:
            continue
        less = each.amount_pence < gained(book.held(payment)) and each.reason == before.get("reason")
        if less and negligible(before.get("effect"), each.effect, float(measures[each.code]["rounding_half_width"])):
            continue
        facts = {"share": each.share, "reason": each.reason, "effect": each.effect, "settled": settled}
        payment.basis = {"evaluation_id": evaluation["id"], "run": evaluation["run"], **facts}
        await bring(session, row=row, book=book, payment=payment, award=each, settled=settled, caller=caller, now=now)


async def bring(
    session: AsyncSession,
    *,
    row: Contract,
    book: Book,
    payment: Payment,
    award: Award,
    settled: bool,
    caller: Caller,
    now: datetime,
) -> None:
    """Bring one payment to its award."""
    cause = UUID(str((payment.basis or {})["evaluation_id"]))
    earned, kept = payable(award.amount_pence, settled=settled)
    if forfeited(row):
        earned, kept = min(earned, gained(book.held(payment))), 0
    facts = {"part": payment.kind, "code": payment.code, "payment_id": payment.id, "reason": award.reason}
    before = gained(book.held(payment))
    if before - earned > book.held(payment).get(Account.EARNED, 0):
        out: dict[str, Any] = {"reason": "verdict_revised", "caller": caller, "now": now}
        await take_out(session, row=row, book=book, payment=payment, **out)
        held = book.held(payment)
        back = take_back(held, max(before - earned - held.get(Account.EARNED, 0), 0))
        await reverse(session, row=row, book=book, payment=payment, shifts=back, cause_id=cause, **out)
    moves = shifts(book.held(payment), earned, kept, settled=settled)
    for shift in moves:
        book.post(
            payment,
            shift.source,
            shift.step,
            shift.amount_pence,
            role=Role.CLOCK,
            reason=award.reason,
            cause_id=cause,
        )
    for step, words in TOLD.items():
        amount = sum(shift.amount_pence for shift in moves if shift.step is step)
        if amount:
            await tell(session, row, f"payment.{words}", caller, now, amount_pence=amount, **facts)
    await tell(session, row, "payment.assessed", caller, now, earned_pence=earned, retained_pence=kept, **facts)
