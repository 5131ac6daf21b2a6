"""Proof of who calls: a bearer token, or an API key in a header, and never both.

A token's signature is checked once and remembered; whether the token and its client, or the key, still stand is asked
of the database at every request, so that what was ended is refused at once by every replica; of all tokens that come
while it is being asked, in one statement.
"""

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import structlog
from fastapi import Request
from sqlalchemy import text

from services.gateway.access import queries
from services.gateway.access.remembered import Tokens
from services.gateway.beliefs import Belief
from services.gateway.rules.networks import Network, came_from, inside, networks
from services.gateway.rules.secrets import KEY, Environment, environment_of, stored, well_formed
from services.gateway.together import Together
from services.gateway.wire import Wire
from services.kernel.auth import Authenticate, Caller, service_caller
from services.kernel.db import Database
from services.kernel.errors import BadRequest, Forbidden, Unauthenticated
from services.kernel.types import Kind

SELF = service_caller("gateway")
READING = frozenset({"GET", "HEAD"})
MISPLACED = frozenset({"api_key", "apikey", "x-api-key", "access_token", "client_secret", "client_assertion"})
"""Names under which secrets are sent where they do not belong."""
ASKED_TOGETHER, ROUNDS = 128, 2
USED = text(
    "UPDATE gateway.api_key SET last_used_at = :hour WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :hour)"
)


class TwoCredentials(BadRequest):
    """A request proves itself in one way only."""

    code = "invalid_request"
    title = "Two credentials in one request"


class NotInAHeader(BadRequest):
    """A secret in the address or in a body ends up in logs and histories."""

    code = "invalid_request"
    title = "Credentials belong in a header"


class ReadsOnly(Forbidden):
    """A test key changes nothing."""

    code = "test_key"
    title = "A test key changes nothing"


class Uses:
    """Notes the hour in which a key was last used: in the background, and once an hour, not at every request."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.noting: dict[UUID, asyncio.Task[None]] = {}

    def note(self, key_id: UUID, last: datetime | None) -> None:
        """Have it noted that the key is used now, if that is news."""
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        if (last is None or last < hour) and key_id not in self.noting:
            self.noting[key_id] = asyncio.create_task(self.write(key_id, hour))

    async def write(self, key_id: UUID, hour: datetime) -> None:
        """Note it; when the database cannot now, the next request tries again."""
        try:
            async with self.database.transaction(SELF) as session:
                await session.execute(USED, {"id": key_id, "hour": hour})
        except Exception as error:
            structlog.get_logger("ringfence").warning("use of a key not noted", error=type(error).__name__)
        finally:
            del self.noting[key_id]

    async def settle(self) -> None:
        """Wait for what is being noted."""
        await asyncio.gather(*self.noting.values())


def authenticator(wire: Wire, tokens: Tokens, uses: Uses, proxies: Sequence[Network]) -> Authenticate:
    """How the gateway proves its callers. Security runs on real time, whatever the clock of a demonstration says."""
    standing = Together(partial(queries.clients_standing, wire), most=ASKED_TOGETHER, rounds=ROUNDS)

    async def authenticate(request: Request) -> Caller:
        check_address(request)
        key, token = credentials(request)
        if key is not None:
            return await by_key(request, key)
        if token is not None:
            return await by_token(token)
        await check_body(request)
        raise Unauthenticated("Send a bearer token, or an API key in x-api-key.")

    async def by_key(request: Request, key: str) -> Caller:
        if not well_formed(key):
            raise Unauthenticated("The API key is not valid.")
        digest = stored(key)
        row = await queries.key_standing(wire, digest)
        right = hmac.compare_digest(digest, row["key_hash"] if row else stored("nobody"))
        if row is None or not right or row["environment"] != environment_of(key):
            raise Unauthenticated("The API key is not valid.")
        if row["networks"] and not inside(origin(request), networks(",".join(row["networks"]))):
            raise Unauthenticated("The API key is not valid.")
        uses.note(row["id"], row["last_used_at"])
        if row["environment"] == Environment.TEST and request.method not in READING:
            raise ReadsOnly("A test key reads only, and sees nobody's rows. Use a live key for the work itself.")
        return caller_of_key(row)

    def origin(request: Request) -> str:
        peer = request.client.host if request.client else ""
        return came_from(peer, request.headers.getlist("x-forwarded-for"), proxies)

    async def by_token(token: str) -> Caller:
        found = tokens.verified(token)
        return found.stands(await standing((found.claims["client_id"], found.claims["jti"])))

    return authenticate


def believed(request: Request, tokens: Tokens) -> Belief | None:
    """Whom a request comes from if all still is as the database said last; to be confirmed by what relies on it.

    Nothing where that was never asked. Raises what is wrong with the way in which a request proves itself.
    """
    check_address(request)
    _, token = credentials(request)
    found = tokens.remembered(token) if token is not None else None
    return found.belief if found else None


def credentials(request: Request) -> tuple[str | None, str | None]:
    """The API key or the token that a request shows in its headers; raises TwoCredentials for more than one."""
    shown = request.headers.getlist("authorization")
    keys = request.headers.getlist("x-api-key")
    if len(shown) + len(keys) > 1:
        raise TwoCredentials("Send either a bearer token or an API key, once.")
    if keys:
        return keys[0], None
    scheme, _, value = (shown[0] if shown else "").partition(" ")
    found = {"apikey": (value, None), "bearer": (None, value)}
    return found.get(scheme.lower(), (None, None))


def check_address(request: Request) -> None:
    """Raise NotInAHeader when a secret stands in the address."""
    query = request.scope["query_string"].decode("latin-1")
    if query and is_secret(query):
        raise NotInAHeader("Send a token as Authorization, an API key as x-api-key. Replace what was in the address.")


async def check_body(request: Request) -> None:
    """Raise NotInAHeader when a request without credentials has a secret in its form or JSON."""
    kind = request.headers.get("content-type", "")
    if kind.startswith(("application/json", "application/x-www-form-urlencoded")):
        body = (await request.body()).decode("latin-1")
        if KEY.search(body) or (kind.startswith("application/x-www") and is_secret(body)):
            raise NotInAHeader("Send a token as Authorization, an API key as x-api-key, not in the body.")


def is_secret(form: str) -> bool:
    """Whether fields of a form or an address hold a secret."""
    names = {name.lower() for name, _ in parse_qsl(form, keep_blank_values=True)}
    return bool(MISPLACED & names) or KEY.search(form) is not None


def caller_of_key(row: Mapping[str, Any]) -> Caller:
    """The caller that an API key stands for: a trust's finance team, or, with a test key, nobody who has any rows."""
    live = row["environment"] == Environment.LIVE
    return Caller(
        client_id=f"key:{row['id']}",
        name=row["name"],
        kind=Kind.SUPPLIER,
        organisation=f"trust-{row['trust_uid']}" if live else "test",
        scopes=frozenset(row["scopes"]),
        trust_uid=row["trust_uid"] if live else None,
    )
