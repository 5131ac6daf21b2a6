"""Transfers to full membership; they are opened by the gateway itself, so there is no way to post one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from services.gateway.models import Transfer
from services.gateway.rules.steps import shown_status
from services.gateway.rules.transfer import Status
from services.gateway.transfers import queries, service
from services.gateway.transfers.schemas import (
    CancellationIn,
    CompletionIn,
    ConsentIn,
    ConsentOut,
    EffectiveDateIn,
    StepOut,
    TransferOut,
    TransferPage,
)
from services.kernel.auth import Caller, require
from services.kernel.bodies import IfMatch, check_match, decode_cursor, entity_tag, page
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])
Reader = Annotated[Caller, require("transfers:read")]
Writer = Annotated[Caller, require("transfers:write")]
StepKey = Annotated[str, Path(pattern=r"^[a-z_]{1,60}$")]
CHANGE = problems(404, 409)


async def shape(session: Session, row: Transfer) -> TransferOut:
    """The transfer with its consents and steps."""
    await session.flush()
    steps, consents = await queries.steps(session, row.id), await queries.consents(session, row.id)
    statuses = {step.key: step.status for step in steps}
    shown = [
        StepOut.model_validate(step).model_copy(update={"status": shown_status(step.status, step.depends_on, statuses)})
        for step in steps
    ]
    alike = TransferOut.model_fields.keys() - {"consents", "steps", "school_urn"}
    return TransferOut.model_validate(
        {
            **{name: getattr(row, name) for name in alike},
            "school_urn": str(row.school_urn),
            "consents": [ConsentOut.model_validate(each) for each in consents],
            "steps": shown,
        }
    )


async def tagged(session: Session, row: Transfer, status: int = 200) -> JSONResponse:
    """The transfer with the entity tag that the next update must name."""
    answer = await shape(session, row)
    return JSONResponse(answer.model_dump(mode="json"), status, {"ETag": entity_tag(answer.version)})


async def for_update(session: Session, transfer_id: UUID, match: str) -> Transfer:
    """The transfer, locked, once it is sure that the caller read its present version."""
    row = await queries.locked_transfer(session, transfer_id)
    check_match(match, entity_tag(row.version))
    return row


@router.get("", response_model=TransferPage)
async def list_transfers(
    request: Request,
    caller: Reader,
    session: Session,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> JSONResponse:
    """Transfers of the contracts that the caller may see."""
    place = decode_cursor(cursor, UUID)
    after = place[0] if place else None
    rows = await queries.transfers_page(session, status=status, after=after, limit=limit)
    answers = [await shape(session, row) for row in rows]
    return page(list(answers), limit, [rows[-1].id] if rows else None, request)


@router.get("/{transfer_id}", response_model=TransferOut, responses=problems(404))
async def read_transfer(transfer_id: UUID, request: Request, caller: Reader, session: Session) -> Response:
    """One transfer as it stands: who must still consent, and which steps are open."""
    row = await queries.transfer(session, transfer_id)
    if request.headers.get("if-none-match") == entity_tag(row.version):
        return Response(status_code=304, headers={"ETag": entity_tag(row.version)})
    return await tagged(session, row)


@router.post("/{transfer_id}/consents", status_code=201, response_model=TransferOut, responses=CHANGE)
async def give_consent(
    transfer_id: UUID, body: ConsentIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Record the decision of a body for which the caller speaks."""
    row = await for_update(session, transfer_id, match)
    row = await service.consent(session, row=row, body=body, caller=caller, now=utc_now())
    return await tagged(session, row, 201)


@router.post("/{transfer_id}/effective-date", response_model=TransferOut, responses=CHANGE)
async def set_effective_date(
    transfer_id: UUID, body: EffectiveDateIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Set the first of a month on which the school joins."""
    row = await for_update(session, transfer_id, match)
    row = await service.set_effective_date(
        session, row=row, effective_on=body.effective_on, reason=body.reason, caller=caller, now=utc_now()
    )
    return await tagged(session, row)


@router.post("/{transfer_id}/steps/{key}/completion", response_model=TransferOut, responses=CHANGE)
async def complete_step(
    transfer_id: UUID, key: StepKey, body: CompletionIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Finish a step that the caller owns."""
    row = await for_update(session, transfer_id, match)
    row = await service.complete_step(session, row=row, key=key, body=body, caller=caller, now=utc_now())
    return await tagged(session, row)


@router.post("/{transfer_id}/cancellation", response_model=TransferOut, responses=CHANGE)
async def cancel_transfer(
    transfer_id: UUID, body: CancellationIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Give a transfer up before the point of no return."""
    row = await for_update(session, transfer_id, match)
    row = await service.cancel(session, row=row, reason=body.reason, caller=caller, now=utc_now())
    return await tagged(session, row)
