"""Tables of transfers: consents, steps and days on a school's way into a trust, and what it leaves to be cleared."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.gateway.models import GatewayTable, Instant
from services.gateway.rules.hand_over import TOLD
from services.kernel.types import uuid7


class Transfer(GatewayTable, table=True):
    """A school on its way into full membership of the trust that was contracted for it.

    `evidence` is why it was proposed and never changes; `ground` is what the last check of the conditions found.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("reference"),
        CheckConstraint("effective_on IS NULL OR extract(day FROM effective_on) = 1", name="first_of_month"),
        CheckConstraint("NOT confirmed OR effective_on IS NOT NULL", name="confirmed_day"),
        Index(None, "contract_id"),
        Index("transfer_live_idx", "contract_id", unique=True, postgresql_where=text("status <> 'cancelled'")),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    reference: str = Field(max_length=20)
    contract_id: UUID
    status: str = Field(max_length=20)
    reason_code: str | None = Field(default=None, max_length=80)
    version: int = 1
    route: str = Field(max_length=20)
    school_urn: int
    trust_uid: str = Field(max_length=20)
    effective_on: date | None = None
    confirmed: bool = False
    hold: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    needed: list[str] = Field(sa_type=JSONB)
    evidence: dict[str, Any] = Field(sa_type=JSONB)
    ground: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    template_version: str = Field(max_length=10)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    register_confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class EffectiveDay(GatewayTable, table=True):
    """A day that was set for a transfer, with the reason; the latest one counts. Never updated."""

    __tablename__ = "effective_day"
    __table_args__ = (Index(None, "transfer_id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    transfer_id: UUID = Field(foreign_key="gateway.transfer.id")
    effective_on: date
    confirmed: bool
    reason: str
    recorded_at: datetime = Field(sa_type=Instant)
    recorded_by: dict[str, Any] = Field(sa_type=JSONB)


class Consent(GatewayTable, table=True):
    """A decision on a transfer; a later one of the same body replaces it in effect, never in the record."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(None, "transfer_id"),
        CheckConstraint(f"by = 'rsc' OR num_nonnulls({', '.join(TOLD)}) = 0", name="told_by_rsc"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    transfer_id: UUID = Field(foreign_key="gateway.transfer.id")
    by: str = Field(max_length=20)
    decision: str = Field(max_length=30)
    conditions: list[str] = Field(sa_type=JSONB)
    until: date | None = None
    decided_on: date
    directive_academy_order: bool | None = None
    academy_order_on: date | None = None
    financial_reasons: bool | None = None
    safeguarding_reasons: bool | None = None
    governance_reasons: bool | None = None
    prepare_id: int | None = None
    project_group: str | None = Field(default=None, max_length=12)
    recorded_at: datetime = Field(sa_type=Instant)
    recorded_by: dict[str, Any] = Field(sa_type=JSONB)


class Fulfilment(GatewayTable, table=True):
    """A condition of a consent has been met: `number` counts the conditions of the decision from 1. Never updated."""

    __tablename__ = "fulfilment"
    consent_id: UUID = Field(primary_key=True, foreign_key="gateway.consent.id")
    number: int = Field(primary_key=True)
    fulfilled_on: date
    note: str | None = None
    recorded_at: datetime = Field(sa_type=Instant)
    recorded_by: dict[str, Any] = Field(sa_type=JSONB)


class TransferStep(GatewayTable, table=True):
    """One step of a transfer: a task that its owner completes, or an act of the system on the day itself.

    `known` is the circumstance that it was pre-filled by, with who said so; `started_at` is written before an act
    that cannot be taken back, so that nobody cancels while it is under way.
    """

    __tablename__ = "transfer_step"
    __table_args__ = (CheckConstraint("(status = 'open') = (finished_at IS NULL)", name="finished"),)
    transfer_id: UUID = Field(primary_key=True, foreign_key="gateway.transfer.id")
    key: str = Field(primary_key=True, max_length=60)
    place: int
    title: str
    section: str = Field(max_length=40)
    owner: str = Field(max_length=20)
    actor: str = Field(max_length=40)
    document: str | None = None
    depends_on: list[str] = Field(sa_type=JSONB)
    asks: list[str] = Field(sa_type=JSONB)
    gate: bool
    optional: bool
    known: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    status: str = Field(max_length=20)
    reason: str | None = None
    answer: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_by: dict[str, Any] | None = Field(default=None, sa_type=JSONB)


class HandOver(GatewayTable, table=True):
    """The package that goes to DfE once a school has joined; delivered when it was acknowledged, and not before."""

    __tablename__ = "hand_over"
    __table_args__ = (Index("hand_over_waiting_idx", "due_at", postgresql_where=text("acknowledged_at IS NULL")),)
    transfer_id: UUID = Field(primary_key=True, foreign_key="gateway.transfer.id")
    package: dict[str, Any] = Field(sa_type=JSONB)
    sha256: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_by: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    remote_id: str | None = Field(default=None, max_length=200)


class Discrepancy(GatewayTable, table=True):
    """Something that does not agree with a transfer that was carried out; open until it does."""

    __tablename__ = "discrepancy"
    __table_args__ = (
        Index("discrepancy_open_idx", "transfer_id", "kind", unique=True, postgresql_where=text("closed_at IS NULL")),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    transfer_id: UUID = Field(foreign_key="gateway.transfer.id", index=True)
    kind: str = Field(max_length=40)
    detail: str
    facts: dict[str, Any] = Field(sa_type=JSONB)
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_by: str | None = None
