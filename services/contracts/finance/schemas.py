"""Bodies of how a contract is invoiced and booked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.rules.vat import VatCategory
from services.kernel.bodies import Body

Own = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,19}$",
        description="The trust's own string, as its finance package knows it",
        examples=["510320"],
    ),
]
Line = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]


class EndpointIn(Body):
    """An electronic address: a British VAT number (9932) or a Global Location Number (0088)."""

    scheme: Annotated[str, Field(pattern="^(9932|0088)$", examples=["9932"])]
    id: Annotated[str, Field(pattern="^[A-Z0-9]{9,15}$", examples=["GB123456789"])]


class AddressIn(Body):
    """A postal address in the United Kingdom."""

    street: Line
    city: Line
    postcode: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,4} ?[A-Z0-9]{3}$", examples=["BB1 2HT"])]


class FinanceIn(Body):
    """How the trust invoices this contract; each invoice keeps what was set when it was issued."""

    vat_category: Annotated[
        VatCategory, Field(strict=False, description="S: 20%, E: exempt, O: outside the scope", examples=["O"])
    ]
    vat_reason: Annotated[Line | None, Field(description="Needed for E and O")] = None
    vat_number: Annotated[str | None, Field(pattern="^GB([0-9]{9}|[0-9]{12})$", examples=["GB123456789"])] = None
    seller_endpoint: EndpointIn
    seller_address: AddressIn | None = None
    buyer_endpoint: EndpointIn
    buyer_address: AddressIn | None = None
    buyer_reference: Annotated[Line, Field(description="What the buyer asked to be quoted", examples=["PO-4711"])]
    customer_account: Annotated[
        str, Field(pattern="^[A-Z0-9]{1,8}$", description="The buyer's account in the sales ledger", examples=["RSCNW"])
    ]
    account_code: Own
    cost_centre: Own
    fund: Own
    bank_code: Annotated[Own | None, Field(description="Nominal code of the bank, for receipts in Sage 50")] = None
    bank_account: Annotated[
        str | None,
        Field(
            pattern="^GB[0-9]{2}[A-Z]{4}[0-9]{14}$", description="IBAN to pay to", examples=["GB29NWBK60161331926819"]
        ),
    ] = None


class FinanceOut(BaseModel):
    """How a contract is invoiced and booked."""

    contract_id: UUID
    version: int
    updated_at: datetime
    settings: FinanceIn
