"""Bodies of statements."""

from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.rules.ledger import Account


class Form(StrEnum):
    """How a statement is given."""

    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


class LineOut(BaseModel):
    """An account over the days of a statement, in pence without VAT."""

    opening_pence: int
    moved_pence: int
    closing_pence: int


class MovementOut(BaseModel):
    """Money of a part of the contract's value that went from one account to another."""

    model_config = ConfigDict(populate_by_name=True)

    occurred_on: date
    kind: str
    code: str
    source: Account = Field(alias="from")
    target: Account = Field(alias="to")
    amount_pence: int
    reason: str
    claim: str | None


class ContractStatement(BaseModel):
    """One contract: its accounts always sum to nothing, `value` being what was promised, with a minus."""

    contract_id: UUID
    reference: str
    title: str
    value_pence: int
    accounts: dict[Account, LineOut]
    movements: list[MovementOut]


class Statement(BaseModel):
    """A statement over days from the first to the last; without a first day, from the beginning."""

    model_config = ConfigDict(populate_by_name=True)

    of: str
    first: date | None = Field(alias="from")
    until: date
    contracts: list[ContractStatement]
    totals: dict[Account, LineOut]

    def plain(self) -> dict[str, Any]:
        """The statement as JSON carries it."""
        return self.model_dump(mode="json", by_alias=True)
