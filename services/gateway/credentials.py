"""Tables of who may come in: systems and API keys, assertions that have served, and tokens that serve no more."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.gateway.models import GatewayTable, Instant
from services.kernel.types import uuid7


class Client(GatewayTable, table=True):
    """A registered system: its public keys, or its secret as a hash, and the one before until its time has passed."""

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
    jwks: list[dict[str, str]] | None = Field(default=None, sa_type=JSONB)
    secret_hash: str | None = Field(default=None, max_length=64)
    former_secret_hash: str | None = Field(default=None, max_length=64)
    former_secret_until: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def authentication(self) -> list[str]:
        """The ways in which it may prove itself."""
        ways = {"client_secret_basic": self.secret_hash, "private_key_jwt": self.jwks}
        return [way for way, given in ways.items() if given]


class ApiKey(GatewayTable, table=True):
    """A finance team's key, kept as a hash with its first characters for display.

    `networks` empty: it may be used from anywhere. `last_used_at` is no finer than the hour.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        Index(None, "trust_uid"),
        CheckConstraint("environment IN ('live', 'test')", name="environment"),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str
    trust_uid: str = Field(max_length=20)
    scopes: list[str] = Field(sa_type=JSONB)
    environment: str = Field(default="live", max_length=4, sa_column_kwargs={"server_default": "live"})
    networks: list[str] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    start: str = Field(max_length=20)
    key_hash: str = Field(max_length=64)
    expires_at: datetime = Field(sa_type=Instant)
    created_by: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)


class SpentAssertion(GatewayTable, table=True):
    """An assertion by which a client has proved itself: it serves once, until nobody would take it any more."""

    __tablename__ = "spent_assertion"
    client_id: str = Field(primary_key=True, max_length=40)
    jti: str = Field(primary_key=True, max_length=200)
    expires_at: datetime = Field(sa_type=Instant, index=True)


class RevokedToken(GatewayTable, table=True):
    """An access token that is refused though its time has not passed, named by its `jti`."""

    __tablename__ = "revoked_token"
    jti: str = Field(primary_key=True, max_length=40)
    client_id: str = Field(max_length=40)
    revoked_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant, index=True)
