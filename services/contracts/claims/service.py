"""What the parties do with a claim. Each act is by another hand, and moves money of the ledger with it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim
from services.contracts.claims import queries
from services.contracts.claims.schemas import ClaimIn, ItemIn, PaidIn
from services.contracts.events import tell
from services.contracts.finance.service import known
from services.contracts.invoices.queries import claim_totals
from services.contracts.invoices.service import issue
from services.contracts.ledger.service import Book, open_book
from services.contracts.models import Contract
from services.contracts.rules import claims as rules
from services.contracts.rules.claims import ClaimMove, ClaimStatus, Hand
from services.contracts.rules.ledger import Account, Move
from services.contracts.rules.ledger import moved as money_moved
from services.contracts.rules.life import ROLES
from services.contracts.rules.money import due_on
from services.contracts.rules.terms import BadTerms
from services.kernel.auth import Caller
from services.kernel.types import london_date, plain

Keys = set[tuple[str, str]]


def hand(claim: Claim, act: str) -> Hand:
    """Who did something with a claim."""
    found = claim.hands[act]
    return Hand(found["client_id"], found["person"])


def sign(claim: Claim, act: str, person: str, caller: Caller, now: datetime) -> None:
    """Keep who did something with a claim."""
    claim.hands = {**claim.hands, act: plain({"client_id": caller.client_id, "person": person, "at": now})}


def keys_of(items: Sequence[ItemIn]) -> Keys:
    """The parts of a contract's value that are named."""
    return {(each.kind.value, each.code) for each in items}


async def submit(session: AsyncSession, *, row: Contract, body: ClaimIn, caller: Caller, now: datetime) -> Claim:
    """The trust claims what is earned and was not claimed yet; of what it names, nothing may be missing."""
    role, today = ROLES[caller.kind], london_date(now)
    money_moved(Account.EARNED, Move.CLAIM, role)
    await known(session, row)
    book, payments = await open_book(session, row.id, today, now), await queries.payments(session, row.id)
    earned = {key: held for key, each in payments.items() if (held := book.held(each).get(Account.EARNED, 0)) > 0}
    wanted = keys_of(body.items) if body.items is not None else set(earned)
    missing = sorted(" ".join(key) for key in wanted - earned.keys())
    if missing or not wanted:
        words = f"Not earned, or claimed already: {', '.join(missing) or 'everything'}; see the contract's payments."
        raise rules.NothingToClaim(words)
    number = await queries.next_number(session, row.id)
    claim = Claim(
        contract_id=row.id,
        number=number,
        reference=f"{row.reference}-{number:02d}",
        supplier_uid=row.supplier_uid,
        status=ClaimStatus.SUBMITTED,
        amount_pence=sum(earned[key] for key in wanted),
        lines=[{"kind": key[0], "code": key[1], "amount_pence": earned[key]} for key in payments if key in wanted],
        hands={},
        submitted_on=today,
        updated_at=now,
    )
    sign(claim, "prepared", body.prepared_by, caller, now)
    session.add(claim)
    await session.flush()
    for key in sorted(wanted):
        reason = f"claim {claim.reference}"
        book.post(payments[key], Account.EARNED, Move.CLAIM, earned[key], role=role, reason=reason, claim_id=claim.id)
    await told(session, row, claim, "claim.submitted", caller, now)
    return claim


async def told(
    session: AsyncSession, row: Contract, claim: Claim, kind: str, caller: Caller, now: datetime, **facts: Any
) -> None:
    """Write the event of what was done with a claim, and count its version on; a new one has version 1."""
    claim.version += kind != "claim.submitted"
    claim.updated_at = now
    about = {"claim_id": claim.id, "claim": claim.reference, "amount_pence": claim.amount_pence}
    await tell(session, row, kind, caller, now, **about, **facts)


async def carry(
    session: AsyncSession,
    row: Contract,
    claim: Claim,
    source: Account,
    step: Move,
    caller: Caller,
    now: datetime,
    on: date | None = None,
) -> Book:
    """Move all that an account holds in a claim."""
    book, payments = (
        await open_book(session, row.id, on or london_date(now), now),
        await queries.payments(session, row.id),
    )
    for payment in payments.values():
        amount = book.claims_holding(payment, source).get(claim.id, 0)
        if amount:
            role, reason = ROLES[caller.kind], f"claim {claim.reference}"
            book.post(payment, source, step, amount, role=role, reason=reason, claim_id=claim.id)
    return book


def step_to(claim: Claim, step: ClaimMove, caller: Caller) -> None:
    """The claim moves on; raises NotTheirMove or MoveNotAllowed."""
    claim.status = rules.moved(ClaimStatus(claim.status), step, ROLES[caller.kind])


async def set_due(session: AsyncSession, row: Contract, claim: Claim, due: date | None) -> None:
    """The day by which a claim, and so each payment in it, is to be paid; None while it is in dispute."""
    claim.due_on = due
    payments = await queries.payments(session, row.id)
    for each in claim.lines:
        payments[each["kind"], each["code"]].due_on = due


async def certify(
    session: AsyncSession, *, row: Contract, claim: Claim, person: str, caller: Caller, now: datetime
) -> Claim:
    """Another hand of the trust certifies the claim: from now on it is a valid one, to be paid in 30 days."""
    step_to(claim, ClaimMove.CERTIFY, caller)
    certifier = Hand(caller.client_id, person)
    rules.check_apart(hand(claim, "prepared"), certifier, "Who prepared a claim does not certify it")
    sign(claim, "certified", person, caller, now)
    claim.certified_on = london_date(now)
    await carry(session, row, claim, Account.CLAIMED, Move.CERTIFY, caller, now)
    await set_due(session, row, claim, due_on(claim.certified_on))
    await told(session, row, claim, "claim.certified", caller, now, due_on=claim.due_on)
    return claim


async def approve(
    session: AsyncSession,
    *,
    row: Contract,
    claim: Claim,
    person: str,
    ocid: str | None,
    caller: Caller,
    now: datetime,
) -> Claim:
    """The commissioner approves the claim, never by the credential that recorded its evidence: it is invoiced."""
    step_to(claim, ClaimMove.APPROVE, caller)
    codes = [each["code"] for each in claim.lines if each["kind"] == "milestone"]
    recorded = await queries.recorders(session, row.id, codes)
    rules.check_not_recorder(Hand(caller.client_id, person), recorded.values())
    rules.check_apart(
        hand(claim, "certified"), Hand(caller.client_id, person), "Who certified a claim never approves it"
    )
    sign(claim, "approved", person, caller, now)
    await carry(session, row, claim, Account.CERTIFIED, Move.APPROVE, caller, now)
    await told(session, row, claim, "claim.approved", caller, now)
    payments, titles = await queries.payments(session, row.id), await queries.titles(session, row.id)
    keys = [(each["kind"], each["code"], each["amount_pence"]) for each in claim.lines]
    await issue(
        session,
        contract=row,
        claim=claim,
        finance=await known(session, row),
        lines=[(payments[kind, code], amount, titles.get((kind, code), row.title)) for kind, code, amount in keys],
        ocid=ocid,
        today=london_date(now),
        caller=caller,
        now=now,
    )
    return claim


async def reject(
    session: AsyncSession, *, row: Contract, claim: Claim, person: str, reason: str, caller: Caller, now: datetime
) -> Claim:
    """The commissioner rejects the claim, or the trust withdraws it: what it was for is earned, and claimed no more."""
    step = ClaimMove.WITHDRAW if ROLES[caller.kind] in rules.MAY[ClaimMove.WITHDRAW] else ClaimMove.REJECT
    held = Account.CLAIMED if claim.status == ClaimStatus.SUBMITTED else Account.CERTIFIED
    step_to(claim, step, caller)
    sign(claim, claim.status, person, caller, now)
    claim.reason = reason
    await carry(session, row, claim, held, Move.RETURN, caller, now)
    await set_due(session, row, claim, None)
    await told(session, row, claim, f"claim.{claim.status}", caller, now, reason=reason)
    return claim


async def pay(
    session: AsyncSession, *, row: Contract, claim: Claim, body: PaidIn, caller: Caller, now: datetime
) -> Claim:
    """The commissioner has paid the claim: another hand than the one that approved it, to the penny."""
    target = rules.moved(ClaimStatus(claim.status), ClaimMove.PAY, ROLES[caller.kind])
    payer = Hand(caller.client_id, body.signed_by)
    rules.check_apart(hand(claim, "approved"), payer, "Who approved a claim does not pay it")
    approved_on = london_date(datetime.fromisoformat(claim.hands["approved"]["at"]))
    if not approved_on <= body.paid_on <= london_date(now):
        raise BadTerms("A claim is paid from its approval on, and not in the future.", errors=[{"pointer": "/paid_on"}])
    asked, credited = await claim_totals(session, claim.id)
    if body.amount_pence != asked - credited:
        words = f"The invoice, less what was credited, asks for {asked - credited} pence."
        raise rules.WrongAmount(words, amount_pence=asked - credited)
    sign(claim, "paid", body.signed_by, caller, now)
    claim.status, claim.paid_on, claim.payment_reference = target, body.paid_on, body.reference
    book = await carry(session, row, claim, Account.APPROVED, Move.PAY, caller, now, on=body.paid_on)
    claim.lines = [
        {**each, "paid_pence": book.by_claim[each["kind"], each["code"]].get((Account.PAID, claim.id), 0)}
        for each in claim.lines
    ]
    payments = await queries.payments(session, row.id)
    for each in claim.lines:
        payments[each["kind"], each["code"]].paid_on = body.paid_on
    facts = {"paid_on": body.paid_on, "gross_pence": body.amount_pence, "codes": [e["code"] for e in claim.lines]}
    await told(session, row, claim, "payment.paid", caller, now, **facts)
    return claim
