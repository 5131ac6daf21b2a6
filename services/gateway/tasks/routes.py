"""The door to the steps of a transfer, each for its owner."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from services.gateway.tasks import service
from services.gateway.tasks.schemas import CompletionIn
from services.gateway.transfers.routes import CHANGE, Writer, for_update, tagged
from services.gateway.transfers.schemas import ReasonIn, TransferOut
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/transfers/{transfer_id}", tags=["transfers"])
StepKey = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]


@router.post("/steps/{key}/completion", response_model=TransferOut, responses=CHANGE)
async def complete_step(
    transfer_id: UUID, key: StepKey, body: CompletionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Finish a step that the caller owns, as done or as not applicable, with its document and what it asks for."""
    row = await for_update(session, transfer_id, match)
    row = await service.complete(session, row=row, key=key, body=body, caller=caller, now=utc_now())
    return await tagged(session, row)


@router.post("/steps/{key}/reopening", response_model=TransferOut, responses=CHANGE)
async def reopen_step(
    transfer_id: UUID, key: StepKey, body: ReasonIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Open a finished step again, before the day, for a reason; what was declared not applicable too."""
    row = await for_update(session, transfer_id, match)
    row = await service.reopen(session, row=row, key=key, reason=body.reason, caller=caller, now=utc_now())
    return await tagged(session, row)


@router.post("/template", response_model=TransferOut, responses=CHANGE)
async def renew_template(transfer_id: UUID, caller: Writer, session: Session, match: IfMatch) -> JSONResponse:
    """Move the task list to the template in force; answers stay with their steps, also where these were renamed."""
    row = await for_update(session, transfer_id, match)
    return await tagged(session, await service.renew(session, row=row, caller=caller, now=utc_now()))
