"""The door for offers and for signatures under them."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.contracts import calls, queries
from services.contracts.offers import service
from services.contracts.offers.schemas import OfferIn, SignatureIn
from services.contracts.routes import TRANSITION, Outcomes, Writer, for_update, shape, tagged
from services.contracts.schemas import ContractOut, Reason
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["contracts"], responses=TRANSITION)


@router.post("/offer", response_model=ContractOut)
async def offer_contract(
    contract_id: UUID, caller: Writer, session: Session, match: IfMatch, body: OfferIn | None = None
) -> JSONResponse:
    """Offer the draft to supplier and responsible body; its terms are hashed and no longer change."""
    row = await for_update(session, contract_id, match)
    lapses_on = body.lapses_on if body else None
    return tagged(
        await shape(session, await service.offer(session, row=row, lapses_on=lapses_on, caller=caller, now=utc_now()))
    )


@router.post("/signatures", status_code=201, response_model=ContractOut)
async def sign_contract(
    contract_id: UUID, body: SignatureIn, caller: Writer, session: Session, match: IfMatch, outcomes: Outcomes
) -> JSONResponse:
    """Sign for one's own party; the last signature makes the contract agreed."""
    seen = await queries.contract(session, contract_id)
    facts = await calls.facts(
        outcomes, urn=str(seen.school_urn), uid=seen.supplier_uid, measures=[], starts_on=seen.starts_on
    )
    row = await for_update(session, contract_id, match)
    row = await service.sign(session, row=row, body=body, facts=facts, caller=caller, now=utc_now())
    return tagged(await shape(session, row), 201)


@router.post("/offer-withdrawal", response_model=ContractOut)
async def withdraw_offer(
    contract_id: UUID, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Take the offer back and make it a draft again; signatures under it count no more."""
    row = await for_update(session, contract_id, match)
    row = await service.withdraw(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return tagged(await shape(session, row))


@router.post("/refusal", response_model=ContractOut)
async def refuse_offer(
    contract_id: UUID, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Refuse the offer as its supplier or responsible body; the contract is cancelled, as refused."""
    row = await for_update(session, contract_id, match)
    row = await service.refuse(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return tagged(await shape(session, row))


@router.post("/cancellation", response_model=ContractOut)
async def cancel_contract(
    contract_id: UUID, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Give up a contract that was not signed by all; one that was is terminated instead."""
    row = await for_update(session, contract_id, match)
    row = await service.cancel(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return tagged(await shape(session, row))
