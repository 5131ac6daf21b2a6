"""Registering clients and keys, and proving callers."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.access import queries
from services.gateway.access.schemas import ClientIn, KeyIn
from services.gateway.credentials import ApiKey, Client
from services.gateway.log.service import append_leaf
from services.gateway.models import Event
from services.gateway.rules.facts import issued, registered
from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES, check_scopes
from services.gateway.rules.secrets import new_key, new_secret, stored
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.kernel.events import record
from services.kernel.types import Kind, uuid7

LIVE_KEYS = 2
ROTATION_OVERLAP = timedelta(days=7)


class UnboundedClient(Unprocessable):
    """A client of this kind needs bounds that were not given."""

    code = "bounds_needed"
    title = "The client needs bounds"


class TooManyKeys(DomainError):
    """The trust has as many live keys as it may have."""

    code = "too_many_keys"
    title = "Two live keys at most"


class NoSuchKind(Unprocessable):
    """Services prove themselves by their own keys and are no clients."""

    code = "no_such_kind"
    title = "A client cannot be of this kind"


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
) -> tuple[Client, str]:
    """A new client and its secret, which is not kept."""
    check_bounds(body)
    check_scopes(body.scopes, ALLOWED[body.kind])
    secret = new_secret()
    slug = re.sub(r"[^a-z0-9]+", "-", body.name.lower()).strip("-") or "client"
    facts = body.model_dump(exclude={"organisation"})
    row = Client(
        id=f"{slug[:24]}-{uuid7().hex[-8:]}",
        organisation=body.organisation or slug,
        secret_hash=stored(secret),
        created_at=now,
        **facts,
    )
    session.add(row)
    said, private = registered(row)
    await append_leaf(session, kind="client.registered", subject_id=uuid7(), facts=said, private=private, now=now)
    data = {"client_id": row.id, "kind": row.kind, "scopes": row.scopes}
    record(session, Event, kind="client.registered", subject_id=uuid7(), actor=caller.actor(), data=data, now=now)
    return row, secret


async def disable_client(session: AsyncSession, *, client_id: str, caller: Caller, now: datetime) -> Client:
    """Refuse the client and its tokens from now on."""
    row = await queries.client(session, client_id)
    if row is None:
        raise NotFound("No such client.")
    if row.disabled_at is None:
        row.disabled_at = now
        data = {"client_id": row.id}
        leaf = {**data, "disabled_at": now, "by": caller.client_id}
        await append_leaf(session, kind="client.disabled", subject_id=uuid7(), facts=leaf, now=now)
        record(session, Event, kind="client.disabled", subject_id=uuid7(), actor=caller.actor(), data=data, now=now)
    return row


async def create_key(session: AsyncSession, *, body: KeyIn, caller: Caller, now: datetime) -> tuple[ApiKey, str]:
    """A new key for a trust's finance team; two may be live at once, so that one can replace the other."""
    check_scopes(body.scopes, KEY_SCOPES)
    if caller.kind is Kind.SUPPLIER and caller.trust_uid != body.trust_uid:
        raise NotFound("No such trust among yours.")
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('keys:' || :uid, 0))")
    await session.execute(lock, {"uid": body.trust_uid})
    if await queries.live_keys(session, body.trust_uid, now) >= LIVE_KEYS:
        raise TooManyKeys("Revoke one of the trust's keys first.")
    key = new_key()
    row = ApiKey(
        id=uuid7(),
        name=body.name,
        trust_uid=body.trust_uid,
        scopes=body.scopes,
        start=key[:17],
        key_hash=stored(key),
        expires_at=now + timedelta(days=body.expires_in_days),
        created_by=caller.actor(),
        created_at=now,
    )
    session.add(row)
    await session.flush()
    said, private = issued(row)
    leaf = {**said, "expires_at": row.expires_at}
    await append_leaf(session, kind="api_key.created", subject_id=row.id, facts=leaf, private=private, now=now)
    data = {"trust_uid": row.trust_uid, "scopes": row.scopes}
    record(session, Event, kind="api_key.created", subject_id=row.id, actor=caller.actor(), data=data, now=now)
    return row, key


async def rotate_key(session: AsyncSession, *, key_id: UUID, caller: Caller, now: datetime) -> tuple[ApiKey, str]:
    """A new key with the same rights; the old one ends within seven days."""
    old = await queries.locked_key(session, key_id)
    body = KeyIn(name=old.name, trust_uid=old.trust_uid, scopes=old.scopes)
    made = await create_key(session, body=body, caller=caller, now=now)
    old.expires_at = min(old.expires_at, now + ROTATION_OVERLAP)
    leaf = {"key_id": old.id, "expires_at": old.expires_at, "replaced_by": made[0].id, "by": caller.client_id}
    await append_leaf(session, kind="api_key.replaced", subject_id=old.id, facts=leaf, now=now)
    return made


async def revoke_key(session: AsyncSession, *, key_id: UUID, caller: Caller, now: datetime) -> None:
    """Refuse the key from now on."""
    row = await queries.locked_key(session, key_id)
    if row.revoked_at is None:
        row.revoked_at = now
        data = {"trust_uid": row.trust_uid}
        leaf = {"key_id": row.id, "revoked_at": now, "by": caller.client_id}
        await append_leaf(session, kind="api_key.revoked", subject_id=row.id, facts=leaf, now=now)
        record(session, Event, kind="api_key.revoked", subject_id=row.id, actor=caller.actor(), data=data, now=now)


def caller_of_client(row: Client, scopes: frozenset[str]) -> Caller:
    """The caller that a client's token stands for."""
    return Caller(
        client_id=row.id,
        name=row.name,
        kind=Kind(row.kind),
        organisation=row.organisation,
        scopes=scopes,
        regions=tuple(row.regions),
        la_codes=tuple(row.la_codes),
        trust_uid=row.trust_uid,
        urns=tuple(row.urns),
    )


def caller_of_key(row: ApiKey) -> Caller:
    """The caller that an API key stands for: a trust's finance team."""
    return Caller(
        client_id=f"key:{row.id}",
        name=row.name,
        kind=Kind.SUPPLIER,
        organisation=f"trust-{row.trust_uid}",
        scopes=frozenset(row.scopes),
        trust_uid=row.trust_uid,
    )
