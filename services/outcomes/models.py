"""Tables of the outcomes service: evidence, where it counts, and what was concluded from it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Numeric,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.kernel.db import Table, schema_metadata
from services.kernel.events import EventRow
from services.kernel.idempotency import IdempotencyRow
from services.kernel.jobs import JobRow, waiting_index
from services.kernel.types import uuid7

Instant = DateTime(timezone=True)


class OutcomesTable(Table):
    """Base of the tables in the schema `outcomes`."""

    metadata = schema_metadata("outcomes")


class Release(OutcomesTable, table=True):
    """A published file, as it came. `academic_year` is the year in which it starts; None for reference data.

    `confirmed_on` is the last day on which its values were published: that of a release that said the same again.
    `source_url` is where it was fetched; `sha256` and `size_bytes` are None until then. `decimals` are the places after
    the point to which measures were published, where the file tells them.
    """

    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("status IN ('ingesting', 'current', 'superseded', 'refused')", name="status"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    number: int = Field(default=None, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    feed: str = Field(max_length=40, index=True)
    academic_year: int | None = None
    release_status: str = Field(max_length=20)
    published_on: date
    confirmed_on: date
    filename: str = Field(max_length=200)
    sha256: str | None = Field(default=None, max_length=64)
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    source_url: str | None = Field(default=None, max_length=2000, index=True)
    source_version: str | None = Field(default=None, max_length=20)
    etag: str | None = Field(default=None, max_length=200)
    status: str = Field(max_length=20)
    layout: str | None = None
    reason_code: str | None = Field(default=None, max_length=40)
    detail: str | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_ignored: int = 0
    rows_rejected: int = 0
    decimals: dict[str, int] | None = Field(default=None, sa_type=JSONB)
    values_hash: str | None = Field(default=None, max_length=64)
    same_values_as: UUID | None = None
    created_by: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Instant)
    ingested_at: datetime | None = Field(default=None, sa_type=Instant)


class ReleaseFile(OutcomesTable, table=True):
    """The bytes of a release, kept as evidence; `packing` says how: `zlib`, or `none` as they came."""

    __tablename__ = "release_file"
    release_id: UUID = Field(primary_key=True, foreign_key="outcomes.release.id")
    content: bytes = Field(sa_type=LargeBinary)
    packing: str = Field(max_length=10)


class ReleaseLines(OutcomesTable, table=True):
    """The lines of the register that counts, packed (`feeds.lines.ENTRY`): of the next file the others are read."""

    __tablename__ = "release_lines"
    release_id: UUID = Field(primary_key=True, foreign_key="outcomes.release.id")
    reading: str = Field(max_length=64)
    entries: bytes = Field(sa_type=LargeBinary)


class Rejection(OutcomesTable, table=True):
    """A row that a feed left out, and why."""

    __tablename__ = "rejection"
    release_id: UUID = Field(primary_key=True, foreign_key="outcomes.release.id")
    place: int = Field(primary_key=True)
    row: int
    key: str | None = None
    code: str = Field(max_length=40)
    detail: str


class CurrentRelease(OutcomesTable, table=True):
    """The pointer: which release counts for a feed, an academic year and a measure (0 and none for reference data)."""

    __tablename__ = "current_release"
    feed: str = Field(primary_key=True, max_length=40)
    academic_year: int = Field(primary_key=True)
    measure: str = Field(primary_key=True, max_length=40)
    release_id: UUID = Field(foreign_key="outcomes.release.id", index=True)


class Observation(OutcomesTable, table=True):
    """One measure of one school in one academic year, from one release: a value or a reason for its absence."""

    __tablename__ = "observation"
    __table_args__ = (
        CheckConstraint("(state = 'ok') = (value IS NOT NULL)", name="value_or_reason"),
        Index(None, "urn"),
    )
    release_id: UUID = Field(primary_key=True)
    measure: str = Field(primary_key=True, max_length=40)
    academic_year: int = Field(primary_key=True)
    urn: int = Field(primary_key=True)
    measure_version: str = Field(max_length=10)
    state: str = Field(max_length=20)
    value: Decimal | None = Field(default=None, sa_type=Numeric(14, 6))
    raw: str
    denominator: int | None = None


class RingFence(OutcomesTable, table=True):
    """A contract's term, during which a school's results are kept apart from the supplier's tables."""

    __tablename__ = "ring_fence"
    __table_args__ = (CheckConstraint("ends_on >= starts_on", name="term"), Index(None, "supplier_uid"))
    contract_id: UUID = Field(primary_key=True)
    school_urn: int = Field(index=True)
    supplier_uid: str = Field(max_length=20)
    organisation: str = Field(max_length=100)
    starts_on: date
    ends_on: date
    breaks: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    opened_at: datetime = Field(sa_type=Instant)
    closed_on: date | None = None
    closed_reason: str | None = Field(default=None, max_length=40)


class FullMembership(OutcomesTable, table=True):
    """A transfer that was carried out, with the figures that it was answered with."""

    __tablename__ = "full_membership"
    __table_args__ = (UniqueConstraint("contract_id"),)
    transfer_id: UUID = Field(primary_key=True)
    contract_id: UUID
    urn: int
    trust_uid: str = Field(max_length=20)
    effective_on: date
    answer: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Instant)


ONCE = ("contract_id", "academic_year", "run", "inputs_hash", "supersedes_id")


class Evaluation(OutcomesTable, table=True):
    """A verdict on a contract's outcomes, with everything that it was reached from. Never updated.

    `releases` are those that any of its figures comes from; `reopened_by` is the one that made it necessary again.
    """

    __tablename__ = "evaluation"
    __table_args__ = (
        UniqueConstraint(*ONCE, name="evaluation_once_key", postgresql_nulls_not_distinct=True),
        Index(None, "releases", postgresql_using="gin"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    contract_id: UUID = Field(index=True)
    academic_year: int
    run: str = Field(max_length=10)
    overall: str = Field(max_length=20)
    method_version: str = Field(max_length=20)
    inputs_hash: str = Field(max_length=64)
    inputs: dict[str, Any] = Field(sa_type=JSONB)
    result: dict[str, Any] = Field(sa_type=JSONB)
    releases: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid))
    supersedes_id: UUID | None = None
    reopened_by: UUID | None = None
    requested_by: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Instant)


class Event(OutcomesTable, EventRow, table=True):
    """What changed, by whom, when; append-only."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "txid", "position"),)


class Job(OutcomesTable, JobRow, table=True):
    """Wake-ups of the outcomes workers."""

    __tablename__ = "job"
    __table_args__ = (waiting_index(), Index(None, "run_at"))


class IdempotencyKey(OutcomesTable, IdempotencyRow, table=True):
    """Answers given to keyed requests."""

    __tablename__ = "idempotency_key"
