"""Tables of who is told: what may be told in one order, who asked for it, and how each delivery went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.gateway.models import GatewayTable, Instant
from services.kernel.types import uuid7


class Announcement(GatewayTable, table=True):
    """An event as subscribers may know it, with the bounds by which it is theirs to see. Never updated.

    It is about a contract, whose parties may know of it, or about a release, of which every client may. Only the holder
    of the announcer's cursors writes here, so positions are in the order of commits.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        UniqueConstraint("id"),
        Index(None, "contract_id", "position"),
        CheckConstraint(
            "num_nonnulls(release_id, contract_id) = 1 AND num_nonnulls(organisation, region, la_code, supplier_uid,"
            " school_urn) = CASE WHEN contract_id IS NULL THEN 0 ELSE 5 END",
            name="about",
        ),
    )
    position: int = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    id: UUID
    type: str = Field(max_length=60)
    occurred_at: datetime = Field(sa_type=Instant)
    contract_id: UUID | None = None
    release_id: UUID | None = None
    data: dict[str, Any] = Field(sa_type=JSONB)
    organisation: str | None = Field(default=None, max_length=100)
    region: str | None = None
    la_code: str | None = Field(default=None, max_length=3)
    supplier_uid: str | None = Field(default=None, max_length=20)
    responsible_uid: str | None = Field(default=None, max_length=20)
    school_urn: int | None = None
    offered: bool
    """Whether others than the commissioner could know of the contract when it happened."""


class Subscription(GatewayTable, table=True):
    """Which events a client is told of, and where. Secrets are sealed; an empty filter lets everything through."""

    __tablename__ = "subscription"
    __table_args__ = (
        Index(None, "client_id"),
        CheckConstraint("status IN ('active', 'disabled', 'deleted')", name="status"),
        CheckConstraint("(status = 'disabled') = (reason_code IS NOT NULL)", name="reason"),
        CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name="previous"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: str = Field(foreign_key="gateway.client.id", max_length=40)
    organisation: str = Field(max_length=100)
    version: int = 1
    url: str = Field(max_length=500)
    description: str | None = Field(default=None, max_length=500)
    types: list[str] = Field(sa_type=JSONB)
    contract_ids: list[str] = Field(sa_type=JSONB)
    regions: list[str] = Field(sa_type=JSONB)
    trust_uids: list[str] = Field(sa_type=JSONB)
    status: str = Field(default="active", max_length=10)
    reason_code: str | None = Field(default=None, max_length=20)
    failing_since: datetime | None = Field(default=None, sa_type=Instant)
    secret: bytes = Field(sa_type=LargeBinary)
    previous_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    previous_until: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class Dispatch(GatewayTable, table=True):
    """One announcement on its way to one subscription; without an announcement it is a ping.

    `subject_id` is the contract, the release, or for a ping the subscription: what has one subject arrives in order.
    """

    __tablename__ = "dispatch"
    __table_args__ = (
        UniqueConstraint("subscription_id", "position"),
        Index(
            "dispatch_waiting_idx",
            "subscription_id",
            "subject_id",
            "position",
            "id",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index(None, "subscription_id", "id"),
        Index("dispatch_finished_idx", "finished_at", postgresql_where=text("status <> 'waiting'")),
        CheckConstraint("status IN ('waiting', 'delivered', 'given_up', 'withheld')", name="status"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
    subscription_id: UUID = Field(foreign_key="gateway.subscription.id")
    subject_id: UUID
    position: int | None = Field(default=None, sa_type=BigInteger, foreign_key="gateway.announcement.position")
    status: str = Field(default="waiting", max_length=10, sa_column_kwargs={"server_default": "waiting"})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = Field(sa_type=Instant, sa_column_kwargs={"server_default": text("clock_timestamp()")})
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class Line(GatewayTable, table=True):
    """What waits for one subscription about one subject, to be taken in order by one worker at a time.

    Taking it puts `due_at` behind the end of the lease and counts the fence on. It exists while something waits.
    """

    __tablename__ = "line"
    __table_args__ = (Index(None, "subscription_id", "due_at"),)
    subscription_id: UUID = Field(primary_key=True, foreign_key="gateway.subscription.id")
    subject_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=Instant, sa_column_kwargs={"server_default": text("clock_timestamp()")})
    fence: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class Attempt(GatewayTable, table=True):
    """One try to deliver: when, how long, and what came of it; the response itself is not kept. Never updated.

    The table is in parts by the month, so that old ones go without a row being touched.
    """

    __tablename__ = "attempt"
    __table_args__ = (Index(None, "dispatch_id"), {"postgresql_partition_by": "RANGE (started_at)"})
    id: int = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    dispatch_id: UUID = Field(foreign_key="gateway.dispatch.id")
    started_at: datetime = Field(primary_key=True, sa_type=Instant)
    duration_ms: int
    response_status: int | None = None
    error: str | None = Field(default=None, max_length=200)
