"""The door for invoices and credit notes."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.contracts.accounts import Invoice
from services.contracts.invoices import queries, schemas, service
from services.contracts.invoices.schemas import Form
from services.contracts.papers import invoice_pdf
from services.contracts.queries import locked_contract, rows_after
from services.contracts.rules.documents.ubl import invoice_xml
from services.kernel.auth import Caller, require
from services.kernel.bodies import Cursor, IfMatch, Limit, check_match, chosen, decode_cursor, entity_tag, page
from services.kernel.http import Session
from services.kernel.openapi import problems
from services.kernel.types import utc_now

router = APIRouter(prefix="/v1/invoices", tags=["finance"])
Reader = Annotated[Caller, require("finance:read")]
Writer = Annotated[Caller, require("finance:write")]
FORMS = {Form.UBL: ("application/xml", "xml", invoice_xml), Form.PDF: ("application/pdf", "pdf", invoice_pdf)}
TYPES = {"application/json": Form.JSON} | {media: each for each, (media, _, _) in FORMS.items()}
GIVEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document, as `format` or `Accept` asks for it",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media, _, _ in FORMS.values()},
    }
}


def tagged(row: Invoice) -> JSONResponse:
    """The document as JSON, with its entity tag."""
    body = schemas.InvoiceOut.model_validate(row).model_dump(mode="json")
    return JSONResponse(body, 200, {"ETag": entity_tag(body), "Vary": "Accept"})


@router.get("", response_model=schemas.InvoicePage)
async def list_invoices(
    request: Request,
    caller: Reader,
    session: Session,
    contract_id: UUID | None = None,
    claim_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """Invoices and credit notes that the caller may see."""
    place = decode_cursor(cursor, UUID)
    after = place[0] if place else None
    rows = await rows_after(session, Invoice, after=after, limit=limit, contract_id=contract_id, claim_id=claim_id)
    shown = [schemas.InvoiceOut.model_validate(row) for row in rows]
    return page(shown, limit, [rows[-1].id] if rows else None, request)


@router.get("/{invoice_id}", response_model=schemas.InvoiceOut, responses={**GIVEN, **problems(404)})
async def read_invoice(
    invoice_id: UUID,
    request: Request,
    caller: Reader,
    session: Session,
    form: Annotated[Form | None, Query(alias="format", description="Wins over Accept")] = None,
) -> Response:
    """One invoice or credit note: as JSON, as UBL (Peppol BIS Billing 3.0), or as PDF to read."""
    row = await queries.invoice(session, invoice_id)
    asked = form or TYPES[chosen(request, list(TYPES))]
    if asked is Form.JSON:
        return tagged(row)
    media, ending, made = FORMS[asked]
    headers = {"Content-Disposition": f'attachment; filename="{row.number}.{ending}"', "Vary": "Accept"}
    return Response(made(row.body), 200, headers, media)


@router.post("/{invoice_id}/repayment", response_model=schemas.InvoiceOut, responses=problems(404, 409))
async def repay_credit_note(
    invoice_id: UUID, body: schemas.RepaidIn, caller: Writer, session: Session, match: IfMatch
) -> JSONResponse:
    """Note that what a credit note asks back has come back, or was set off."""
    seen = await queries.invoice(session, invoice_id)
    contract = await locked_contract(session, seen.contract_id)
    row = await queries.invoice(session, invoice_id, lock=True)
    check_match(match, entity_tag(schemas.InvoiceOut.model_validate(row).model_dump(mode="json")))
    await service.repay(session, row=contract, invoice=row, repaid_on=body.repaid_on, caller=caller, now=utc_now())
    await session.flush()
    return tagged(row)
