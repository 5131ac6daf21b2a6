"""The door for consents."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from services.gateway.consents import schemas, service
from services.gateway.rules.transfer import Body
from services.gateway.transfers.routes import CHANGE, PATH, Writer, for_update, tagged
from services.gateway.transfers.schemas import TransferOut
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.types import utc_now

router = APIRouter(tags=["transfers"])


@router.post(f"{PATH}/consents", status_code=201, response_model=TransferOut, responses=CHANGE)
async def give_consent(
    transfer_id: UUID, body: schemas.ConsentIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Record the decision of a body for which the caller speaks; the ground of the transfer is checked again."""
    row = await for_update(session, transfer_id, match)
    row = await service.consent(session, row=row, body=body, caller=caller, now=utc_now())
    return await tagged(session, row, 201)


@router.post(f"{PATH}/consents/{{by}}/conditions/{{number}}/fulfilment", response_model=TransferOut, responses=CHANGE)
async def fulfil_condition(
    transfer_id: UUID,
    by: Body,
    number: Annotated[int, Path(ge=1, le=20)],
    body: schemas.FulfilmentIn,
    caller: Writer,
    session: Session,
    match: IfMatch,
) -> JSONResponse:
    """Record that a condition of a consent has been met; it holds the day back until then."""
    row = await for_update(session, transfer_id, match)
    row = await service.fulfil(session, row=row, by=by, number=number, body=body, caller=caller, now=utc_now())
    return await tagged(session, row)
