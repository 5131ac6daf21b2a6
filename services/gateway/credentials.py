"""Tables of who may come in: registered systems and API keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.gateway.models import GatewayTable, Instant
from services.kernel.types import uuid7


class Client(GatewayTable, table=True):
    """A registered system; its secret is kept as a hash only."""

    __tablename__ = "client"
    __table_args__ = (CheckConstraint("kind IN ('commissioner', 'dfe', 'supplier', 'responsible_body')", name="kind"),)
    id: str = Field(primary_key=True, max_length=40)
    name: str
    kind: str = Field(max_length=20)
    organisation: str = Field(max_length=100)
    scopes: list[str] = Field(sa_type=JSONB)
    regions: list[str] = Field(sa_type=JSONB)
    la_codes: list[str] = Field(sa_type=JSONB)
    trust_uid: str | None = Field(default=None, max_length=20)
    urns: list[str] = Field(sa_type=JSONB)
    secret_hash: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)


class ApiKey(GatewayTable, table=True):
    """A finance team's key, kept as a hash with its first characters for display."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("key_hash"), Index(None, "trust_uid"))
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str
    trust_uid: str = Field(max_length=20)
    scopes: list[str] = Field(sa_type=JSONB)
    start: str = Field(max_length=20)
    key_hash: str = Field(max_length=64)
    expires_at: datetime = Field(sa_type=Instant)
    created_by: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
