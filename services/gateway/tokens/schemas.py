"""Answers about tokens, keys and the server that issues them."""

from typing import Annotated

from pydantic import BaseModel, Field


class Token(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="Seconds", examples=[600])]
    scope: Annotated[str, Field(examples=["contracts:read contracts:write"])]


class Refusal(BaseModel):
    """Why the token endpoint refused (RFC 6749, section 5.2)."""

    error: Annotated[str, Field(examples=["invalid_client"])]
    error_description: str


class Introspection(BaseModel):
    """What is known of a token (RFC 7662, section 2.2); of one that is not active, nothing more."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    token_type: str | None = None
    iss: str | None = None
    aud: str | None = None
    sub: str | None = None
    jti: str | None = None
    iat: int | None = None
    exp: int | None = None


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class Metadata(BaseModel):
    """What the server can do (RFC 8414)."""

    issuer: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_signing_alg_values_supported: list[str]
