"""Bodies about milestone records."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.gateway.models import MilestoneRecord
from services.kernel.bodies import Body, Code, LongText, Paging, Text
from services.kernel.openapi import Problem


class RecordStatus(StrEnum):
    """What is recorded of a milestone."""

    MET = "met"
    PARTIALLY_MET = "partially_met"
    NOT_MET = "not_met"


class Evidence(Body):
    """A document that shows it; the document itself stays where it is, under its hash."""

    title: Text
    url: Annotated[str, Field(max_length=1000, pattern=r"^https://\S+$", examples=["https://example.org/report.pdf"])]
    sha256: (
        Annotated[
            str,
            Field(
                pattern=r"^[0-9a-f]{64}$", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
            ),
        ]
        | None
    ) = None


class RecordIn(Body):
    """A fact about a milestone."""

    status: Annotated[RecordStatus, Field(strict=False)]
    occurred_on: Annotated[date, Field(strict=False, examples=["2023-10-27"])]
    note: LongText | None = None
    evidence: Annotated[list[Evidence], Field(max_length=20)] = []

    @model_validator(mode="after")
    def can_be_kept(self) -> Self:
        """Refuse the one sign that no database keeps in a text, before it spoils a whole transaction."""
        named = [text for each in self.evidence for text in (each.title, each.url)]
        if any("\x00" in text for text in (self.note or "", *named)):
            raise ValueError("a text holds the sign U+0000, which cannot be kept")
        return self


class LineIn(RecordIn):
    """A fact about a milestone among many others; so it says of which."""

    contract_id: Annotated[UUID, Field(strict=False)]
    milestone_code: Code


MOST_LINES = 1000
LINE = {
    "contract_id": "0198c5a2-6a3e-7c11-8f7e-3a51b7a0c0de",
    "milestone_code": "M1",
    "status": "met",
    "occurred_on": "2023-10-27",
}


class ManyIn(Body):
    """Many facts about milestones, each with `contract_id`, `milestone_code` and what a single record takes."""

    records: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_LINES, examples=[[LINE]])]


SINCE = {"log_index", "applied", "withdrawn_at"}
"""Of a record, what is not its own but has become of it."""


class RecordOut(BaseModel):
    """A milestone record; `log_index` is null until the leaf has its place in the log, within a second.

    `applied` says what became of it at the contract; a record that was taken back has a `withdrawn_at`.
    """

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
    withdrawn_at: datetime | None = None

    @classmethod
    def of(cls, row: MilestoneRecord, **since: Any) -> Self:
        """The record of this row, and what has become of it `since`."""
        alike = cls.model_fields.keys() - SINCE
        return cls(**{name: getattr(row, name) for name in alike}, **since)


class Refusal(Problem):
    """A problem with all its members."""

    model_config = ConfigDict(extra="allow")


class LineOut(BaseModel):
    """What became of one of many records: recorded (201), or refused with its own problem."""

    status: int
    record: RecordOut | None = None
    problem: Refusal | None = None


class ManyOut(BaseModel):
    """What became of each record, in the order in which they came."""

    results: list[LineOut]


class RecordPage(BaseModel):
    """A page of records, oldest first."""

    data: list[RecordOut]
    paging: Paging
