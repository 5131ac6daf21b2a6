"""The door for assessments and findings."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.contracts.performance import queries, schemas, service
from services.contracts.queries import contract, contracts, locked_contract
from services.contracts.routes import TRANSITION, Internal, Reader, Writer, shapes
from services.kernel.bodies import page
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import london_date, utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["performance"])
internal = APIRouter(prefix="/internal", tags=["internal"])


@router.get("/kpi-assessments", response_model=schemas.AssessmentPage, responses=problems(404))
async def list_assessments(contract_id: UUID, request: Request, caller: Reader, session: Session) -> JSONResponse:
    """How the supplier was rated, oldest first; every evaluation is an assessment too."""
    await contract(session, contract_id)
    rows = await queries.assessments(session, [contract_id])
    return page([schemas.AssessmentOut.model_validate(row) for row in rows], 0, None, request)


@router.post("/kpi-assessments", status_code=201, response_model=schemas.AssessmentOut, responses=TRANSITION)
async def assess_contract(
    contract_id: UUID, body: schemas.AssessmentIn, caller: Writer, session: Session, once: Idempotent
) -> JSONResponse:
    """Assess a period for which there are no results; where there are, ask for an evaluation."""
    await once.begin()
    row = await locked_contract(session, contract_id)
    made = await service.assess_by_hand(session, row=row, body=body, caller=caller, now=utc_now())
    location = {"Location": f"/v1/contracts/{contract_id}/kpi-assessments"}
    return once.finish(201, schemas.AssessmentOut.model_validate(made), location)


@router.get("/findings", response_model=schemas.FindingPage, responses=problems(404))
async def list_findings(contract_id: UUID, request: Request, caller: Reader, session: Session) -> JSONResponse:
    """Opportunities to improve, and findings of poor performance after them."""
    await contract(session, contract_id)
    rows = await queries.findings(session, [contract_id])
    return page([schemas.FindingOut.model_validate(row) for row in rows], 0, None, request)


@router.post("/improvement-opportunities", status_code=201, response_model=schemas.FindingOut, responses=TRANSITION)
async def open_opportunity(
    contract_id: UUID, body: schemas.OpportunityIn, caller: Writer, session: Session, once: Idempotent
) -> JSONResponse:
    """Give the supplier a proper opportunity to improve, with its dates."""
    await once.begin()
    row = await locked_contract(session, contract_id)
    made = await service.open_opportunity(session, row=row, body=body, caller=caller, now=utc_now())
    return once.finish(
        201, schemas.FindingOut.model_validate(made), {"Location": f"/v1/contracts/{contract_id}/findings"}
    )


@router.post("/poor-performance-findings", status_code=201, response_model=schemas.FindingOut, responses=TRANSITION)
async def find_poor_performance(
    contract_id: UUID, body: schemas.FoundIn, caller: Writer, session: Session, once: Idempotent
) -> JSONResponse:
    """Find poor performance; refused unless an opportunity to improve has run out before."""
    await once.begin()
    row = await locked_contract(session, contract_id)
    made = await service.find_poor(session, row=row, body=body, caller=caller, now=utc_now())
    return once.finish(
        201, schemas.FindingOut.model_validate(made), {"Location": f"/v1/contracts/{contract_id}/findings"}
    )


@internal.post("/grounds")
async def read_grounds(contract_ids: list[UUID], caller: Internal, session: Session) -> list[schemas.GroundOut]:
    """What transfers to full membership stand on: each contract, and what is open about it and its supplier."""
    rows = await contracts(session, contract_ids)
    found = await queries.concerns(session, rows, london_date(utc_now()))
    return [
        schemas.GroundOut(contract=shown, open=[schemas.ConcernOut(**each) for each in found[row.id]])
        for row, shown in zip(rows, await shapes(session, rows), strict=True)
    ]
