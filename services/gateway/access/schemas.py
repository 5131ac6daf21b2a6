"""Bodies about clients, API keys and tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.kernel.bodies import Body, Paging, Text
from services.kernel.types import Kind

Scope = Annotated[str, Field(max_length=40)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=20, examples=[["contracts:read", "finance:read"]])]
Uid = Annotated[str, Field(pattern=r"^[0-9]{1,10}$", description="GIAS group UID of a trust")]


class ClientIn(Body):
    """A system to register, with the bounds of what it may see."""

    name: Text
    kind: Annotated[
        Kind, Field(strict=False, json_schema_extra={"enum": ["commissioner", "dfe", "supplier", "responsible_body"]})
    ]
    organisation: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")] | None = None
    scopes: Scopes
    regions: Annotated[list[Text], Field(max_length=20)] = []
    la_codes: Annotated[list[Annotated[str, Field(pattern=r"^[0-9]{3}$")]], Field(max_length=400)] = []
    trust_uid: Uid | None = None
    urns: Annotated[list[Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")]], Field(max_length=1000)] = []


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
    created_at: datetime
    disabled_at: datetime | None


class NewClientOut(ClientOut):
    """A system just registered, with its secret, which is shown this once."""

    client_secret: str


class KeyIn(Body):
    """An API key to make for a trust's finance team."""

    name: Text = "finance team"
    trust_uid: Uid
    scopes: Scopes
    expires_in_days: Annotated[int, Field(ge=1, le=366)] = 366


class KeyOut(BaseModel):
    """An API key, as it can be shown: its first characters only."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    trust_uid: str
    scopes: list[str]
    start: str
    expires_at: datetime
    created_at: datetime
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


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class Token(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int
    scope: str
