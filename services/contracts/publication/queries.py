"""Every SELECT on published releases. What is published is public: no caller's bounds apply."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import OcdsRelease


async def releases_of(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[OcdsRelease]:
    """The releases of contracts, in the order of their publication."""
    statement = select(OcdsRelease).where(col(OcdsRelease.contract_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(OcdsRelease.version))))


async def releases_under(session: AsyncSession, ocid: str) -> list[OcdsRelease]:
    """The releases of a contracting process, in the order of their publication."""
    statement = select(OcdsRelease).where(OcdsRelease.ocid == ocid)
    return list(await session.exec(statement.order_by(col(OcdsRelease.version))))


async def releases_page(
    session: AsyncSession, *, since: datetime | None, after: int | None, limit: int
) -> list[OcdsRelease]:
    """Releases after a place, oldest first."""
    statement = select(OcdsRelease).order_by(col(OcdsRelease.position)).limit(limit)
    if since is not None:
        statement = statement.where(col(OcdsRelease.published_at) >= since)
    if after is not None:
        statement = statement.where(col(OcdsRelease.position) > after)
    return list(await session.exec(statement))
