"""Proof of who calls: a bearer token, or an API key in a header, and never both."""

import base64
import binascii
import hmac
from datetime import UTC, datetime

from fastapi import Request

from services.gateway.access import queries
from services.gateway.access.service import caller_of_client, caller_of_key
from services.gateway.rules.secrets import stored, well_formed
from services.kernel.auth import Authenticate, Caller, Signer, Verifier, service_caller
from services.kernel.db import Database
from services.kernel.errors import BadRequest, Unauthenticated

TOKEN_SECONDS = 600
AUDIENCE = "ringfence"
SELF = service_caller("gateway")


class TwoCredentials(BadRequest):
    """A request proves itself in one way only."""

    code = "invalid_request"
    title = "Two credentials in one request"


def authenticator(database: Database, verifier: Verifier) -> Authenticate:
    """How the gateway proves its callers. Security runs on real time, whatever the clock of a demonstration says."""

    async def authenticate(request: Request) -> Caller:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        key = request.headers.get("x-api-key") or (value if scheme.lower() == "apikey" else None)
        if key and scheme.lower() == "bearer":
            raise TwoCredentials("Send either a bearer token or an API key.")
        if key:
            return await by_key(key)
        if scheme.lower() == "bearer":
            return await by_token(value)
        raise Unauthenticated("Send a bearer token, or an API key in x-api-key.")

    async def by_key(key: str) -> Caller:
        if not well_formed(key):
            raise Unauthenticated("The API key is not valid.")
        async with database.transaction(SELF) as session:
            row = await queries.key_by_hash(session, stored(key))
        if row is None or row.revoked_at is not None or row.expires_at <= datetime.now(UTC):
            raise Unauthenticated("The API key is not valid.")
        return caller_of_key(row)

    async def by_token(token: str) -> Caller:
        claims = verifier.claims(token, "at+jwt", AUDIENCE)
        async with database.transaction(SELF) as session:
            row = await queries.client(session, str(claims.get("client_id")))
        if row is None or row.disabled_at is not None:
            raise Unauthenticated("The token is not valid.")
        return caller_of_client(row, frozenset(str(claims.get("scope", "")).split()))

    return authenticate


class TokenRefused(Exception):
    """The token endpoint's own errors (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.body = status, {"error": error, "error_description": description}


async def issue_token(
    *, database: Database, signer: Signer, authorization: str, form: dict[str, str]
) -> tuple[str, str]:
    """A signed access token (RFC 9068) and its scope for a client that proves itself by its secret."""
    if form.get("grant_type") != "client_credentials":
        raise TokenRefused(400, "unsupported_grant_type", "Only client_credentials is offered.")
    client_id, secret = basic(authorization)
    async with database.transaction(SELF) as session:
        row = await queries.client(session, client_id)
    known = row.secret_hash if row else stored("nobody")
    if not hmac.compare_digest(known, stored(secret)) or row is None or row.disabled_at is not None:
        raise TokenRefused(401, "invalid_client", "The client is not known, or its secret is wrong.")
    asked = form.get("scope", "").split() or row.scopes
    if not set(asked) <= set(row.scopes):
        raise TokenRefused(400, "invalid_scope", "The client was not given all of these scopes.")
    scope = " ".join(sorted(asked))
    claims = {"client_id": row.id, "scope": scope}
    return signer.sign("at+jwt", AUDIENCE, row.id, TOKEN_SECONDS, claims), scope


def basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of HTTP Basic; raises TokenRefused for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise TokenRefused(401, "invalid_client", "The Authorization header is not HTTP Basic.") from error
    if scheme.lower() != "basic" or not colon or "\x00" in client_id:
        raise TokenRefused(401, "invalid_client", "Send client id and secret as HTTP Basic.")
    return client_id, secret
