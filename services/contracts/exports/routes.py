"""The door for exports to finance packages."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.contracts.exports import service
from services.contracts.rules.documents.exports import XERO_FILE, generic, sage50, xero
from services.contracts.schemas import Uid
from services.kernel.auth import Caller, require
from services.kernel.bodies import ways
from services.kernel.http import Session

router = APIRouter(prefix="/v1/exports", tags=["finance"])
Reader = Annotated[Caller, require("finance:read")]


class Package(StrEnum):
    """For which finance package."""

    GENERIC = "generic"
    SAGE50 = "sage50"
    XERO = "xero"


MADE = {
    Package.GENERIC: (generic, "utf-8"),
    Package.SAGE50: (sage50, "windows-1252"),
    Package.XERO: (xero, "utf-8"),
}
GIVEN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/payments", response_class=Response, responses=GIVEN)
async def export_payments(
    request: Request,
    caller: Reader,
    session: Session,
    package: Annotated[Package, Query(alias="format")] = Package.GENERIC,
    supplier_uid: Uid | None = None,
    first: Annotated[date | None, Query(alias="from", description="Issued on this day or later")] = None,
    last: Annotated[date | None, Query(alias="until", description="Issued on this day or earlier")] = None,
    file: Annotated[int, Query(ge=1, le=10_000, description="Which file: Xero takes 500 invoices in one")] = 1,
) -> Response:
    """Invoices and credit notes as CSV; `Link` leads to the next file where there are more than one takes."""
    found = await service.booked(session, supplier_uid=supplier_uid or caller.trust_uid, first=first, last=last)
    headers = {"Content-Disposition": f'attachment; filename="payments-{package}-{file}.csv"'}
    if package is Package.XERO:
        more = len(found) > file * XERO_FILE
        headers |= ways(
            request,
            next={"file": file + 1} if more else None,
            prev={"file": file - 1} if file > 1 else None,
            first={"file": None},
        )
        found = found[(file - 1) * XERO_FILE : file * XERO_FILE]
    made, charset = MADE[package]
    return Response(made(found), 200, headers, f"text/csv; charset={charset}")
