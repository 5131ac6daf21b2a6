"""The door for withdrawals of milestone records."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.gateway.withdrawals import service
from services.gateway.withdrawals.schemas import WithdrawalIn, WithdrawalOut
from services.kernel.auth import Caller, require
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(tags=["milestones"])


@router.post(
    "/v1/milestone-records/{record_id}/withdrawal",
    status_code=201,
    response_model=WithdrawalOut,
    responses=problems(404, 409),
)
async def withdraw_record(
    record_id: UUID,
    body: WithdrawalIn,
    caller: Annotated[Caller, require("milestones:write")],
    session: Session,
    once: Idempotent,
) -> JSONResponse:
    """Take a milestone record back, for a reason that is kept; by those who recorded it, or by the commissioner.

    The milestone then stands as the contract's other records say, and what it had earned and is not paid is not
    earned any more. Nothing is removed: record, withdrawal and their leaves in the log stay.
    """
    await once.begin()
    row = await service.withdraw(session, record_id=record_id, body=body, caller=caller, now=utc_now())
    shown = WithdrawalOut.model_validate(row)
    return once.finish(201, shown, {"Location": f"/v1/contracts/{row.contract_id}/records"})
