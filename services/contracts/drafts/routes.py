"""The door for drafts."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.contracts import calls, queries
from services.contracts.drafts import schemas, service
from services.contracts.routes import Outcomes, Writer, for_update, shape, tagged
from services.contracts.schemas import ContractOut
from services.kernel.bodies import IfMatch
from services.kernel.http import Session
from services.kernel.idempotency import Idempotent
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(tags=["contracts"])


@router.post(
    "/v1/contracts",
    status_code=201,
    response_model=ContractOut,
    tags=["contracts"],
    responses=problems(409),
)
async def draft_contract(
    body: schemas.ContractIn, caller: Writer, session: Session, once: Idempotent, outcomes: Outcomes
) -> JSONResponse:
    """Draft a contract. School and trust are checked against GIAS as ingested; baselines come from named releases."""
    facts = await calls.facts(
        outcomes,
        urn=body.school_urn,
        uid=body.supplier_uid,
        measures=[each.measure for each in body.outcomes],
        starts_on=body.term.starts_on,
    )
    await once.begin()
    row = await service.draft(session, body=body, facts=facts, caller=caller, now=utc_now())
    return once.finish(201, await shape(session, row), {"Location": f"/v1/contracts/{row.id}"})


@router.patch(
    "/v1/contracts/{contract_id}",
    response_model=ContractOut,
    tags=["contracts"],
    responses=problems(404, 409),
)
async def change_draft(
    contract_id: UUID, body: schemas.ContractPatch, caller: Writer, session: Session, match: IfMatch, outcomes: Outcomes
) -> JSONResponse:
    """Change a draft; what was offered no longer changes."""
    present = await shape(session, await queries.contract(session, contract_id))
    wanted = body.on(schemas.as_draft(present))
    facts = await calls.facts(
        outcomes,
        urn=wanted.school_urn,
        uid=wanted.supplier_uid,
        measures=[each.measure for each in wanted.outcomes],
        starts_on=wanted.term.starts_on,
    )
    row = await for_update(session, contract_id, match)
    row = await service.redraft(session, row=row, body=wanted, facts=facts, caller=caller, now=utc_now())
    return tagged(await shape(session, row))
