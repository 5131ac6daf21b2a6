"""The contracts service's door to evidence: facts to draft from, and verdicts. Not offered at the gateway."""

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller, require
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import utc_now
from services.outcomes.evaluations import facts, queries, schemas, service, views
from services.outcomes.models import Evaluation
from services.outcomes.rules.agreement import METHOD

router = APIRouter(tags=["internal"])
Internal = Annotated[Caller, require("internal")]
Question = TypeVar("Question", bound=schemas.ContractIn)


def as_set(body: Question, request: Request) -> Question:
    """The question with the day of the census as this installation is set."""
    return body.model_copy(update={"census": request.app.state.rule.census_day})


@router.post("/internal/facts")
async def read_facts(body: schemas.FactsIn, caller: Internal, session: Session) -> schemas.FactsOut:
    """School and trust as the register shows them now, and the baselines of the measures."""
    urn = int(body.urn)
    return schemas.FactsOut(
        school=await facts.school_facts(session, urn),
        trust=await facts.trust_facts(session, body.trust_uid),
        measures=await facts.measure_facts(session, urn, body),
        method=METHOD,
    )


@router.post("/internal/rag", responses=problems(404))
async def follow(body: schemas.RagIn, request: Request, caller: Internal, session: Session) -> schemas.RagOut:
    """How far each agreed outcome is from its path, as red, amber, green or grey (METHOD.md 3.10)."""
    outcomes = await service.follow_all(session, body=as_set(body, request))
    return schemas.RagOut(academic_year=body.academic_year, outcomes=outcomes)


@router.post("/internal/evaluations", status_code=201, responses=problems(404))
async def evaluate(
    body: schemas.EvaluationIn, request: Request, caller: Internal, session: Session
) -> schemas.EvaluationOut:
    """Judge a contract; asking again about the same data gives the same verdict, not another."""
    asked = as_set(body, request)
    return await shown(session, await service.evaluate(session, body=asked, caller=caller, now=utc_now()))


@router.get("/internal/evaluations/{evaluation_id}", responses=problems(404))
async def read_evaluation(evaluation_id: UUID, caller: Internal, session: Session) -> schemas.EvaluationOut:
    """A verdict, by its id."""
    return await shown(session, await queries.evaluation(session, evaluation_id))


@router.get("/internal/contracts/{contract_id}/evaluations", responses=problems(404))
async def list_evaluations(contract_id: UUID, caller: Internal, session: Session) -> schemas.EvaluationPage:
    """All verdicts on a contract, newest first."""
    rows = [await shown(session, row) for row in await queries.evaluations(session, contract_id)]
    return schemas.EvaluationPage(data=rows, paging={"next": None})


async def shown(session: AsyncSession, row: Evaluation) -> schemas.EvaluationOut:
    """A verdict as its parties see it."""
    return schemas.EvaluationOut.of(row, await views.seen(session, row))
