"""Milestone records: the gateway's own, durable when answered, without asking any other service."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from services.gateway import calls
from services.gateway.records import queries, service
from services.gateway.records.schemas import RecordIn, RecordOut, RecordPage
from services.kernel.auth import Caller, require
from services.kernel.bodies import decode_cursor, page
from services.kernel.errors import NotFound, Unavailable
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.peers import Refused
from services.kernel.types import utc_now

router = APIRouter(tags=["milestones"])
Recorder = Annotated[Caller, require("milestones:write")]
Reader = Annotated[Caller, require("contracts:read")]
MilestoneCode = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


async def ensure_known(request: Request, session: Session, contract_id: UUID, caller: Caller) -> None:
    """Learn a contract that is new here or was not in force when last seen, under the caller's own rights.

    Raises NotFound when it is not theirs; when contracts does not answer, what is known has to do.
    """
    known = await queries.contract_ref(session, contract_id)
    if known is not None and known.status in service.RECORDABLE:
        return
    try:
        contract = await calls.contract(request.app.state.contracts, contract_id, caller)
    except Refused as error:
        raise NotFound("No such contract.") from error
    except Unavailable:
        if known is None:
            raise
        return
    async with request.app.state.database.transaction(calls.SELF) as other:
        await service.follow(other, contract=contract)


@router.post(
    "/v1/contracts/{contract_id}/milestones/{code}/records",
    status_code=201,
    response_model=RecordOut,
    responses=problems(404, 409),
)
async def record_milestone(
    contract_id: UUID,
    code: MilestoneCode,
    body: RecordIn,
    request: Request,
    caller: Recorder,
    session: Session,
    once: Idempotent,
) -> JSONResponse:
    """Record that a milestone was met, partially met or not met; answered once it is durable."""
    await once.begin()
    await ensure_known(request, session, contract_id, caller)
    row = await service.record_milestone(
        session, contract_id=contract_id, code=code, body=body, caller=caller, now=utc_now()
    )
    return once.finish(201, RecordOut.of(row, None), {"Location": f"/v1/contracts/{contract_id}/records"})


@router.get("/v1/contracts/{contract_id}/records", response_model=RecordPage, responses=problems(404))
async def list_records(
    contract_id: UUID,
    request: Request,
    caller: Reader,
    session: Session,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> JSONResponse:
    """What was recorded on a contract, oldest first, and what became of it there."""
    await ensure_known(request, session, contract_id, caller)
    place = decode_cursor(cursor, UUID)
    after = place[0] if place else None
    rows = await queries.records_page(session, contract_id, after=after, limit=limit)
    answers = [RecordOut.of(row, applied) for row, applied in rows]
    return page(list(answers), limit, [answers[-1].id] if answers else None, request)
