"""The door for evaluations."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from services.contracts import calls, queries
from services.contracts.evaluations import queries as judged
from services.contracts.evaluations import schemas, service
from services.contracts.models import Contract
from services.contracts.routes import Outcomes, shape
from services.contracts.service import fence_breaks
from services.kernel.auth import Caller, require
from services.kernel.bodies import Code, chosen
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.peers import Peer, Refused
from services.kernel.types import utc_now
from services.pictures import Format, Plot, PlotOut

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


async def seen(session: Session, outcomes: Peer, evaluation_id: UUID) -> tuple[dict[str, Any], Contract]:
    """A verdict and its contract; raises NotFound where there is none, or the contract is not the caller's to see."""
    try:
        found = await calls.evaluation(outcomes, evaluation_id)
        return found, await queries.contract(session, UUID(str(found["contract_id"])))
    except (NotFound, Refused) as refusal:
        if refusal.status != NotFound.status:
            raise
        raise NotFound("No such evaluation.") from refusal


@router.get("/v1/evaluations/{evaluation_id}", response_model=schemas.Evaluation, responses=problems(404))
async def read_evaluation(
    evaluation_id: UUID, caller: OutcomesReader, session: Session, outcomes: Outcomes
) -> JSONResponse:
    """One evaluation, by its id.

    A comparator's result of which one or two pupils would stand out counts as the middle of what it may be. Verdicts by
    methods before 2026.8 do not have that: they name their comparators without figures. Where `baseline` or `actual` is
    `disclosive`, it would tell of single pupils of the contract's own school: it, with all that follows from it, is for
    the parties and not to be passed on.
    """
    found, _row = await seen(session, outcomes, evaluation_id)
    return JSONResponse(found)


PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture, or its figures",
        "content": {each.media_type: {"schema": {"type": "string"}} for each in Format if each is not Format.JSON},
    },
    304: {"description": "The reader has it already"},
}
TYPES = {each.media_type: each for each in Format}
PASSED_BACK = ("content-type", "content-disposition", "etag", "cache-control")


@router.get(
    "/v1/evaluations/{evaluation_id}/plots/{name}",
    response_model=PlotOut,
    responses={**problems(404), **PICTURES},
)
async def draw_evaluation(
    evaluation_id: UUID,
    name: Plot,
    request: Request,
    caller: OutcomesReader,
    session: Session,
    outcomes: Outcomes,
    outcome: Annotated[Code | None, Query(description="Its code; else the first", examples=["O1"])] = None,
    form: Annotated[Format | None, Query(alias="format", description="Goes before Accept; else SVG")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A picture of an outcome of an evaluation as SVG or PNG, or its figures as CSV or JSON; Link leads to the table.

    `school`: the school beside its comparators, year by year. `changes`: its change among theirs. `funnel`: results
    against pupils, with the limits of chance. `portfolio`: effects of all contracts that you may see, drawn towards
    their mean. `trust`: the supplier's three views. `synthetic`: beside a mixture of comparators, where there is one.
    `rag`: the way to the target. `balance`: how alike the comparators were. What cannot be drawn says why.
    """
    _found, row = await seen(session, outcomes, evaluation_id)
    beside = await judged.evaluated(session) if name is Plot.PORTFOLIO else []
    body = schemas.to_draw(
        row, await queries.outcomes(session, [row.id]), beside, outcome, form or TYPES[chosen(request, list(TYPES))]
    )
    answer = await calls.plot(outcomes, evaluation_id, name, body, if_none_match)
    kept = {header: answer.headers[header] for header in PASSED_BACK if header in answer.headers}
    table = request.url.include_query_params(format=Format.CSV.value)
    link = f'<{table.path}?{table.query}>; rel="alternate"; type="{Format.CSV.media_type}"'
    return Response(answer.content, answer.status_code, {**kept, "Link": link, "Vary": "Accept"})
