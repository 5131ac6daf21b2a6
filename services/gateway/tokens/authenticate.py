"""How a client proves itself to the token endpoint: by its secret in HTTP Basic, or by an assertion that it signed."""

import base64
import binascii
import hmac
import json
import re
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.credentials import Client, SpentAssertion
from services.gateway.rules.secrets import stored
from services.gateway.rules.tokens import ASSERTION_SIZE, ASSERTION_TYPES, bad_request, check_assertion, invalid_client
from services.gateway.tokens import queries
from services.kernel.errors import Unauthenticated
from services.kernel.tokens import loaded, opened

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_ID = re.compile(r"[a-z0-9-]{1,40}")


def fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form, each once; raises TokenRefused for anything else."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise bad_request("Send a form: application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=20, errors="strict")
    except ValueError as error:
        raise bad_request("The form cannot be read.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise bad_request("A field of the form comes twice.")
    return found


async def proven_client(
    session: AsyncSession, *, shown: list[str], form: Mapping[str, str], audiences: Collection[str]
) -> Client:
    """The client that has proved itself, by its Authorization headers or its form; raises TokenRefused.

    An assertion that is used again is refused, on every replica: it is kept until it would have expired.
    """
    asserted = "client_assertion" in form or "client_assertion_type" in form
    if "client_secret" in form:
        raise bad_request("Send the client secret as HTTP Basic; a secret in the form is not taken.")
    if len(shown) + asserted > 1:
        raise bad_request("Prove the client in one way only: HTTP Basic or an assertion.")
    if asserted:
        return await by_assertion(session, form, audiences)
    if not shown:
        raise invalid_client("Send client id and secret as HTTP Basic, or a client_assertion.")
    client_id, secret = basic(shown[0])
    if form.get("client_id", client_id) != client_id:
        raise bad_request("The form names another client than the Authorization header.")
    row = await queries.client(session, client_id) if CLIENT_ID.fullmatch(client_id) else None
    if not knows(row, secret, datetime.now(UTC)) or row is None:
        raise invalid_client()
    return row


def basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of HTTP Basic; raises TokenRefused for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise invalid_client("The Authorization header is not HTTP Basic.") from error
    if scheme.lower() != "basic" or not colon:
        raise invalid_client("Send client id and secret as HTTP Basic, or a client_assertion.")
    return client_id, secret


def knows(row: Client | None, secret: str, now: datetime) -> bool:
    """Whether this is the client's secret, or the one before it in its last days; takes as long for either and none."""
    given = stored(secret)
    former = row.former_secret_hash if row and row.former_secret_until and row.former_secret_until > now else None
    kept = (row.secret_hash if row else None, former)
    return sum(hmac.compare_digest(given, each or stored("nobody")) and each is not None for each in kept) > 0


async def by_assertion(session: AsyncSession, form: Mapping[str, str], audiences: Collection[str]) -> Client:
    """The client that signed the assertion of the form (RFC 7523); raises TokenRefused."""
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
        raise bad_request(f"Send client_assertion with client_assertion_type {ASSERTION_TYPE}")
    client_id = form.get("client_id") or named_in(assertion)
    row = await queries.client(session, client_id) if CLIENT_ID.fullmatch(client_id) else None
    if row is None or not row.jwks:
        raise invalid_client()
    claims = signed_by(row, assertion)
    check_assertion(claims, client_id=row.id, audiences=audiences, now=time.time())
    spent = {"client_id": row.id, "jti": claims["jti"], "expires_at": datetime.fromtimestamp(claims["exp"] + 60, UTC)}
    once = insert(SpentAssertion).values(spent).on_conflict_do_nothing().returning(col(SpentAssertion.jti))
    if (await session.execute(once)).first() is None:
        raise invalid_client("The assertion was used before; sign a new one, with a jti of its own, for each request.")
    return row


def named_in(assertion: str) -> str:
    """The client that an assertion names as its subject, before anything of it is believed; empty for none."""
    try:
        _, body, _ = assertion.split(".")
        claims: Any = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return str(claims["sub"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def signed_by(row: Client, assertion: str) -> dict[str, Any]:
    """What the client asserts, under one of its own keys with that key's one algorithm; raises TokenRefused."""
    keys = {key["kid"]: key for key in row.jwks or ()}

    def find(header: Mapping[str, str]) -> tuple[Any, str]:
        if header.get("typ") not in ASSERTION_TYPES:
            raise LookupError("another kind of token")
        key = keys[header["kid"]] if "kid" in header or len(keys) > 1 else next(iter(keys.values()))
        if header["alg"] != key["alg"]:
            raise LookupError("another algorithm")
        return loaded(key, key["alg"]), row.id

    try:
        return opened(assertion, ASSERTION_SIZE, find)
    except Unauthenticated as error:
        raise invalid_client(
            "The assertion is not a JWT of this client: look at its key (kid, alg), its claims (iss, sub, aud, exp,"
            " iat, jti) and its header (alg, typ, kid and nothing else)."
        ) from error
