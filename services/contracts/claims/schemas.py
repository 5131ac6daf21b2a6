"""Bodies of claims."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.accounts import Claim
from services.contracts.rules.claims import ClaimStatus, late
from services.contracts.rules.money import PaymentKind
from services.contracts.schemas import Day
from services.kernel.bodies import Answer, Body, Code, Paging, Pence, Text

Person = Annotated[Text, Field(description="The person who does this", examples=["A. Bursar"])]


class ItemIn(Body):
    """A part of the contract's value."""

    kind: Annotated[PaymentKind, Field(strict=False)]
    code: Code


class ClaimIn(Body):
    """What is claimed of a contract, and who prepared it; without items, everything that is earned and not claimed."""

    contract_id: Annotated[UUID, Field(strict=False)]
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=200)] | None = None
    prepared_by: Person


class SignedIn(Body):
    """Who does this; their name stays with the claim and is shown to its parties only."""

    signed_by: Person


class RejectionIn(SignedIn):
    """Why the claim is not to be paid: a rejection by the commissioner, a withdrawal by the trust."""

    reason: Text


class PaidIn(SignedIn):
    """The claim was paid: `amount_pence` is what its invoice asks for with VAT, less what was credited."""

    paid_on: Day
    amount_pence: Pence
    reference: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$", examples=["BACS 0042"])]


class ClaimOut(Answer):
    """A claim and how far it has come; amounts are pence without VAT.

    `hands` says who prepared, certified, approved and paid it. A late claim should have been paid before today.
    """

    id: UUID
    reference: str
    contract_id: UUID
    supplier_uid: str
    status: ClaimStatus
    reason: str | None
    version: int
    amount_pence: int
    lines: list[dict[str, Any]]
    hands: dict[str, Any]
    disputes: list[dict[str, Any]]
    split_from: UUID | None
    submitted_on: date
    certified_on: date | None
    due_on: date | None
    paid_on: date | None
    payment_reference: str | None
    late: bool
    updated_at: datetime

    @classmethod
    def of(cls, row: Claim, today: date) -> Self:
        """The claim of this row, as it stands on a day."""
        alike = cls.model_fields.keys() - {"late"}
        overdue = late(ClaimStatus(row.status), row.due_on, today)
        return cls(**{name: getattr(row, name) for name in alike}, late=overdue)


class ClaimPage(BaseModel):
    """A page of claims, oldest first."""

    data: list[ClaimOut]
    paging: Paging
