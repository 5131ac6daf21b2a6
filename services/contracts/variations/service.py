"""What can be done with a variation, until it takes effect or comes to nothing."""

from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.calls import Facts
from services.contracts.conduct import Variation
from services.contracts.drafts.schemas import ContractIn
from services.contracts.drafts.service import check_terms
from services.contracts.events import tell
from services.contracts.models import Contract, Job, Signature
from services.contracts.offers.schemas import SignatureIn
from services.contracts.rules import terms, variations
from services.contracts.rules.life import (
    ROLES,
    NotTheirMove,
    Role,
    Status,
    all_signed,
    check_in_force,
    check_own_signature,
    check_party,
)
from services.contracts.rules.variations import VariationKind, VariationMove, VariationStatus
from services.contracts.variations import effect
from services.contracts.variations.schemas import CorrectionIn, VariationIn
from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.jobs import enqueue
from services.kernel.types import london_date, plain, start_of_day


async def may_propose(session: AsyncSession, row: Contract, caller: Caller) -> int:
    """The number of the next variation, once it is sure that this party may propose one now."""
    check_party(ROLES[caller.kind])
    check_in_force(Status(row.status))
    known = await queries.variations(session, [row.id])
    waiting = next((each for each in known if each.status in variations.OPEN), None)
    if waiting is not None:
        raise variations.VariationOpen(f"Variation {waiting.number} is {waiting.status}; settle it first.")
    return len(known) + 1


async def propose(
    session: AsyncSession,
    *,
    row: Contract,
    body: VariationIn,
    wanted: ContractIn,
    facts: Facts,
    caller: Caller,
    now: datetime,
) -> Variation:
    """Put other terms to the parties; `wanted` are the whole terms as they would stand."""
    number, today = await may_propose(session, row, caller), london_date(now)
    variations.check_day(body.effective_on, today, row.ends_on)
    check_terms(wanted, facts)
    future = await effect.terms_of(session, row, wanted, facts)
    if plain(future) == plain(await effect.present_terms(session, row)):
        raise variations.NothingChanges("The changes leave every term as it is.", errors=[{"pointer": "/changes"}])
    variations.check_change(await effect.standing(session, row), effect.wanted(future), body.effective_on)
    changes = body.changes.model_dump(include=body.changes.model_fields_set)
    digest = terms.agreement_hash(effect.agreement_with(row, future))
    return await put(
        session,
        row=row,
        variation=Variation(
            contract_id=row.id,
            number=number,
            kind=VariationKind.CHANGE,
            status=VariationStatus.PROPOSED,
            changes=plain(changes),
            terms=plain(future),
            agreed_hash=digest,
            proposed_by=ROLES[caller.kind],
            proposed_on=today,
            effective_on=body.effective_on,
            rationale=body.rationale,
        ),
        caller=caller,
        now=now,
    )


async def propose_end(
    session: AsyncSession, *, row: Contract, notice: dict[str, Any], caller: Caller, now: datetime
) -> Variation:
    """Put an earlier end to the parties: with every signature, it is as if notice had been given."""
    number = await may_propose(session, row, caller)
    digest = terms.agreement_hash({"terms": row.agreed_hash, "termination": notice})
    return await put(
        session,
        row=row,
        variation=Variation(
            contract_id=row.id,
            number=number,
            kind=VariationKind.TERMINATION,
            status=VariationStatus.PROPOSED,
            effective_on=date.fromisoformat(notice["ends_on"]),
            rationale=notice["reason"],
            changes={"termination": notice},
            terms={},
            agreed_hash=digest,
            proposed_by=ROLES[caller.kind],
            proposed_on=london_date(now),
        ),
        caller=caller,
        now=now,
    )


async def put(
    session: AsyncSession, *, row: Contract, variation: Variation, caller: Caller, now: datetime
) -> Variation:
    """The variation waits for signatures, until its day at the latest."""
    session.add(variation)
    facts = {"number": variation.number, "effective_on": variation.effective_on}
    await tell(session, row, "variation.proposed", caller, now, agreed_hash=variation.agreed_hash, **facts)
    await enqueue(session, Job, kind="vary", key=str(row.id), run_at=start_of_day(variation.effective_on))
    return variation


async def found(session: AsyncSession, row: Contract, number: int) -> Variation:
    """The variation with this number; raises NotFound."""
    variation = await session.get(Variation, (row.id, number))
    if variation is None:
        raise NotFound(f"The contract has no variation {number}.")
    return variation


async def sign(
    session: AsyncSession, *, row: Contract, number: int, body: SignatureIn, caller: Caller, now: datetime
) -> Contract:
    """One party's signature; with the last one the variation is agreed, and takes effect when its day has come."""
    variation, today = await found(session, row, number), london_date(now)
    check_own_signature(body.party, ROLES[caller.kind])
    agreed = variations.moved(VariationStatus(variation.status), VariationMove.AGREE)
    terms.check_signed_on(body.signed_on, variation.proposed_on, today)
    variations.check_day(variation.effective_on, today, row.ends_on)
    document = f"variation/{number}"
    session.add(
        Signature(
            contract_id=row.id,
            document=document,
            agreed_hash=variation.agreed_hash,
            client_id=caller.client_id,
            recorded_at=now,
            **body.model_dump(),
        )
    )
    await tell(session, row, "variation.signed", caller, now, number=number, party=body.party)
    signed = [each for each in await queries.signatures(session, [row.id]) if each.document == document]
    if all_signed(frozenset(Role(each.party) for each in signed)):
        variation.status = agreed
        await tell(session, row, "variation.agreed", caller, now, number=number)
        if variation.kind == VariationKind.TERMINATION or variation.effective_on <= today:
            await effect.take(session, row=row, variation=variation, caller=caller, now=now)
    return row


async def close(
    session: AsyncSession,
    *,
    row: Contract,
    number: int,
    step: VariationMove,
    reason: str,
    caller: Caller,
    now: datetime,
) -> Contract:
    """The proposer withdraws the variation, or another party refuses it."""
    variation, role = await found(session, row, number), ROLES[caller.kind]
    check_party(role)
    variations.check_closer(step, role, Role(variation.proposed_by))
    variation.status = variations.moved(VariationStatus(variation.status), step)
    variation.closed_on = london_date(now)
    await tell(session, row, f"variation.{variation.status}", caller, now, number=number, reason=reason)
    return row


async def correct(
    session: AsyncSession, *, row: Contract, body: CorrectionIn, caller: Caller, now: datetime
) -> Contract:
    """Put a clerical error right; the terms that were signed, and their hash, stay as they are."""
    role = ROLES[caller.kind]
    if role is not Role.COMMISSIONER:
        raise NotTheirMove("Corrections are for the commissioner.")
    check_in_force(Status(row.status))
    titles = {each.code: each for each in await queries.milestones(session, [row.id])}
    for code, title in body.milestone_titles.items():
        if code not in titles:
            pointer = [{"pointer": f"/milestone_titles/{code}"}]
            raise terms.BadTerms(f"The contract has no milestone {code}.", errors=pointer)
        titles[code].title = title
    row.title = body.title or row.title
    await tell(session, row, "contract.corrected", caller, now, reason=body.reason)
    return row
