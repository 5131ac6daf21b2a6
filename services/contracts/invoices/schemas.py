"""Bodies of invoices and credit notes."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.schemas import Day
from services.kernel.bodies import Answer, Body, Paging


class Form(StrEnum):
    """How a document is given."""

    JSON = "json"
    UBL = "ubl"
    PDF = "pdf"


class InvoiceOut(Answer):
    """An invoice, or a credit note to one, as it was issued; `owed_pence` is what a credit note asks back."""

    id: UUID
    number: str
    series: str
    contract_id: UUID
    claim_id: UUID
    supplier_uid: str
    issued_on: date
    net_pence: int
    vat_pence: int
    gross_pence: int
    owed_pence: int
    repaid_on: date | None
    body: dict[str, Any] = Field(description="The whole document: parties, lines, VAT, references")


class InvoicePage(BaseModel):
    """A page of invoices and credit notes, in the order in which they were issued."""

    data: list[InvoiceOut]
    paging: Paging


class RepaidIn(Body):
    """What a credit note asks back has come back."""

    repaid_on: Annotated[Day, Field(description="The day on which the money was received or set off")]
