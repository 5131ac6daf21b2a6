"""What happens to payments: laid out when a contract is agreed, earned when something was met."""

from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import tell
from services.contracts.models import Contract
from services.contracts.payments import queries
from services.contracts.rules import money
from services.kernel.auth import Caller


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
    payment.status = money.PaymentStatus.EARNED
    payment.earned_on = earned_on
    payment.due_on = money.due_on(earned_on)
    payment.updated_at = now
    facts = {"part": kind.value, "code": code, "amount_pence": payment.amount_pence, "due_on": payment.due_on}
    tell(session, row, "payment.earned", caller, now, payment_id=payment.id, **facts)
