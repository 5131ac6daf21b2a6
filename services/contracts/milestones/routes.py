"""The door for milestones, and for records of the gateway."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.contracts import queries
from services.contracts.milestones import schemas, service
from services.contracts.routes import Internal, Reader
from services.contracts.schemas import MilestoneOut
from services.kernel.bodies import page
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter()


@router.get(
    "/v1/contracts/{contract_id}/milestones",
    response_model=schemas.MilestonePage,
    tags=["contracts"],
    responses=problems(404),
)
async def list_milestones(contract_id: UUID, request: Request, caller: Reader, session: Session) -> JSONResponse:
    """The milestones of a contract, by due date."""
    await queries.contract(session, contract_id)
    rows = await queries.milestones(session, [contract_id])
    return page([MilestoneOut.model_validate(row) for row in rows], 0, None, request)


@router.put("/internal/milestone-records", response_model=list[schemas.AppliedOut], tags=["internal"])
async def apply_records(body: schemas.Records, caller: Internal, session: Session) -> list[Mapping[str, Any]]:
    """Apply milestone records of the gateway, each once, all in one transaction."""
    return await service.apply(session, records=body, caller=caller, now=utc_now())


@router.put("/internal/milestone-withdrawals/{withdrawal_id}", response_model=schemas.UndoneOut, tags=["internal"])
async def apply_withdrawal(
    withdrawal_id: UUID, body: schemas.WithdrawalIn, caller: Internal, session: Session
) -> schemas.UndoneOut:
    """Undo what a record of the gateway did that was taken back, once."""
    undone = await service.undo(session, withdrawal_id=withdrawal_id, body=body, caller=caller, now=utc_now())
    return schemas.UndoneOut.model_validate(undone)
