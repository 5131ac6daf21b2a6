"""Bodies of payments."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from services.kernel.bodies import Answer, Paging


class PaymentOut(Answer):
    """One part of the contract's value; `due_on` is set once it is earned."""

    id: UUID
    contract_id: UUID
    kind: str
    code: str
    amount_pence: int
    status: str
    reason_code: str | None
    earned_on: date | None
    due_on: date | None


class PaymentPage(BaseModel):
    """A page of payments."""

    data: list[PaymentOut]
    paging: Paging
