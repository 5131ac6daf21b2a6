"""The door to the hand-over: what DfE's systems need of a transfer, to read, to print and to acknowledge."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from services.gateway.days import service
from services.gateway.days.schemas import AcknowledgementIn, HandOverOut
from services.gateway.rules.hand_over import document
from services.gateway.rules.transfer import NotTheirConsent
from services.gateway.transfers import queries
from services.gateway.transfers.routes import CHANGE, Reader, Writer
from services.kernel.bodies import chosen
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import Kind, utc_now

router = APIRouter(prefix="/v1/transfers/{transfer_id}/hand-over", tags=["transfers"])
PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


@router.get("", response_model=HandOverOut, responses={**PAGE, **problems(404)})
async def read_hand_over(transfer_id: UUID, request: Request, caller: Reader, session: Session) -> Response:
    """The hand-over package as JSON, or, for `Accept: text/html`, as a page to read and print."""
    found = await service.package_of(session, transfer_id)
    if chosen(request, ["application/json", "text/html"]) == "text/html":
        return HTMLResponse(document(found.package, found.sha256))
    return Response(HandOverOut.model_validate(found).model_dump_json(), media_type="application/json")


@router.post("/acknowledgement", response_model=HandOverOut, responses=CHANGE)
async def acknowledge_hand_over(
    transfer_id: UUID, body: AcknowledgementIn, caller: Writer, session: Session
) -> HandOverOut:
    """DfE has received the package. Only then it counts as delivered; the same again changes nothing."""
    if caller.kind is not Kind.DFE:
        raise NotTheirConsent("The package goes to DfE, which acknowledges it.")
    row = await queries.transfer(session, transfer_id, locked=True)
    told = {"remote_id": body.remote_id, "sha256": body.sha256}
    return HandOverOut.model_validate(await service.acknowledge(session, row=row, **told, caller=caller, now=utc_now()))
