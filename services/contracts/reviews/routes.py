"""The door for reviews."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.contracts import calls
from services.contracts.evaluations.schemas import to_review
from services.contracts.queries import contract, locked_contract, outcomes
from services.contracts.reviews import queries, schemas, service
from services.contracts.routes import TRANSITION, Outcomes, Reader, Writer, shape
from services.contracts.service import fence_breaks
from services.kernel.bodies import page
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["performance"])


@router.get("/reviews", response_model=schemas.ReviewPage, responses=problems(404))
async def list_reviews(contract_id: UUID, request: Request, caller: Reader, session: Session) -> JSONResponse:
    """Reviews of a contract, oldest first."""
    await contract(session, contract_id)
    rows = await queries.reviews(session, contract_id)
    return page([schemas.ReviewOut.model_validate(row) for row in rows], 0, None, request)


@router.post("/reviews", status_code=201, response_model=schemas.ReviewOut, responses=TRANSITION)
async def review_contract(
    contract_id: UUID, body: schemas.ReviewIn, caller: Writer, session: Session, once: Idempotent, peer: Outcomes
) -> JSONResponse:
    """Rate every agreed outcome red, amber or green: by the figures, or one step beside them for a reason."""
    await once.begin()
    seen = await contract(session, contract_id)
    service.may_review(seen, caller)
    asked = to_review(await shape(session, seen), fence_breaks(seen), body.academic_year)
    figures = await calls.rag(peer, asked)
    row = await locked_contract(session, contract_id)
    agreed = await outcomes(session, [contract_id])
    made = await service.review(
        session, row=row, body=body, outcomes=agreed, figures=figures, caller=caller, now=utc_now()
    )
    return once.finish(
        201, schemas.ReviewOut.model_validate(made), {"Location": f"/v1/contracts/{contract_id}/reviews"}
    )
