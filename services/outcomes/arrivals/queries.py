"""The bytes of releases, and releases by where they came from."""

import asyncio
import hashlib
import zlib
from uuid import UUID

from isal import isal_zlib
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.errors import NotFound
from services.outcomes.models import Release, ReleaseFile
from services.outcomes.rules.releases import Status

PACKING = "zlib"
FAST = 1
"""The level of packing at which a file of 60 MB takes less time to pack than to write."""


def pack(content: bytes) -> tuple[str, bytes]:
    """The digest (SHA-256) of a file, and its bytes as they are kept. Other threads go on meanwhile."""
    return hashlib.sha256(content).hexdigest(), isal_zlib.compress(content, FAST)


async def locked_release(session: AsyncSession, release_id: UUID) -> Release:
    """The release, locked until the end of the transaction, as it stands now."""
    statement = select(Release).where(Release.id == release_id).with_for_update()
    found = (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("No such release.")
    return found


async def content(session: AsyncSession, release_id: UUID) -> bytes:
    """The bytes of the release's file."""
    statement = select(ReleaseFile.content, ReleaseFile.packing).where(ReleaseFile.release_id == release_id)
    kept, packing = (await session.exec(statement)).one()
    return await asyncio.to_thread(zlib.decompress, kept) if packing == PACKING else kept


async def fetched_before(session: AsyncSession, feed: str, source_url: str) -> Release | None:
    """The latest release of a feed from an address whose file could be read."""
    read = col(Release.status).in_([Status.CURRENT, Status.SUPERSEDED])
    same = (Release.feed == feed, Release.source_url == source_url, read)
    return (await session.exec(select(Release).where(*same).order_by(col(Release.number).desc()).limit(1))).first()
