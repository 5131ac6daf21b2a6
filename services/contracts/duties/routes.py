"""The door for duties and notices."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.contracts.duties import queries, schemas, service
from services.contracts.queries import contract, locked_contract
from services.contracts.routes import TRANSITION, Reader, Writer
from services.contracts.rules.duties import DutyState
from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import london_date, utc_now

router = APIRouter(tags=["duties"])


@router.get("/v1/duties", response_model=schemas.DutyPage)
async def list_duties(
    request: Request,
    caller: Reader,
    session: Session,
    contract_id: UUID | None = None,
    state: DutyState | None = None,
    due_before: date | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JSONResponse:
    """What must be published or done by when, of every contract that the caller may see, with the rule for each."""
    found = await service.owed(session, contract_id=contract_id, caller=caller, today=london_date(utc_now()))
    wanted = [
        each
        for each in found
        if (state is None or each.state is state) and (due_before is None or each.due_on < due_before)
    ]
    place = decode_cursor(cursor, str, str, str, str)
    rows = [each for each in wanted if place is None or place_of(each) > place][:limit]
    return page(rows, limit, place_of(rows[-1]) if rows else None, request)


def place_of(duty: schemas.DutyOut) -> list[str]:
    """Where a duty stands in the list."""
    return [duty.due_on.isoformat(), str(duty.contract_id), duty.code, duty.subject or ""]


@router.get("/v1/contracts/{contract_id}/notices", response_model=schemas.NoticePage, responses=problems(404))
async def list_notices(contract_id: UUID, request: Request, caller: Reader, session: Session) -> JSONResponse:
    """Notices about a contract that were published elsewhere."""
    await contract(session, contract_id)
    rows = await queries.notices(session, [contract_id])
    return page([schemas.NoticeOut.model_validate(row) for row in rows], 0, None, request)


@router.post(
    "/v1/contracts/{contract_id}/notices",
    status_code=201,
    response_model=schemas.NoticeOut,
    responses=TRANSITION,
)
async def note_notice(
    contract_id: UUID, body: schemas.NoticeIn, caller: Writer, session: Session, once: Idempotent
) -> JSONResponse:
    """Note that a notice was published; the duty that asked for it is done."""
    await once.begin()
    row = await locked_contract(session, contract_id)
    made = await service.note(session, row=row, body=body, caller=caller, now=utc_now())
    return once.finish(
        201, schemas.NoticeOut.model_validate(made), {"Location": f"/v1/contracts/{contract_id}/notices"}
    )
