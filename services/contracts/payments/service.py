"""What happens to payments: laid out when a contract is agreed, earned when something was met, else withheld."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.claims.effect import reverse, take_out
from services.contracts.events import tell
from services.contracts.ledger.service import Book, open_book
from services.contracts.models import Contract, Job, Milestone, Outcome, Payment
from services.contracts.payments import queries
from services.contracts.payments.effect import period_of, stopped
from services.contracts.queries import milestones
from services.contracts.rules import money
from services.contracts.rules.awards import take_back
from services.contracts.rules.ledger import Account, Move
from services.contracts.rules.life import Role, Status
from services.contracts.rules.milestones import MilestoneStatus, payment_after, waiting_for
from services.kernel.auth import Caller
from services.kernel.jobs import enqueue
from services.kernel.types import day_after, london_date, start_of_day


def parts(fee: Sequence[money.Part], promised: Sequence[Milestone], agreed: Sequence[Outcome]) -> list[money.Part]:
    """The parts of a contract's value."""
    return money.schedule(
        fee,
        [(each.code, each.payment_pence) for each in promised],
        [(each.code, each.payment_pence) for each in agreed],
    )


async def lay_out(
    session: AsyncSession,
    *,
    row: Contract,
    promised: Sequence[Milestone],
    agreed: Sequence[Outcome],
    on: date,
    now: datetime,
) -> None:
    """Bring the payments of a contract to the parts of its value; instalments that were earned stay as they are."""
    book = await open_book(session, row.id, on, now)
    present = {(each.kind, each.code): each for each in await queries.payments(session, [row.id])}
    begun = [
        money.Part(money.PaymentKind.FEE, each.code, each.amount_pence, period_of(each))
        for each in present.values()
        if each.kind == money.PaymentKind.FEE and each.status != money.PaymentStatus.SCHEDULED
    ]
    fee = money.fee_after_change(begun, row.fee_pence, row.starts_on, row.ends_on, on)
    for part in parts(fee, promised, agreed):
        payment = present.pop((part.kind, part.code), None)
        before = payment.amount_pence if payment else 0
        if payment is None:
            facts: dict[str, Any] = {"kind": part.kind, "code": part.code, "amount_pence": part.amount_pence}
            payment = Payment(contract_id=row.id, status=money.PaymentStatus.SCHEDULED, updated_at=now, **facts)
            session.add(payment)
        payment.amount_pence = part.amount_pence
        payment.period_starts_on, payment.period_ends_on = part.period or (None, None)
        if part.amount_pence != before:
            book.promise(payment, part.amount_pence - before)
    for payment in present.values():
        book.promise(payment, -payment.amount_pence)
        await session.delete(payment)


def posted(book: Book, payment: Payment) -> dict[str, Any] | None:
    """A part of the contract's value was earned; gives what is told of it, None where nothing new was earned."""
    held = book.held(payment)
    amounts = {source: held.get(source, 0) for source in (Account.SCHEDULED, Account.REVERSED)}
    if not any(amounts.values()):
        return None
    for source, amount in amounts.items():
        if amount:
            book.post(payment, source, Move.EARN, amount, role=Role.CLOCK, reason="earned")
    facts = {"part": payment.kind, "code": payment.code, "amount_pence": sum(amounts.values())}
    return {"payment_id": payment.id, **facts}


async def earn(
    session: AsyncSession, *, row: Contract, book: Book, payment: Payment, caller: Caller, now: datetime
) -> None:
    """A part of the contract's value was earned; what was earned before stays as it was."""
    if facts := posted(book, payment):
        await tell(session, row, "payment.earned", caller, now, **facts)


def payable(promised: Sequence[Milestone], payments: Sequence[Payment]) -> list[Payment]:
    """The payments of milestones that are met and wait for no other, in the order of the milestones."""
    by_code = {each.code: each for each in payments if each.kind == money.PaymentKind.MILESTONE}
    met = frozenset(each.code for each in promised if each.status == MilestoneStatus.MET)
    return [
        by_code[each.code]
        for each in promised
        if payment_after(MilestoneStatus(each.status)) is money.PaymentStatus.EARNED
        and each.code in by_code
        and not waiting_for(each.depends_on, met)
    ]


async def earn_milestones(session: AsyncSession, *, row: Contract, on: date, caller: Caller, now: datetime) -> None:
    """Milestones that are met, and wait for no other, are earned; while a suspension stops payments, nothing is."""
    if stopped(row):
        return
    book, promised = await open_book(session, row.id, on, now), await milestones(session, [row.id])
    for payment in payable(promised, await queries.payments(session, [row.id])):
        await earn(session, row=row, book=book, payment=payment, caller=caller, now=now)


async def earn_fees(session: AsyncSession, *, row: Contract, until: date, caller: Caller, now: datetime) -> None:
    """Instalments whose last day has come by `until` are earned on the day after it; the next one is waited for."""
    waiting = [each for each in await queries.instalments(session, row.id) if each.status == "scheduled"]
    for each in waiting:
        last = each.period_ends_on or row.ends_on
        if stopped(row) or last > until:
            break
        book = await open_book(session, row.id, day_after(last), now)
        await earn(session, row=row, book=book, payment=each, caller=caller, now=now)
    ahead = [each.period_ends_on for each in waiting if each.period_ends_on and each.period_ends_on > until]
    if ahead:
        await enqueue(session, Job, kind="fee", key=str(row.id), run_at=start_of_day(day_after(min(ahead))))


async def move_fees(session: AsyncSession, *, row: Contract, since: date, days: int) -> None:
    """The clock stood still for so many days: instalments that were not over move on."""
    for each in await queries.instalments(session, row.id):
        part = money.Part(money.PaymentKind.FEE, each.code, each.amount_pence, period_of(each))
        moved = money.moved_on(part, since, days, row.ends_on)
        each.period_starts_on, each.period_ends_on = moved.period or (None, None)


async def unearn_milestones(session: AsyncSession, *, row: Contract, code: str, caller: Caller, now: datetime) -> None:
    """A record was withdrawn: its milestone, and those that depend on it, are earned only while they are met."""
    promised = await milestones(session, [row.id])
    met = frozenset(each.code for each in promised if each.status == MilestoneStatus.MET)
    for each in promised:
        touched = each.code == code or code in each.depends_on
        if touched and (each.code not in met or waiting_for(each.depends_on, met)):
            kind, reason = money.PaymentKind.MILESTONE, "record_withdrawn"
            await unearn(session, row=row, kind=kind, code=each.code, reason=reason, caller=caller, now=now)


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
    """What a payment was earned by was withdrawn: it is as if it had not been earned.

    What was claimed is taken out of its claim; what was approved or paid is reversed with a credit note, and what was
    paid is owed back. It can be earned anew. `reason` is a code of up to 40 signs.
    """
    payment = await queries.payment(session, row.id, kind, code)
    if payment is None:
        return
    book = await open_book(session, row.id, london_date(now), now)
    await take_out(session, row=row, book=book, payment=payment, reason=reason, caller=caller, now=now)
    shifts = take_back(book.held(payment), payment.amount_pence)
    await reverse(
        session,
        row=row,
        book=book,
        payment=payment,
        shifts=shifts,
        reason=reason,
        cause_id=None,
        caller=caller,
        now=now,
    )
    earned = book.held(payment).get(Account.EARNED, 0)
    if earned:
        book.post(payment, Account.EARNED, Move.UNEARN, earned, role=Role.CLOCK, reason=reason)
        facts = {"part": payment.kind, "code": code, "amount_pence": earned, "reason": reason}
        await tell(session, row, "payment.unearned", caller, now, payment_id=payment.id, **facts)


async def earn_by_clock(session: AsyncSession, *, row: Contract, caller: Caller, now: datetime) -> None:
    """A day has begun: instalments that were over by the day before are earned, while the contract is in force."""
    if row.status in {Status.ACTIVE, Status.SUSPENDED}:
        until = london_date(now) - timedelta(days=1)
        await earn_fees(session, row=row, until=until, caller=caller, now=now)
