"""Tables of how a contract is conducted: variations, reviews, assessments, findings, and what was published of it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.contracts.models import ContractsTable, Instant


class Variation(ContractsTable, table=True):
    """A change of the terms, or an earlier end, put to all parties; `terms` are the whole terms as they would stand."""

    __tablename__ = "variation"
    __table_args__ = (
        Index(
            "variation_open_idx", "contract_id", unique=True, postgresql_where=text("status IN ('proposed', 'agreed')")
        ),
    )
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    number: int = Field(primary_key=True)
    kind: str = Field(max_length=20)
    status: str = Field(max_length=20)
    reason_code: str | None = Field(default=None, max_length=40)
    effective_on: date
    rationale: str
    changes: dict[str, Any] = Field(sa_type=JSONB)
    terms: dict[str, Any] = Field(sa_type=JSONB)
    agreed_hash: str = Field(max_length=64)
    proposed_by: str = Field(max_length=20)
    proposed_on: date
    closed_on: date | None = None


class Review(ContractsTable, table=True):
    """A review of every objective: what the figures said, what was judged, and why. Never updated."""

    __tablename__ = "review"
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    number: int = Field(primary_key=True)
    reviewed_on: date
    academic_year: str = Field(max_length=7)
    next_review_on: date | None = None
    reviewer: str
    summary: str | None = None
    objectives: list[dict[str, Any]] = Field(sa_type=JSONB)
    recorded_at: datetime = Field(sa_type=Instant)


class KpiAssessment(ContractsTable, table=True):
    """How the supplier did against the key performance indicators over a period. Never updated."""

    __tablename__ = "kpi_assessment"
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    number: int = Field(primary_key=True)
    assessed_on: date
    period_starts_on: date
    period_ends_on: date
    rating: str = Field(max_length=20)
    explanation: str | None = None
    basis: str = Field(max_length=20)
    measures: list[dict[str, Any]] = Field(sa_type=JSONB)
    evaluation_id: UUID | None = None
    recorded_at: datetime = Field(sa_type=Instant)


class Finding(ContractsTable, table=True):
    """An opportunity to improve, or a finding of poor performance after one. Never updated."""

    __tablename__ = "finding"
    __table_args__ = (CheckConstraint("closes_on > opened_on", name="period"),)
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    number: int = Field(primary_key=True)
    kind: str = Field(max_length=30)
    opened_on: date
    closes_on: date | None = None
    opportunity: int | None = None
    details: str
    recorded_at: datetime = Field(sa_type=Instant)


class Notice(ContractsTable, table=True):
    """A notice about the contract that was published elsewhere, such as on Find a Tender. Never updated."""

    __tablename__ = "notice"
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    number: int = Field(primary_key=True)
    kind: str = Field(max_length=20)
    subject: str | None = Field(default=None, max_length=40)
    published_on: date
    url: str | None = None
    recorded_at: datetime = Field(sa_type=Instant)


class OcdsRelease(ContractsTable, table=True):
    """What the public was told after an event of a contract, as it was told. Never updated; open to everybody."""

    __tablename__ = "ocds_release"
    __table_args__ = (UniqueConstraint("release_id"),)
    contract_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    position: int = Field(default=None, index=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    ocid: str = Field(max_length=60, index=True)
    release_id: str = Field(max_length=80)
    tags: list[str] = Field(sa_type=JSONB)
    published_at: datetime = Field(sa_type=Instant)
    body: dict[str, Any] = Field(sa_type=JSONB)
