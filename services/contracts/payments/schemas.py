"""Bodies of payments."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.rules.money import PaymentKind, PaymentStatus
from services.kernel.bodies import Answer, Paging


class PaymentOut(Answer):
    """One part of the contract's value and how far its money has come; amounts are pence without VAT.

    `amount_pence` is what was promised, `earned_pence` what of it is the supplier's by now, `paid_pence` what it has,
    `retained_pence` what waits for settled results, `reduced_pence` what it will not get or has to give back. `due_on`
    is set once a claim for it is certified.
    """

    id: UUID
    contract_id: UUID
    kind: PaymentKind
    code: str
    amount_pence: int
    status: PaymentStatus
    reason_code: str | None
    earned_pence: int
    paid_pence: int
    retained_pence: int
    reduced_pence: int
    period_starts_on: date | None
    period_ends_on: date | None
    earned_on: date | None
    due_on: date | None
    paid_on: date | None
    basis: dict[str, Any] | None = Field(description="For an outcome: the verdict and the share that it earns")


class PaymentPage(BaseModel):
    """A page of payments."""

    data: list[PaymentOut]
    paging: Paging
