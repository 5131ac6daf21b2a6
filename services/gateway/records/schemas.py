"""Bodies about milestone records."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.models import MilestoneRecord
from services.kernel.bodies import Body, LongText, Paging, Text


class RecordStatus(StrEnum):
    """What is recorded of a milestone."""

    MET = "met"
    PARTIALLY_MET = "partially_met"
    NOT_MET = "not_met"


class Evidence(Body):
    """A document that shows it; the document itself stays where it is, under its hash."""

    title: Text
    url: Annotated[str, Field(max_length=1000, pattern=r"^https://\S+$", examples=["https://example.org/report.pdf"])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class RecordIn(Body):
    """A fact about a milestone."""

    status: Annotated[RecordStatus, Field(strict=False)]
    occurred_on: Annotated[date, Field(strict=False, examples=["2023-10-27"])]
    note: LongText | None = None
    evidence: Annotated[list[Evidence], Field(max_length=20)] = []


class RecordOut(BaseModel):
    """A milestone record; `log_index` is null until the leaf has its place in the log."""

    id: UUID
    contract_id: UUID
    milestone_code: str
    status: RecordStatus
    occurred_on: date
    note: str | None
    evidence: list[dict[str, Any]]
    recorded_at: datetime
    recorded_by: dict[str, Any]
    leaf_hash: str
    log_index: int | None = None
    applied: str | None = None

    @classmethod
    def of(cls, row: MilestoneRecord, applied: str | None) -> Self:
        """The record of this row, and what became of it at the contract, where it has arrived."""
        alike = cls.model_fields.keys() - {"log_index", "applied"}
        return cls(**{name: getattr(row, name) for name in alike}, applied=applied)


class RecordPage(BaseModel):
    """A page of records, oldest first."""

    data: list[RecordOut]
    paging: Paging
