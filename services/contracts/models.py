"""Tables of the contracts service: commitments, and how they stand."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.kernel.db import Table, schema_metadata
from services.kernel.events import CursorRow, EventRow
from services.kernel.idempotency import IdempotencyRow
from services.kernel.jobs import JobRow, waiting_index
from services.kernel.types import uuid7

Instant = DateTime(timezone=True)


class ContractsTable(Table):
    """Base of the tables in the schema `contracts`."""

    metadata = schema_metadata("contracts")


LISTED_BY = (("organisation",), ("organisation", "status"), ("region",), ("region", "status"), ("status",))
"""By which columns lists of contracts are narrowed, where these alone leave more than one party's few."""


class Contract(ContractsTable, table=True):
    """A commissioner's contract with a trust about a school. `starts_on` and `ends_on` both belong to the term."""

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("reference"),
        CheckConstraint("ends_on >= starts_on", name="term"),
        CheckConstraint("latest_ends_on >= ends_on", name="latest_end"),
        CheckConstraint("ended_on >= starts_on - 1", name="ended"),
        CheckConstraint("(status = 'draft') OR agreed_hash IS NOT NULL OR status = 'cancelled'", name="hashed"),
        *(Index(None, *bounds, *order) for bounds in LISTED_BY for order in (("id",), ("ends_on", "id"))),
        Index(None, "ends_on", "id"),
        Index(None, "supplier_uid", "id"),
        Index(None, "school_urn"),
        Index("contract_responsible_uid_idx", text("(responsible_body ->> 'uid')")),
        Index(None, "identifiers", postgresql_using="gin", postgresql_ops={"identifiers": "jsonb_path_ops"}),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    reference: str = Field(max_length=20)
    title: str
    status: str = Field(max_length=20)
    reason_code: str | None = Field(default=None, max_length=40)
    version: int = 1
    organisation: str = Field(max_length=100)
    commissioner: dict[str, Any] = Field(sa_type=JSONB)
    school_urn: int
    school_id: UUID | None = None
    identifiers: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    school: dict[str, Any] = Field(sa_type=JSONB)
    supplier_uid: str = Field(max_length=20)
    supplier: dict[str, Any] = Field(sa_type=JSONB)
    responsible_body: dict[str, Any] = Field(sa_type=JSONB)
    region: str
    la_code: str = Field(max_length=3)
    legal_route: str = Field(max_length=20)
    legal_route_detail: str | None = None
    starts_on: date
    ends_on: date
    latest_ends_on: date
    ended_on: date | None = None
    notice_days: int
    break_points: list[str] = Field(default_factory=list, sa_type=JSONB)
    fee_pence: int = Field(sa_type=BigInteger)
    value_pence: int = Field(sa_type=BigInteger)
    transfer_intended: bool
    interventions: list[dict[str, Any]] = Field(sa_type=JSONB)
    outcomes_rationale: str | None = None
    method: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    offer: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    entered_on: date | None = None
    suspension: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    fence_breaks: list[list[str]] = Field(default_factory=list, sa_type=JSONB)
    termination: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    agreed_hash: str | None = Field(default=None, max_length=64)
    pupils: int | None = None
    committed_at: datetime | None = Field(default=None, sa_type=Instant)
    evaluation: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    transfer_id: UUID | None = None
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class Outcome(ContractsTable, table=True):
    """An agreed outcome: measure, baseline from named releases, target, weight, and what it pays."""

    __tablename__ = "outcome"
    __table_args__ = (CheckConstraint("weight > 0 AND weight <= 1", name="weight"),)
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    code: str = Field(primary_key=True, max_length=40)
    place: int
    measure: str = Field(max_length=40)
    domain: str = Field(max_length=20)
    weight: Decimal = Field(sa_type=Numeric(6, 4))
    critical: bool
    target_mode: str = Field(max_length=20)
    target_value: Decimal = Field(sa_type=Numeric(12, 5))
    baseline: dict[str, Any] = Field(sa_type=JSONB)
    payment_pence: int = Field(sa_type=BigInteger)
    floor: Decimal | None = Field(default=None, sa_type=Numeric(12, 5))
    full: Decimal | None = Field(default=None, sa_type=Numeric(12, 5))
    trajectory: list[float] | None = Field(default=None, sa_type=JSONB)
    comparators: list[int] | None = Field(default=None, sa_type=JSONB)


class Milestone(ContractsTable, table=True):
    """A promise with a date; its status follows the records made at the gateway."""

    __tablename__ = "milestone"
    __table_args__ = (CheckConstraint("(decided_on IS NULL) = (record_id IS NULL)", name="decided"),)
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    code: str = Field(primary_key=True, max_length=40)
    title: str
    kind: str = Field(max_length=20)
    due_on: date
    required: bool
    payment_pence: int = Field(sa_type=BigInteger)
    depends_on: list[str] = Field(default_factory=list, sa_type=JSONB)
    evidence_asked: str | None = None
    status: str = Field(max_length=20)
    timing: str = Field(default="planned", max_length=20)
    decided_on: date | None = None
    record_id: UUID | None = None


class AppliedRecord(ContractsTable, table=True):
    """A record of the gateway that has arrived: the same record applied twice changes nothing.

    `status` and `occurred_on` are what it says; they are unknown of records that arrived before they were kept.
    """

    __tablename__ = "applied_record"
    record_id: UUID = Field(primary_key=True)
    contract_id: UUID = Field(foreign_key="contracts.contract.id", index=True)
    milestone_code: str = Field(max_length=40)
    status: str | None = Field(default=None, max_length=20)
    occurred_on: date | None = None
    result: str = Field(max_length=20)
    recorded_by: str | None = Field(default=None, max_length=200)
    applied_at: datetime = Field(sa_type=Instant)


class AppliedWithdrawal(ContractsTable, table=True):
    """A record that was taken back at the gateway, and what that did here; applied twice it changes nothing."""

    __tablename__ = "applied_withdrawal"
    withdrawal_id: UUID = Field(primary_key=True)
    record_id: UUID = Field(foreign_key="contracts.applied_record.record_id", unique=True)
    contract_id: UUID = Field(foreign_key="contracts.contract.id", index=True)
    result: str = Field(max_length=20)
    applied_at: datetime = Field(sa_type=Instant)


class Signature(ContractsTable, table=True):
    """A party's signature under the terms whose hash it names; `document` is an offer or a variation, by number."""

    __tablename__ = "signature"
    contract_id: UUID = Field(primary_key=True, foreign_key="contracts.contract.id")
    document: str = Field(primary_key=True, max_length=40)
    party: str = Field(primary_key=True, max_length=20)
    signed_by: str
    role: str
    signed_on: date
    agreed_hash: str = Field(max_length=64)
    client_id: str
    recorded_at: datetime = Field(sa_type=Instant)


class Payment(ContractsTable, table=True):
    """One part of a contract's value, and how far its money has come, as the ledger says.

    An instalment of the fee has a first and a last day; `basis` is what an outcome's award follows from.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("contract_id", "kind", "code"),
        CheckConstraint("amount_pence > 0", name="amount"),
        CheckConstraint(
            "status NOT IN ('earned', 'claimed', 'certified', 'approved', 'paid') OR earned_on IS NOT NULL",
            name="earned",
        ),
        CheckConstraint("(period_starts_on IS NULL) = (period_ends_on IS NULL)", name="period"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    contract_id: UUID = Field(foreign_key="contracts.contract.id", index=True)
    kind: str = Field(max_length=20)
    code: str = Field(max_length=40)
    amount_pence: int = Field(sa_type=BigInteger)
    status: str = Field(max_length=20)
    reason_code: str | None = Field(default=None, max_length=40)
    earned_pence: int = Field(default=0, sa_type=BigInteger)
    paid_pence: int = Field(default=0, sa_type=BigInteger)
    retained_pence: int = Field(default=0, sa_type=BigInteger)
    reduced_pence: int = Field(default=0, sa_type=BigInteger)
    period_starts_on: date | None = None
    period_ends_on: date | None = None
    earned_on: date | None = None
    due_on: date | None = None
    paid_on: date | None = None
    basis: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    updated_at: datetime = Field(sa_type=Instant)


class Event(ContractsTable, EventRow, table=True):
    """What changed, by whom, when; append-only."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "txid", "position"),)


class Cursor(ContractsTable, CursorRow, table=True):
    """How far the events of another service have been read."""

    __tablename__ = "cursor"


class Job(ContractsTable, JobRow, table=True):
    """Wake-ups of the contracts workers."""

    __tablename__ = "job"
    __table_args__ = (waiting_index(), Index(None, "run_at"))


class IdempotencyKey(ContractsTable, IdempotencyRow, table=True):
    """Answers given to keyed requests."""

    __tablename__ = "idempotency_key"
