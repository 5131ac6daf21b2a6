"""The door for evaluations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.contracts import calls, queries
from services.contracts.evaluations import schemas, service
from services.contracts.routes import Outcomes, shape
from services.contracts.service import fence_breaks
from services.kernel.auth import Caller, require
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(tags=["outcomes"])
OutcomesReader = Annotated[Caller, require("outcomes:read")]
OutcomesWriter = Annotated[Caller, require("outcomes:write")]


@router.post(
    "/v1/contracts/{contract_id}/evaluations",
    status_code=201,
    response_model=schemas.Evaluation,
    tags=["outcomes"],
    responses=problems(404, 409),
)
async def evaluate_contract(
    contract_id: UUID,
    body: schemas.EvaluationIn,
    caller: OutcomesWriter,
    session: Session,
    once: Idempotent,
    outcomes: Outcomes,
) -> JSONResponse:
    """Judge the agreed outcomes on the published results of a year, against target and matched comparators."""
    await once.begin()
    found = await queries.contract(session, contract_id)
    asked = schemas.to_evaluate(await shape(session, found), fence_breaks(found), body, caller.actor())
    evaluation = await calls.evaluate(outcomes, asked)
    row = await queries.locked_contract(session, contract_id)
    await service.note_evaluation(session, row=row, evaluation=evaluation, caller=caller, now=utc_now())
    answer = schemas.Evaluation.model_validate(evaluation)
    return once.finish(201, answer, {"Location": f"/v1/contracts/{contract_id}/evaluations"})


@router.get(
    "/v1/contracts/{contract_id}/evaluations",
    response_model=schemas.EvaluationPage,
    tags=["outcomes"],
    responses=problems(404),
)
async def list_evaluations(
    contract_id: UUID, caller: OutcomesReader, session: Session, outcomes: Outcomes
) -> JSONResponse:
    """All evaluations of a contract, newest first."""
    await queries.contract(session, contract_id)
    return JSONResponse(await calls.evaluations(outcomes, contract_id))
