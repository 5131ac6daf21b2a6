"""The door for terminations."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.contracts import calls, queries
from services.contracts.routes import TRANSITION, Outcomes, Writer, for_update, shape, tagged
from services.contracts.rules.termination import Ground
from services.contracts.schemas import ContractOut
from services.contracts.service import give_notice
from services.contracts.terminations import service
from services.contracts.terminations.schemas import HandedBackIn, TerminationIn
from services.contracts.variations.service import propose_end
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import london_date, utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["contracts"], responses=TRANSITION)


@router.post("/termination", response_model=ContractOut)
async def terminate_contract(
    contract_id: UUID, body: TerminationIn, caller: Writer, session: Session, match: IfMatch, outcomes: Outcomes
) -> JSONResponse:
    """End a contract early: by notice, at once, or by agreement as soon as every party has signed."""
    seen, now = await queries.contract(session, contract_id), utc_now()
    facts = await calls.present_facts(
        outcomes, urn=str(seen.school_urn), uid=seen.supplier_uid, starts_on=seen.starts_on
    )
    row = await for_update(session, contract_id, match)
    notice = service.check(row, body, facts, caller, london_date(now))
    if body.ground is Ground.AGREEMENT:
        await propose_end(session, row=row, notice=notice, caller=caller, now=now)
    else:
        await give_notice(session, row=row, notice=notice, caller=caller, now=now)
    return tagged(await shape(session, row))


@router.post("/hand-back", response_model=ContractOut)
async def hand_back(
    contract_id: UUID, body: HandedBackIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Confirm that what a termination asked to be handed back is back."""
    row = await for_update(session, contract_id, match)
    return tagged(
        await shape(session, await service.hand_back(session, row=row, body=body, caller=caller, now=utc_now()))
    )
