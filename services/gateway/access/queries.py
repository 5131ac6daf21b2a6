"""Every SELECT about clients and keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.credentials import ApiKey, Client
from services.gateway.wire import Wire
from services.kernel.errors import NotFound

Json = dict[str, Any]
CLIENTS_STANDING = "SELECT * FROM gateway.clients_standing(%(client_ids)s::text[], %(jtis)s::text[])"
KEY_STANDING = "SELECT * FROM gateway.key_standing(%(key_hash)s)"


async def clients_standing(wire: Wire, tokens: Sequence[tuple[str, str]]) -> list[Json | None]:
    """The clients of tokens (client id and jti), unless disabled or revoked: one round trip, true on every replica."""
    client_ids, jtis = zip(*tokens, strict=True)
    found = await wire.rows(CLIENTS_STANDING, {"client_ids": list(client_ids), "jtis": list(jtis)})
    by_place = {row.pop("place"): row for row in found}
    return [by_place.get(place) for place in range(1, len(tokens) + 1)]


async def key_standing(wire: Wire, key_hash: str) -> Json | None:
    """The key whose hash this is, unless it was revoked or has expired."""
    return next(iter(await wire.rows(KEY_STANDING, {"key_hash": key_hash})), None)


async def client(session: AsyncSession, client_id: str) -> Client:
    """The client with this id; raises NotFound."""
    return known(await session.get(Client, client_id))


async def locked_client(session: AsyncSession, client_id: str) -> Client:
    """The client with this id, locked; raises NotFound."""
    return known((await session.exec(select(Client).where(Client.id == client_id).with_for_update())).one_or_none())


def known(row: Client | None) -> Client:
    """The client that was found; raises NotFound where none was."""
    if row is None:
        raise NotFound("No such client.")
    return row


async def clients(session: AsyncSession) -> list[Client]:
    """All clients by name."""
    return list(await session.exec(select(Client).order_by(col(Client.name), col(Client.id))))


async def keys(session: AsyncSession) -> list[ApiKey]:
    """All keys that the caller may see, newest first."""
    return list(await session.exec(select(ApiKey).order_by(col(ApiKey.id).desc())))


async def key(session: AsyncSession, key_id: UUID, *, lock: bool = False) -> ApiKey:
    """The key, locked if it is to be changed; raises NotFound when it is not the caller's to see."""
    statement = select(ApiKey).where(ApiKey.id == key_id)
    found = (await session.exec(statement.with_for_update() if lock else statement)).one_or_none()
    if found is None:
        raise NotFound("No such API key.")
    return found


async def live_keys(session: AsyncSession, trust_uid: str, environment: str, now: datetime) -> int:
    """How many keys of the trust work now, of those for the work or of those for trying out."""
    statement = select(func.count()).where(
        ApiKey.trust_uid == trust_uid,
        ApiKey.environment == environment,
        col(ApiKey.revoked_at).is_(None),
        col(ApiKey.expires_at) > now,
    )
    return (await session.exec(statement)).one()
