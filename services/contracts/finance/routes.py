"""The door for how a contract is invoiced and booked."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse

from services.contracts.accounts import Finance
from services.contracts.finance import queries, schemas, service
from services.contracts.queries import contract, locked_contract
from services.kernel.auth import Caller, require
from services.kernel.bodies import PreconditionFailed, check_match, entity_tag, if_match
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/contracts/{contract_id}/finance", tags=["finance"])
Reader = Annotated[Caller, require("finance:read")]
Writer = Annotated[Caller, require("finance:write")]
MaybeMatch = Annotated[str | None, Header(alias="If-Match", description="Needed once it has been said before")]
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"model": schemas.FinanceOut, "description": "Said for the first time"}
}


def tagged(row: Finance, status: int = 200) -> JSONResponse:
    """The answer with the entity tag that the next change must name."""
    body = schemas.FinanceOut.model_validate(row.model_dump())
    return JSONResponse(body.model_dump(mode="json"), status, {"ETag": entity_tag(row.version)})


@router.get("", response_model=schemas.FinanceOut, responses=problems(404))
async def read_finance(contract_id: UUID, caller: Reader, session: Session) -> JSONResponse:
    """How a contract is invoiced and booked."""
    await contract(session, contract_id)
    row = await queries.finance(session, contract_id)
    if row is None:
        raise NotFound("The trust has not said yet how it invoices this contract.")
    return tagged(row)


@router.put("", response_model=schemas.FinanceOut, responses={**CREATED, **problems(404, 409, 412, 428)})
async def set_finance(
    contract_id: UUID, body: schemas.FinanceIn, caller: Writer, session: Session, match: MaybeMatch = None
) -> JSONResponse:
    """Say how a contract is invoiced (VAT, addresses) and under which strings of its own the trust books it."""
    found = await locked_contract(session, contract_id)
    row = await queries.finance(session, contract_id)
    if row is not None:
        check_match(await if_match(match), entity_tag(row.version))
    elif match:
        raise PreconditionFailed("Nothing has been said yet; leave If-Match out.")
    made = await service.settle(session, contract=found, row=row, body=body, caller=caller, now=utc_now())
    await session.flush()
    return tagged(made, 200 if row is not None else 201)
