"""What facts do to claims: lines are taken out while they can be, and credited after that."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.claims import queries
from services.contracts.events import tell
from services.contracts.invoices.service import credit
from services.contracts.ledger.service import Book
from services.contracts.models import Contract, Payment
from services.contracts.rules.awards import Shift
from services.contracts.rules.claims import ClaimMove, ClaimStatus, moved
from services.contracts.rules.ledger import Account, Move
from services.contracts.rules.life import Role
from services.kernel.auth import Caller


def empty(claim: Claim, reason: str) -> None:
    """Nothing is left of a claim."""
    claim.status = moved(ClaimStatus(claim.status), ClaimMove.EMPTY, Role.CLOCK)
    claim.reason = reason


async def take_out(
    session: AsyncSession, *, row: Contract, book: Book, payment: Payment, reason: str, caller: Caller, now: datetime
) -> None:
    """Take a payment out of every claim that was not approved yet; it is earned and may be claimed anew."""
    for account in (Account.CLAIMED, Account.CERTIFIED):
        holding = book.claims_holding(payment, account)
        for claim in await queries.claims(session, list(holding)):
            amount = holding[claim.id]
            book.post(payment, account, Move.RETURN, amount, role=Role.CLOCK, reason=reason, claim_id=claim.id)
            part = (payment.kind, payment.code)
            claim.lines = [each for each in claim.lines if (each["kind"], each["code"]) != part]
            claim.amount_pence, claim.version, claim.updated_at = claim.amount_pence - amount, claim.version + 1, now
            if not claim.lines:
                empty(claim, reason)
            facts = {"claim_id": claim.id, "claim": claim.reference, "part": payment.kind, "code": payment.code}
            await tell(session, row, "claim.reduced", caller, now, amount_pence=amount, reason=reason, **facts)


async def reverse(
    session: AsyncSession,
    *,
    row: Contract,
    book: Book,
    payment: Payment,
    shifts: Sequence[Shift],
    reason: str,
    cause_id: UUID | None,
    caller: Caller,
    now: datetime,
) -> None:
    """Reverse money that was approved or paid, latest claim first, with a credit note to the invoice of each claim."""
    for shift in shifts:
        owed, left = shift.source is Account.OWED, shift.amount_pence
        accounts = (Account.PAID, Account.OWED) if owed else (Account.APPROVED,)
        holding = book.claims_holding(payment, *accounts)
        for claim in reversed(await queries.claims(session, list(holding))):
            amount = min(left, holding[claim.id])
            if not amount:
                continue
            left -= amount
            book.post(
                payment,
                shift.source,
                shift.step,
                amount,
                role=Role.CLOCK,
                reason=reason,
                claim_id=claim.id,
                cause_id=cause_id,
            )
            amounts = {(payment.kind, payment.code): amount}
            if not owed and not book.in_claim(claim.id, Account.APPROVED):
                empty(claim, reason)
                claim.version, claim.updated_at = claim.version + 1, now
            facts = {"payment_id": payment.id, "part": payment.kind, "code": payment.code, "reason": reason}
            await tell(session, row, "payment.reversed", caller, now, amount_pence=amount, owed=owed, **facts)
            await credit(
                session,
                contract=row,
                claim=claim,
                amounts=amounts,
                owed=owed,
                reason=reason,
                today=book.on,
                caller=caller,
                now=now,
            )
