"""Bodies about clients and API keys."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.rules.secrets import Environment
from services.kernel.bodies import Body, Paging, Text
from services.kernel.types import Kind

Scope = Annotated[str, Field(max_length=40)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=20, examples=[["contracts:read", "finance:read"]])]
Region = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z ,&'-]{1,59}$")]
PublicKeys = Annotated[
    list[dict[str, Any]],
    Field(
        description="Public keys as JWKs, each with a kid of its own: P-256 for ES256, or RSA of 2048 bits for RS256",
        json_schema_extra={"minItems": 1, "maxItems": 4},
    ),
]
Days = Annotated[int, Field(ge=1, le=365, description="After how many days it ends")]
Overlap = Annotated[int, Field(ge=0, le=7, description="For how many days the old one still works")]
Networks = Annotated[
    list[Annotated[str, Field(min_length=2, max_length=60)]],
    Field(max_length=20, description="IPv4 and IPv6 networks from which it may be used; none: from anywhere"),
]
Uid = Annotated[str, Field(pattern=r"^[0-9]{1,10}$", description="GIAS group UID of a trust")]


class KeySetIn(Body):
    """The public keys by which a client signs its assertions (RFC 7517)."""

    keys: PublicKeys


class ClientIn(Body):
    """A system to register, with the bounds of what it may see. With `jwks` it gets no secret."""

    name: Text
    kind: Annotated[
        Kind, Field(strict=False, json_schema_extra={"enum": ["commissioner", "dfe", "supplier", "responsible_body"]})
    ]
    organisation: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")] | None = None
    scopes: Scopes
    regions: Annotated[list[Region], Field(max_length=20)] = []
    la_codes: Annotated[list[Annotated[str, Field(pattern=r"^[0-9]{3}$")]], Field(max_length=200)] = []
    trust_uid: Uid | None = None
    urns: Annotated[list[Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")]], Field(max_length=500)] = []
    jwks: KeySetIn | None = None


class ClientOut(BaseModel):
    """A registered system."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    kind: Kind
    organisation: str
    scopes: list[str]
    regions: list[str]
    la_codes: list[str]
    trust_uid: str | None
    urns: list[str]
    authentication: Annotated[list[str], Field(examples=[["private_key_jwt"]])]
    jwks: list[dict[str, str]] | None
    former_secret_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None


class NewClientOut(ClientOut):
    """A system just registered, or its new secret, which is shown this once; without one if it has public keys."""

    client_secret: str | None = None


class SecretIn(Body):
    """A new secret to make."""

    overlap_days: Overlap = 7


class KeyIn(Body):
    """An API key to make for a trust's finance team."""

    name: Text = "finance team"
    trust_uid: Uid
    scopes: Scopes
    environment: Annotated[Environment, Field(strict=False, description="A test key sees no row and changes none")] = (
        Environment.LIVE
    )
    networks: Networks = []
    expires_in_days: Days = 365


class RotationIn(Body):
    """A key to put in the place of another."""

    overlap_days: Overlap = 7
    expires_in_days: Days = 365


class KeyOut(BaseModel):
    """An API key, as it can be shown: its first characters only."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    trust_uid: str
    environment: Environment
    scopes: list[str]
    networks: list[str]
    start: str
    expires_at: datetime
    created_at: datetime
    created_by: dict[str, Any]
    last_used_at: Annotated[datetime | None, Field(description="The hour in which it was last used")]
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """An API key just made, which is shown this once."""

    key: str


class ClientPage(BaseModel):
    """All registered systems."""

    data: list[ClientOut]
    paging: Paging


class KeyPage(BaseModel):
    """API keys, as they can be shown."""

    data: list[KeyOut]
    paging: Paging
