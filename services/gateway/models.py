"""Tables of the gateway: what was recorded, what happened, and what is still to be done."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.kernel.db import Table, schema_metadata
from services.kernel.events import CursorRow, EventRow
from services.kernel.idempotency import IdempotencyRow
from services.kernel.jobs import JobRow, waiting_index
from services.kernel.types import uuid7

Instant = DateTime(timezone=True)


class GatewayTable(Table):
    """Base of the tables in the schema `gateway`."""

    metadata = schema_metadata("gateway")


class ContractRef(GatewayTable, table=True):
    """What the gateway needs to know of a contract in order to record without asking; follows the contract."""

    __tablename__ = "contract_ref"
    __table_args__ = (
        Index(None, "organisation"),
        Index(None, "supplier_uid"),
        Index("contract_ref_status_idx", "status", "contract_id"),
    )
    contract_id: UUID = Field(primary_key=True)
    reference: str = Field(max_length=20)
    version: int
    status: str = Field(max_length=20)
    organisation: str = Field(max_length=100)
    supplier_uid: str = Field(max_length=20)
    responsible_uid: str | None = Field(default=None, max_length=20)
    school_urn: int
    region: str
    la_code: str = Field(max_length=3)
    milestones: list[str] = Field(sa_type=JSONB)


class MilestoneRecord(GatewayTable, table=True):
    """A fact about a milestone, written once; a wrong one is withdrawn by another."""

    __tablename__ = "milestone_record"
    __table_args__ = (Index(None, "contract_id", "id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    contract_id: UUID
    milestone_code: str = Field(max_length=40)
    status: str = Field(max_length=20)
    occurred_on: date
    note: str | None = None
    evidence: list[dict[str, Any]] = Field(sa_type=JSONB)
    recorded_at: datetime = Field(sa_type=Instant)
    recorded_by: dict[str, Any] = Field(sa_type=JSONB)
    leaf_hash: str = Field(max_length=64)


class Delivery(GatewayTable, table=True):
    """A record has reached the contract, with the answer given there. A record without one is still to be sent."""

    __tablename__ = "delivery"
    record_id: UUID = Field(primary_key=True, foreign_key="gateway.milestone_record.id")
    result: str = Field(max_length=20)
    delivered_at: datetime = Field(sa_type=Instant)


class Withdrawal(GatewayTable, table=True):
    """A milestone record taken back, for a reason; the record stays, with this beside it."""

    __tablename__ = "withdrawal"
    __table_args__ = (UniqueConstraint("record_id"), Index(None, "contract_id", "id"))
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    record_id: UUID = Field(foreign_key="gateway.milestone_record.id")
    contract_id: UUID
    reason: str | None
    withdrawn_at: datetime = Field(sa_type=Instant)
    withdrawn_by: dict[str, Any] = Field(sa_type=JSONB)
    leaf_hash: str = Field(max_length=64)


class WithdrawalDelivery(GatewayTable, table=True):
    """A withdrawal has reached the contract, with the answer given there."""

    __tablename__ = "withdrawal_delivery"
    withdrawal_id: UUID = Field(primary_key=True, foreign_key="gateway.withdrawal.id")
    result: str = Field(max_length=20)
    delivered_at: datetime = Field(sa_type=Instant)


class Cursor(GatewayTable, CursorRow, table=True):
    """How far the events of another service have been read, and how far leaves have come into the log."""

    __tablename__ = "cursor"


class Event(GatewayTable, EventRow, table=True):
    """What changed, by whom, when; append-only."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "txid", "position"),)


class Job(GatewayTable, JobRow, table=True):
    """Wake-ups of the gateway workers."""

    __tablename__ = "job"
    __table_args__ = (waiting_index(), Index(None, "run_at"))


class IdempotencyKey(GatewayTable, IdempotencyRow, table=True):
    """Answers given to keyed requests."""

    __tablename__ = "idempotency_key"


class Rate(GatewayTable, table=True):
    """How many requests all replicas have leased for a caller or an address in its present minute.

    Unlogged: after a crash everybody begins anew, which is cheaper than a log entry for each block.
    """

    __tablename__ = "rate"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)
    bucket: str = Field(primary_key=True, max_length=64)
    period: int = Field(sa_type=BigInteger)
    taken: int
