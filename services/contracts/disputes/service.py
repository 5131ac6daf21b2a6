"""Disputing claims and ending disputes: what is disputed stands still in a claim of its own, the rest goes on."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.claims import queries
from services.contracts.claims.service import Keys, keys_of, reject, set_due, sign, step_to, told
from services.contracts.disputes.schemas import DisputeIn, ResolutionIn
from services.contracts.ledger.service import open_book
from services.contracts.models import Contract
from services.contracts.rules import claims as rules
from services.contracts.rules.claims import ClaimMove, ClaimStatus, Finding
from services.contracts.rules.ledger import Account
from services.contracts.rules.life import ROLES
from services.contracts.rules.money import due_on
from services.contracts.rules.terms import BadTerms
from services.kernel.auth import Caller
from services.kernel.types import london_date, plain


async def dispute(
    session: AsyncSession, *, row: Contract, claim: Claim, body: DisputeIn, caller: Caller, now: datetime
) -> Claim:
    """The commissioner disputes a claim or lines of it: these stand still in a claim of their own, the rest goes on."""
    disputed = keys_of(body.items) if body.items is not None else {(e["kind"], e["code"]) for e in claim.lines}
    unknown = disputed - {(each["kind"], each["code"]) for each in claim.lines}
    if unknown:
        raise BadTerms("The claim has no such line.", errors=[{"pointer": "/items"}])
    found = claim
    if len(disputed) < len(claim.lines):
        rules.moved(ClaimStatus(claim.status), ClaimMove.DISPUTE, ROLES[caller.kind])
        found = await split(session, row, claim, disputed, caller, now)
    step_to(found, ClaimMove.DISPUTE, caller)
    sign(found, "disputed", body.signed_by, caller, now)
    found.disputes = [*found.disputes, {"since": plain(london_date(now)), "reason": body.reason, "until": None}]
    await told(session, row, found, "claim.disputed", caller, now, reason=body.reason)
    return found


async def split(session: AsyncSession, row: Contract, claim: Claim, keys: Keys, caller: Caller, now: datetime) -> Claim:
    """Lines of a certified claim become a claim of their own, with the same hands and days."""
    number = await queries.next_number(session, row.id)
    lines = [each for each in claim.lines if (each["kind"], each["code"]) in keys]
    alike = ("contract_id", "supplier_uid", "status", "hands", "disputes", "submitted_on", "certified_on", "due_on")
    made = Claim(
        **{name: getattr(claim, name) for name in alike},
        number=number,
        reference=f"{row.reference}-{number:02d}",
        amount_pence=sum(each["amount_pence"] for each in lines),
        lines=lines,
        split_from=claim.id,
        updated_at=now,
    )
    session.add(made)
    await session.flush()
    book, payments = await open_book(session, row.id, london_date(now), now), await queries.payments(session, row.id)
    for each in lines:
        payment = payments[each["kind"], each["code"]]
        book.hand_over(payment, Account.CERTIFIED, each["amount_pence"], claim.id, made.id, f"claim {made.reference}")
    claim.lines = [each for each in claim.lines if each not in lines]
    claim.amount_pence -= made.amount_pence
    await told(session, row, claim, "claim.split", caller, now, into=made.reference)
    return made


async def resolve(
    session: AsyncSession, *, row: Contract, claim: Claim, body: ResolutionIn, caller: Caller, now: datetime
) -> Claim:
    """The dispute has ended: the claim goes on, its days in dispute not counted; or it is rejected."""
    today, status = london_date(now), ClaimStatus(claim.status)
    target = rules.moved(status, ClaimMove.RESOLVE, ROLES[caller.kind])
    *before, last = claim.disputes
    claim.disputes = [*before, {**last, "until": plain(today), "finding": body.finding.value}]
    if body.finding is Finding.NOT_PAYABLE:
        facts = {"person": body.signed_by, "reason": body.reason}
        return await reject(session, row=row, claim=claim, caller=caller, now=now, **facts)
    claim.status = target
    sign(claim, "resolved", body.signed_by, caller, now)
    if claim.certified_on is not None:
        await set_due(session, row, claim, due_on(claim.certified_on, disputed_days(claim.disputes)))
    await told(session, row, claim, "claim.resolved", caller, now, reason=body.reason, due_on=claim.due_on)
    return claim


def disputed_days(disputes: Iterable[dict[str, Any]]) -> int:
    """The days on which a claim's clock stood still, of disputes that have ended."""
    spans = [(date.fromisoformat(each["since"]), date.fromisoformat(each["until"])) for each in disputes]
    return sum((until - since).days for since, until in spans)
