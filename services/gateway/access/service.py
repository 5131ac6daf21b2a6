"""Registering clients and keys, replacing what they prove themselves by, and ending them."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.access import queries
from services.gateway.access.schemas import ClientIn, KeyIn, KeySetIn, RotationIn
from services.gateway.credentials import ApiKey, Client
from services.gateway.log.service import append_leaf
from services.gateway.models import Event
from services.gateway.rules.client_keys import usable
from services.gateway.rules.facts import issued, registered
from services.gateway.rules.networks import network
from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES, check_scopes
from services.gateway.rules.secrets import Environment, new_key, new_secret, shown_start, stored
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.kernel.events import record
from services.kernel.types import Kind, uuid7

LIVE_KEYS = 2


class UnboundedClient(Unprocessable):
    """A client of this kind needs bounds that were not given."""

    code = "bounds_needed"
    title = "The client needs bounds"


class TooManyKeys(DomainError):
    """The trust has as many live keys as it may have."""

    code = "too_many_keys"
    title = "Two live keys at most"


class KeyNotLive(DomainError):
    """The key has ended; nothing can be put in its place."""

    code = "key_not_live"
    title = "The key has ended"


class NoSuchKind(Unprocessable):
    """Services prove themselves by their own keys and are no clients."""

    code = "no_such_kind"
    title = "A client cannot be of this kind"


class NoOtherProof(DomainError):
    """The client would be left with nothing to prove itself by."""

    code = "no_other_proof"
    title = "The client has nothing else to prove itself by"


def check_bounds(body: ClientIn) -> None:
    """Raise unless it is a kind of client, with the bounds that it needs."""
    if body.kind not in ALLOWED:
        raise NoSuchKind(f"A client is one of {', '.join(ALLOWED)}.")
    if body.kind is Kind.COMMISSIONER and not (body.regions or body.la_codes):
        raise UnboundedClient("A commissioner acts for regions or local authorities: give regions or la_codes.")
    if body.kind is Kind.SUPPLIER and not body.trust_uid:
        raise UnboundedClient("A supplier acts for a trust: give trust_uid.")
    if body.kind is Kind.RESPONSIBLE_BODY and not (body.urns or body.trust_uid):
        raise UnboundedClient("A responsible body acts for schools or a trust: give urns or trust_uid.")


async def register_client(
    session: AsyncSession, *, body: ClientIn, caller: Caller, now: datetime
) -> tuple[Client, str | None]:
    """A new client, and its secret, which is not kept; a client with public keys gets none."""
    check_bounds(body)
    check_scopes(body.scopes, ALLOWED[body.kind])
    secret = None if body.jwks else new_secret()
    slug = re.sub(r"[^a-z0-9]+", "-", body.name.lower()).strip("-") or "client"
    row = Client(
        id=f"{slug[:24]}-{uuid7().hex[-8:]}",
        organisation=body.organisation or slug[:100],
        jwks=usable(body.jwks.keys) if body.jwks else None,
        secret_hash=stored(secret) if secret else None,
        created_at=now,
        **body.model_dump(exclude={"organisation", "jwks"}),
    )
    session.add(row)
    await tell(session, row, "client.registered", caller, now, kind=row.kind, scopes=row.scopes, by=row.authentication)
    return row, secret


async def tell(session: AsyncSession, row: Client, event: str, caller: Caller, now: datetime, **facts: object) -> None:
    """Write event and leaf of what was done to a client; the leaf holds how the client stands after it."""
    said, private = registered(row)
    leaf = {**said, "by": caller.client_id}
    await append_leaf(session, kind=event, subject_id=uuid7(), facts=leaf, private=private, now=now)
    data = {"client_id": row.id, **facts}
    record(session, Event, kind=event, subject_id=uuid7(), actor=caller.actor(), data=data, now=now)


async def replace_secret(
    session: AsyncSession, *, client_id: str, overlap_days: int, caller: Caller, now: datetime
) -> tuple[Client, str]:
    """A new secret, which is not kept; the present one ends after the overlap, an older one now."""
    row = await queries.locked_client(session, client_id)
    secret, ends = new_secret(), now + timedelta(days=overlap_days)
    row.former_secret_hash, row.former_secret_until = (row.secret_hash, ends) if row.secret_hash else (None, None)
    row.secret_hash = stored(secret)
    await tell(session, row, "client.secret_replaced", caller, now, overlap_days=overlap_days)
    return row, secret


async def end_secrets(session: AsyncSession, *, row: Client, caller: Caller, now: datetime) -> None:
    """Take every secret from a client that has public keys to prove itself by; raises NoOtherProof for another."""
    if not row.jwks:
        raise NoOtherProof("Register the client's public keys first (PUT /v1/clients/{id}/jwks), or disable it.")
    if row.secret_hash is not None:
        row.secret_hash = row.former_secret_hash = row.former_secret_until = None
        await tell(session, row, "client.secret_ended", caller, now)


async def replace_client_keys(
    session: AsyncSession, *, row: Client, body: KeySetIn, caller: Caller, now: datetime
) -> Client:
    """Put these public keys in the place of all that the client has; the old ones serve no more."""
    row.jwks = usable(body.keys)
    await tell(session, row, "client.keys_replaced", caller, now, kids=[key["kid"] for key in row.jwks])
    return row


async def disable_client(session: AsyncSession, *, row: Client, caller: Caller, now: datetime) -> None:
    """Refuse the client and its tokens from now on."""
    if row.disabled_at is None:
        row.disabled_at = now
        await tell(session, row, "client.disabled", caller, now)


async def create_key(session: AsyncSession, *, body: KeyIn, caller: Caller, now: datetime) -> tuple[ApiKey, str]:
    """A new key for a trust's finance team; two may be live at once, so that one can replace the other."""
    check_scopes(body.scopes, KEY_SCOPES)
    if caller.kind is Kind.SUPPLIER and caller.trust_uid != body.trust_uid:
        raise NotFound("No such trust among yours.")
    await check_room(session, body.trust_uid, body.environment, now, "Revoke one of the trust's keys first.")
    made, key = fresh(
        name=body.name,
        trust_uid=body.trust_uid,
        scopes=body.scopes,
        environment=body.environment,
        networks=[network(each) for each in body.networks],
        expires_at=now + timedelta(days=body.expires_in_days),
        created_by=caller.actor(),
        created_at=now,
    )
    session.add(made)
    await tell_of_key(session, made, "api_key.created", caller, now, scopes=made.scopes, networks=made.networks)
    return made, key


async def check_room(session: AsyncSession, trust_uid: str, environment: str, now: datetime, advice: str) -> None:
    """Raise TooManyKeys when the trust has two live keys; holds others who ask until this transaction ends."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('keys:' || :uid, 0))")
    await session.execute(lock, {"uid": trust_uid})
    if await queries.live_keys(session, trust_uid, environment, now) >= LIVE_KEYS:
        raise TooManyKeys(advice)


def fresh(environment: str, **facts: Any) -> tuple[ApiKey, str]:
    """A row of a new key, and the key itself, which is not kept."""
    key = new_key(Environment(environment))
    return ApiKey(environment=environment, start=shown_start(key), key_hash=stored(key), **facts), key


async def tell_of_key(
    session: AsyncSession, row: ApiKey, kind: str, caller: Caller, now: datetime, **facts: object
) -> None:
    """Write event and leaf of what was done to a key, their subject; the leaf holds how the key stands after it."""
    said, private = issued(row)
    leaf = {**said, "by": caller.client_id}
    await append_leaf(session, kind=kind, subject_id=row.id, facts=leaf, private=private, now=now)
    data = {"trust_uid": row.trust_uid, "environment": row.environment, **facts}
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=data, now=now)


async def rotate_key(
    session: AsyncSession, *, key_id: UUID, body: RotationIn, caller: Caller, now: datetime
) -> tuple[ApiKey, str]:
    """A new key with the same rights; the old one ends after the overlap.

    Where two keys are live there is no room for an overlap: the old one must end at once, and is not ended so unless
    that was asked for.
    """
    old = await queries.key(session, key_id, lock=True)
    if old.revoked_at is not None or old.expires_at <= now:
        raise KeyNotLive("Create a new key instead.")
    if body.overlap_days:
        advice = "The trust has two live keys: send overlap_days 0, so that this one ends at once, or revoke the other."
        await check_room(session, old.trust_uid, old.environment, now, advice)
    made, key = fresh(
        **old.model_dump(include={"name", "trust_uid", "scopes", "environment", "networks"}),
        expires_at=now + timedelta(days=body.expires_in_days),
        created_by=caller.actor(),
        created_at=now,
    )
    session.add(made)
    old.expires_at = min(old.expires_at, now + timedelta(days=body.overlap_days))
    if not body.overlap_days:
        old.revoked_at = now
    await tell_of_key(session, old, "api_key.replaced", caller, now, replaced_by=made.id, ends_at=old.expires_at)
    await tell_of_key(session, made, "api_key.rotated", caller, now, replaces=old.id, old_ends_at=old.expires_at)
    return made, key


async def revoke_key(session: AsyncSession, *, row: ApiKey, caller: Caller, now: datetime) -> None:
    """Refuse the key from now on."""
    if row.revoked_at is None:
        row.revoked_at = now
        await tell_of_key(session, row, "api_key.revoked", caller, now)
