"""The door for suspensions."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.contracts.routes import TRANSITION, Writer, for_update, shape, tagged
from services.contracts.schemas import ContractOut, Reason
from services.contracts.suspensions import service
from services.contracts.suspensions.schemas import SuspensionIn, SuspensionResolutionIn
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["contracts"], responses=TRANSITION)


@router.post("/suspension", response_model=ContractOut)
async def suspend_contract(
    contract_id: UUID, body: SuspensionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Let an active contract rest; say whether clock, payments, reviews and ring-fence stop."""
    row = await for_update(session, contract_id, match)
    row = await service.suspend(session, row=row, body=body, caller=caller, now=utc_now())
    return tagged(await shape(session, row))


@router.post("/resumption", response_model=ContractOut)
async def resume_contract(
    contract_id: UUID, body: Reason, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Let a suspended contract go on."""
    row = await for_update(session, contract_id, match)
    row = await service.resume(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return tagged(await shape(session, row))


@router.post("/suspension-resolution", response_model=ContractOut)
async def resolve_suspension(
    contract_id: UUID, body: SuspensionResolutionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Decide on the payments that a suspension still kept back when the contract ended: payable, or forfeited."""
    row = await for_update(session, contract_id, match)
    row = await service.resolve(session, row=row, body=body, caller=caller, now=utc_now())
    return tagged(await shape(session, row))
