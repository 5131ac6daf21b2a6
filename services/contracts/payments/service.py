"""What happens to payments: laid out when a contract is agreed, earned when something was met, else withheld."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import tell
from services.contracts.models import Contract, Milestone, Outcome, Payment
from services.contracts.payments import queries
from services.contracts.queries import milestones
from services.contracts.rules import money
from services.contracts.rules.milestones import MilestoneStatus, payment_after, waiting_for
from services.contracts.rules.termination import Ground, after_termination
from services.kernel.auth import Caller


def parts(fee_pence: int, promised: Sequence[Milestone], agreed: Sequence[Outcome]) -> list[money.Part]:
    """The parts of a contract's value."""
    return money.schedule(
        fee_pence,
        [(each.code, each.payment_pence) for each in promised],
        [(each.code, each.payment_pence) for each in agreed],
    )


async def lay_out(session: AsyncSession, *, row: Contract, wanted: Sequence[money.Part], now: datetime) -> None:
    """Bring the payments of a contract to the parts of its value; a fee that was earned grows by parts of its own."""
    present = {(each.kind, each.code): each for each in await queries.payments(session, row.id)}
    fees = [
        money.Part(money.PaymentKind.FEE, each.code, each.amount_pence)
        for each in present.values()
        if each.kind == money.PaymentKind.FEE and each.status != money.PaymentStatus.SCHEDULED
    ]
    for part in money.after_change(fees, wanted):
        payment = present.pop((part.kind, part.code), None)
        if payment is None:
            scheduled = money.PaymentStatus.SCHEDULED
            facts: dict[str, Any] = {"kind": part.kind, "code": part.code, "amount_pence": part.amount_pence}
            session.add(Payment(contract_id=row.id, status=scheduled, updated_at=now, **facts))
        elif payment.amount_pence != part.amount_pence:
            payment.amount_pence, payment.updated_at = part.amount_pence, now
    for payment in present.values():
        await session.delete(payment)


async def earn(
    session: AsyncSession,
    *,
    row: Contract,
    kind: money.PaymentKind,
    code: str,
    earned_on: date,
    caller: Caller,
    now: datetime,
) -> None:
    """A part of the contract's value was earned on a day and falls due; a part earned before stays as it was."""
    payment = await queries.payment(session, row.id, kind, code)
    if payment is None or payment.status != money.PaymentStatus.SCHEDULED:
        return
    payment.status, payment.reason_code = money.PaymentStatus.EARNED, None
    payment.earned_on = earned_on
    payment.due_on = money.due_on(earned_on)
    payment.updated_at = now
    facts = {"part": kind.value, "code": code, "amount_pence": payment.amount_pence, "due_on": payment.due_on}
    await tell(session, row, "payment.earned", caller, now, payment_id=payment.id, **facts)


async def earn_milestones(session: AsyncSession, *, row: Contract, on: date, caller: Caller, now: datetime) -> None:
    """Milestones that are met, and wait for no other, are earned; while a suspension stops payments, nothing is."""
    if row.suspension is not None and row.suspension["stops"]["payments"]:
        return
    promised = await milestones(session, [row.id])
    met = frozenset(each.code for each in promised if each.status == MilestoneStatus.MET)
    for each in promised:
        earned = payment_after(MilestoneStatus(each.status)) is money.PaymentStatus.EARNED
        if earned and not waiting_for(each.depends_on, met):
            kind = money.PaymentKind.MILESTONE
            await earn(session, row=row, kind=kind, code=each.code, earned_on=on, caller=caller, now=now)


async def unearn(
    session: AsyncSession,
    *,
    row: Contract,
    kind: money.PaymentKind,
    code: str,
    reason: str,
    caller: Caller,
    now: datetime,
) -> None:
    """A part that was earned and is not paid is not earned any more, for a reason code; any other stays as it is."""
    payment = await queries.payment(session, row.id, kind, code)
    if payment is None or payment.status != money.PaymentStatus.EARNED:
        return
    payment.status, payment.reason_code = money.PaymentStatus.SCHEDULED, reason
    payment.earned_on, payment.due_on, payment.updated_at = None, None, now
    facts = {"part": kind.value, "code": code, "amount_pence": payment.amount_pence, "reason_code": reason}
    await tell(session, row, "payment.unearned", caller, now, payment_id=payment.id, **facts)


async def unearn_milestones(session: AsyncSession, *, row: Contract, code: str, caller: Caller, now: datetime) -> None:
    """A record was withdrawn: its milestone, and those that depend on it, are earned only while they are met."""
    promised = await milestones(session, [row.id])
    met = frozenset(each.code for each in promised if each.status == MilestoneStatus.MET)
    for each in promised:
        touched = each.code == code or code in each.depends_on
        if touched and (each.code not in met or waiting_for(each.depends_on, met)):
            kind, reason = money.PaymentKind.MILESTONE, "record_withdrawn"
            await unearn(session, row=row, kind=kind, code=each.code, reason=reason, caller=caller, now=now)


async def withhold(
    session: AsyncSession, *, row: Contract, ground: Ground, last_day: date, caller: Caller, now: datetime
) -> None:
    """After a termination, what cannot be earned any more is withheld, with the ground as the reason."""
    due = {each.code: each.due_on for each in await milestones(session, [row.id])}
    for payment in await queries.payments(session, row.id):
        kind = money.PaymentKind(payment.kind)
        day = due.get(payment.code) if kind is money.PaymentKind.MILESTONE else None
        after = after_termination(ground, kind, day, last_day)
        if payment.status != money.PaymentStatus.SCHEDULED or after is money.PaymentStatus.SCHEDULED:
            continue
        payment.status, payment.reason_code, payment.updated_at = after, f"terminated_{ground}", now
        facts = {"part": payment.kind, "code": payment.code, "amount_pence": payment.amount_pence}
        await tell(session, row, "payment.withheld", caller, now, payment_id=payment.id, **facts)
