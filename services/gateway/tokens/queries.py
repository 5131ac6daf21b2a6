"""Every SELECT about clients that prove themselves, and about their tokens."""

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.credentials import Client, RevokedToken


async def client(session: AsyncSession, client_id: str) -> Client | None:
    """The client with this id, unless it is disabled."""
    row = await session.get(Client, client_id)
    return row if row is not None and row.disabled_at is None else None


async def is_revoked(session: AsyncSession, jti: str) -> bool:
    """Whether the token was revoked."""
    return await session.get(RevokedToken, jti) is not None
