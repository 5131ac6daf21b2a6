"""Every SELECT about clients and keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.credentials import ApiKey, Client
from services.kernel.errors import NotFound


async def client(session: AsyncSession, client_id: str) -> Client | None:
    """The client with this id."""
    return await session.get(Client, client_id)


async def clients(session: AsyncSession) -> list[Client]:
    """All clients by name."""
    return list(await session.exec(select(Client).order_by(col(Client.name), col(Client.id))))


async def key_by_hash(session: AsyncSession, key_hash: str) -> ApiKey | None:
    """The key whose hash this is."""
    return (await session.exec(select(ApiKey).where(ApiKey.key_hash == key_hash))).one_or_none()


async def keys(session: AsyncSession) -> list[ApiKey]:
    """All keys that the caller may see, newest first."""
    return list(await session.exec(select(ApiKey).order_by(col(ApiKey.id).desc())))


async def locked_key(session: AsyncSession, key_id: UUID) -> ApiKey:
    """The key, locked; raises NotFound when it is not the caller's to see."""
    found = (await session.exec(select(ApiKey).where(ApiKey.id == key_id).with_for_update())).one_or_none()
    if found is None:
        raise NotFound("No such API key.")
    return found


async def live_keys(session: AsyncSession, trust_uid: str, now: datetime) -> int:
    """How many keys of the trust work now."""
    statement = select(func.count()).where(
        ApiKey.trust_uid == trust_uid, col(ApiKey.revoked_at).is_(None), col(ApiKey.expires_at) > now
    )
    return (await session.exec(statement)).one()
