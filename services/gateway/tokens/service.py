"""Issuing tokens, revoking them, and telling what is known of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.credentials import Client, RevokedToken
from services.gateway.models import Event
from services.gateway.rules.tokens import AUDIENCE, TokenRefused, bad_request
from services.gateway.tokens import queries
from services.kernel.errors import Unauthenticated
from services.kernel.events import record
from services.kernel.tokens import ACCESS, Signer, Verifier
from services.kernel.types import Kind, uuid7


def issue(signer: Signer, client: Client, form: Mapping[str, str]) -> tuple[str, str]:
    """A signed access token (RFC 9068) for a proven client, and its scope; raises TokenRefused."""
    if "grant_type" not in form:
        raise bad_request("Send grant_type=client_credentials.")
    if form["grant_type"] != "client_credentials":
        raise TokenRefused(400, "unsupported_grant_type", "Only client_credentials is offered.")
    asked = form.get("scope", "").split() or client.scopes
    if not set(asked) <= set(client.scopes):
        raise TokenRefused(400, "invalid_scope", "The client was not given all of these scopes.")
    scope = " ".join(sorted(set(asked)))
    return signer.sign(ACCESS, AUDIENCE, client.id, {"client_id": client.id, "scope": scope}), scope


async def revoke(
    session: AsyncSession, *, verifier: Verifier, issuer: str, client: Client, token: str, now: datetime
) -> None:
    """Refuse one of the client's own tokens from now on, by its jti; a token that is nobody's or another's is left."""
    claims = known(verifier, issuer, token)
    if claims is None or claims["sub"] != client.id:
        return
    expires = datetime.fromtimestamp(claims["exp"], UTC)
    row = {"jti": claims["jti"], "client_id": client.id, "revoked_at": now, "expires_at": expires}
    once = insert(RevokedToken).values(row).on_conflict_do_nothing().returning(col(RevokedToken.jti))
    if (await session.execute(once)).first() is not None:
        facts = {"client_id": client.id, "name": client.name, "kind": client.kind, "organisation": client.organisation}
        data = {"client_id": client.id, "jti": claims["jti"]}
        record(session, Event, kind="token.revoked", subject_id=uuid7(), actor=facts, data=data, now=now)


async def introspect(
    session: AsyncSession, *, verifier: Verifier, issuer: str, client: Client, token: str
) -> dict[str, Any]:
    """What is known of a token (RFC 7662): a client is told of its own tokens, DfE of all; of others nothing."""
    claims = known(verifier, issuer, token)
    if claims is None or (claims["sub"] != client.id and client.kind != Kind.DFE):
        return {"active": False}
    owner = await queries.client(session, claims["sub"])
    if owner is None or await queries.is_revoked(session, claims["jti"]):
        return {"active": False}
    return {"active": True, "token_type": "Bearer", **claims}


def known(verifier: Verifier, issuer: str, token: str) -> dict[str, Any] | None:
    """The claims of a token that this installation gave and whose time has not passed."""
    try:
        return verifier.claims(token, ACCESS, AUDIENCE, issuer)
    except Unauthenticated:
        return None
