"""What the end of a contract does to its payments: what can be earned no more is withheld, what was stopped waits."""

from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import tell
from services.contracts.ledger.service import Book, open_book
from services.contracts.models import Contract, Payment
from services.contracts.payments import queries
from services.contracts.queries import milestones
from services.contracts.rules.instalments import earned_of
from services.contracts.rules.ledger import Account, Move
from services.contracts.rules.life import Role
from services.contracts.rules.milestones import MilestoneStatus
from services.contracts.rules.money import PaymentKind, PaymentStatus
from services.contracts.rules.suspension import worked_until
from services.contracts.rules.termination import Ground, after_termination
from services.kernel.auth import Caller

HELD = "suspended_at_end"
"""Why money waits, or is withheld, of a contract that came to its end while a suspension stopped payments."""


def period_of(payment: Payment) -> tuple[date, date] | None:
    """First and last day of an instalment."""
    if payment.period_starts_on is None or payment.period_ends_on is None:
        return None
    return payment.period_starts_on, payment.period_ends_on


def stopped(row: Contract) -> bool:
    """Whether a suspension keeps anything from being earned: until the contract goes on or, ended, was decided on."""
    rest = row.suspension
    return rest is not None and bool(rest["stops"]["payments"]) and "resolution" not in rest


def last_worked(row: Contract, last_day: date) -> date:
    """The last day for which a fee is earned: that of the contract, or the eve of a suspension that stops payments."""
    return (
        worked_until(date.fromisoformat(row.suspension["since"]), last_day)
        if stopped(row) and row.suspension
        else last_day
    )


async def split(
    session: AsyncSession,
    *,
    row: Contract,
    book: Book,
    payment: Payment,
    earned: int,
    reason: str,
    caller: Caller,
    now: datetime,
) -> None:
    """Of what is still scheduled of a payment this much is earned, and the rest withheld with a reason."""
    facts = {"part": payment.kind, "code": payment.code}
    left = book.held(payment).get(Account.SCHEDULED, 0) - earned
    if earned:
        book.post(payment, Account.SCHEDULED, Move.EARN, earned, role=Role.CLOCK, reason="earned")
        await tell(session, row, "payment.earned", caller, now, amount_pence=earned, **facts)
    if left:
        book.post(payment, Account.SCHEDULED, Move.WITHHOLD, left, role=Role.CLOCK, reason=reason)
        event = "payment.reduced" if earned else "payment.withheld"
        await tell(session, row, event, caller, now, amount_pence=left, payment_id=payment.id, **facts)


async def withhold(
    session: AsyncSession, *, row: Contract, ground: Ground, last_day: date, caller: Caller, now: datetime
) -> None:
    """After a termination, what cannot be earned any more is withheld, with the ground as the reason.

    The instalment that was running is earned for the days up to the last one, except after a breach. What was met
    while a suspension stopped payments waits, whatever the ground.
    """
    promised = await milestones(session, [row.id])
    due = {each.code: each.due_on for each in promised}
    met = {each.code for each in promised if each.status == MilestoneStatus.MET}
    book, waits, until = await open_book(session, row.id, last_day, now), stopped(row), last_worked(row, last_day)
    for payment in await queries.payments(session, [row.id]):
        kind, period = PaymentKind(payment.kind), period_of(payment)
        left = book.held(payment).get(Account.SCHEDULED, 0)
        day = due.get(payment.code) if kind is PaymentKind.MILESTONE else None
        shown = waits and kind is PaymentKind.MILESTONE and payment.code in met
        if not left or shown or after_termination(ground, kind, day, last_day) is PaymentStatus.SCHEDULED:
            continue
        earned = earned_of(left, period, until) if period and ground is not Ground.BREACH else 0
        reason = f"terminated_{ground}"
        await split(session, row=row, book=book, payment=payment, earned=earned, reason=reason, caller=caller, now=now)
    await hold_back(session, row=row)


async def forgo_fees(session: AsyncSession, *, row: Contract, on: date, caller: Caller, now: datetime) -> None:
    """The contract ended in a suspension that stopped payments: of its fee only the days before that are earned."""
    book = await open_book(session, row.id, on, now)
    for payment in await queries.instalments(session, row.id):
        left, period = book.held(payment).get(Account.SCHEDULED, 0), period_of(payment)
        earned = earned_of(left, period, last_worked(row, on)) if period else 0
        await split(session, row=row, book=book, payment=payment, earned=earned, reason=HELD, caller=caller, now=now)
    await hold_back(session, row=row)


async def hold_back(session: AsyncSession, *, row: Contract) -> None:
    """What can still be earned says why it is not, while a suspension that stopped payments outlives its contract."""
    for payment in await queries.payments(session, [row.id]) if stopped(row) else []:
        if payment.status == PaymentStatus.SCHEDULED:
            payment.reason_code = HELD


async def let_go(session: AsyncSession, *, row: Contract) -> None:
    """What was held back at the end can be earned again."""
    for payment in await queries.payments(session, [row.id]):
        if payment.status == PaymentStatus.SCHEDULED and payment.reason_code == HELD:
            payment.reason_code = None


async def forfeit(session: AsyncSession, *, row: Contract, on: date, caller: Caller, now: datetime) -> None:
    """What was held back at the end, and had not been earned before, never will be."""
    book = await open_book(session, row.id, on, now)
    for payment in await queries.payments(session, [row.id]):
        await split(session, row=row, book=book, payment=payment, earned=0, reason=HELD, caller=caller, now=now)
