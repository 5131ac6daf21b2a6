"""The door for statements."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from services.contracts.papers import statement_pdf
from services.contracts.queries import contract
from services.contracts.schemas import Uid
from services.contracts.statements import queries, service
from services.contracts.statements.schemas import Form, Statement
from services.kernel.auth import Caller, require
from services.kernel.bodies import chosen
from services.kernel.errors import NotFound
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import london_date, utc_now

router = APIRouter(tags=["finance"])
Reader = Annotated[Caller, require("finance:read")]
First = Annotated[date | None, Query(alias="from", description="First day; without it, from the beginning")]
Last = Annotated[date | None, Query(alias="until", description="Last day; without it, today")]
Asked = Annotated[Form | None, Query(alias="format", description="Wins over Accept")]
MEDIA = {Form.CSV: "text/csv", Form.PDF: "application/pdf"}
TYPES = {"application/json": Form.JSON} | {media: each for each, media in MEDIA.items()}
GIVEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The statement, as `format` or `Accept` asks for it",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()},
    }
}


def given(found: Statement, name: str, form: Form | None, request: Request) -> Response:
    """The statement in the form that is asked for."""
    asked = form or TYPES[chosen(request, list(TYPES))]
    if asked is Form.JSON:
        return JSONResponse(found.plain(), headers={"Vary": "Accept"})
    made = service.as_csv(found) if asked is Form.CSV else statement_pdf(found.plain())
    headers = {"Content-Disposition": f'attachment; filename="statement-{name}.{asked}"', "Vary": "Accept"}
    media = f"{MEDIA[asked]}; charset=utf-8" if asked is Form.CSV else MEDIA[asked]
    return Response(made, 200, headers, media)


@router.get("/v1/contracts/{contract_id}/statement", response_model=Statement, responses={**GIVEN, **problems(404)})
async def read_contract_statement(
    contract_id: UUID,
    request: Request,
    caller: Reader,
    session: Session,
    first: First = None,
    last: Last = None,
    form: Asked = None,
) -> Response:
    """The money of a contract: what each account held, every movement, and what it holds. JSON, CSV or PDF."""
    row = await contract(session, contract_id)
    until = last or london_date(utc_now())
    found = await service.tell(session, of=row.reference, contracts=[row], first=first, last=until)
    return given(found, row.reference, form, request)


@router.get("/v1/trusts/{uid}/statement", response_model=Statement, responses={**GIVEN, **problems(404)})
async def read_trust_statement(
    uid: Annotated[Uid, Path()],
    request: Request,
    caller: Reader,
    session: Session,
    first: First = None,
    last: Last = None,
    form: Asked = None,
) -> Response:
    """The money of all contracts of a trust that the caller may see. JSON, CSV or PDF."""
    contracts = await queries.contracts_of(session, uid)
    if not contracts:
        raise NotFound(f"No contract of the trust {uid} among yours.")
    until = last or london_date(utc_now())
    found = await service.tell(session, of=f"trust {uid}", contracts=contracts, first=first, last=until)
    return given(found, uid, form, request)
