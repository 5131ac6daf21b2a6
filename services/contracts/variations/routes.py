"""The door for variations and corrections."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from services.contracts import calls, queries
from services.contracts.drafts.schemas import as_draft
from services.contracts.offers.schemas import SignatureIn
from services.contracts.routes import TRANSITION, Outcomes, Writer, for_update, shape, tagged
from services.contracts.rules.variations import VariationMove
from services.contracts.schemas import ContractOut, Reason
from services.contracts.variations import service
from services.contracts.variations.schemas import CorrectionIn, VariationIn
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["contracts"], responses=TRANSITION)
Number = Annotated[int, Path(ge=1, le=10_000, description="The variation's number within its contract")]


@router.post("/variations", status_code=201, response_model=ContractOut)
async def propose_variation(
    contract_id: UUID, body: VariationIn, caller: Writer, session: Session, match: IfMatch, outcomes: Outcomes
) -> JSONResponse:
    """Propose other terms from a day on; they stand once every party has signed and the day has come."""
    present = await shape(session, await queries.contract(session, contract_id))
    wanted = body.changes.on(as_draft(present))
    facts = await calls.facts(
        outcomes,
        urn=wanted.school_urn,
        uid=wanted.supplier_uid,
        measures=[each.measure for each in wanted.outcomes],
        starts_on=wanted.term.starts_on,
    )
    row = await for_update(session, contract_id, match)
    await service.propose(session, row=row, body=body, wanted=wanted, facts=facts, caller=caller, now=utc_now())
    return tagged(await shape(session, row), 201)


@router.post("/variations/{number}/signatures", status_code=201, response_model=ContractOut)
async def sign_variation(
    contract_id: UUID, number: Number, body: SignatureIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Sign a variation, or an end by agreement, for one's own party."""
    row = await for_update(session, contract_id, match)
    row = await service.sign(session, row=row, number=number, body=body, caller=caller, now=utc_now())
    return tagged(await shape(session, row), 201)


@router.post("/variations/{number}/refusal", response_model=ContractOut)
async def refuse_variation(
    contract_id: UUID, number: Number, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Refuse a variation that another party has proposed."""
    row, step = await for_update(session, contract_id, match), VariationMove.REFUSE
    row = await service.close(
        session, row=row, number=number, step=step, reason=body.reason, caller=caller, now=utc_now()
    )
    return tagged(await shape(session, row))


@router.post("/variations/{number}/withdrawal", response_model=ContractOut)
async def withdraw_variation(
    contract_id: UUID, number: Number, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Take back a variation that one's own party has proposed."""
    row, step = await for_update(session, contract_id, match), VariationMove.WITHDRAW
    row = await service.close(
        session, row=row, number=number, step=step, reason=body.reason, caller=caller, now=utc_now()
    )
    return tagged(await shape(session, row))


@router.post("/corrections", response_model=ContractOut)
async def correct_contract(
    contract_id: UUID, body: CorrectionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Put a clerical error right; a change of terms is a variation instead."""
    row = await for_update(session, contract_id, match)
    return tagged(
        await shape(session, await service.correct(session, row=row, body=body, caller=caller, now=utc_now()))
    )
