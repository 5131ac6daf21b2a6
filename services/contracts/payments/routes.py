"""The door for payments."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.contracts.models import Payment
from services.contracts.payments import schemas
from services.contracts.queries import contract, rows_after
from services.contracts.rules.money import PaymentStatus
from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, Limit, decode_cursor, page
from services.kernel.http import Session
from services.kernel.openapi import problems

router = APIRouter(tags=["finance"])
Reader = Annotated[Caller, require("contracts:read")]
FinanceReader = Annotated[Caller, require("finance:read")]


@router.get(
    "/v1/contracts/{contract_id}/payments",
    response_model=schemas.PaymentPage,
    tags=["finance"],
    responses=problems(404),
)
async def list_contract_payments(
    contract_id: UUID, request: Request, caller: Reader, session: Session, limit: Limit = 100, cursor: Cursor = None
) -> JSONResponse:
    """What a contract can pay, part by part."""
    await contract(session, contract_id)
    return await payments(request, session, contract_id, None, limit, cursor)


@router.get("/v1/payments", response_model=schemas.PaymentPage, tags=["finance"])
async def list_payments(
    request: Request,
    caller: FinanceReader,
    session: Session,
    status: PaymentStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JSONResponse:
    """Payments of all contracts that the caller may see."""
    return await payments(request, session, None, status, limit, cursor)


async def payments(
    request: Request, session: Session, contract_id: UUID | None, status: str | None, limit: int, cursor: str | None
) -> JSONResponse:
    """One page of payments."""
    place = decode_cursor(cursor, UUID)
    after = place[0] if place else None
    rows = await rows_after(session, Payment, after=after, limit=limit, contract_id=contract_id, status=status)
    return page(
        [schemas.PaymentOut.model_validate(row) for row in rows], limit, [rows[-1].id] if rows else None, request
    )
