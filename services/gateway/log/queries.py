"""Every SELECT about leaves and the tree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.logbook import Leaf, LogEntry, SignedCheckpoint
from services.gateway.rules import tree
from services.kernel.errors import NotFound


class IncompleteTree(RuntimeError):
    """A node of the tree is not there: somebody has taken it away; `ringfence log verify` says what else is missing."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A leaf that has no place in the tree yet."""

    id: int
    leaf_hash: str


async def oldest_running(session: AsyncSession) -> int:
    """The oldest transaction that is running: whatever an older one wrote can be seen by the next statement."""
    statement = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return int((await session.execute(statement)).scalar_one())


async def not_integrated(session: AsyncSession, txid: int, limit: int) -> list[Fresh]:
    """Leaves of this and later transactions that have no place in the tree, in the order of their writing."""
    statement = (
        select(Leaf.id, Leaf.leaf_hash)
        .outerjoin(LogEntry, col(LogEntry.leaf_id) == Leaf.id)
        .where(Leaf.txid >= txid, col(LogEntry.index).is_(None))
        .order_by(col(Leaf.id))
        .limit(limit)
    )
    return [Fresh(leaf_id, digest) for leaf_id, digest in await session.exec(statement)]


async def tree_size(session: AsyncSession) -> int:
    """How many leaves the tree has."""
    last = (await session.exec(select(func.max(LogEntry.index)))).one()
    return 0 if last is None else last + 1


async def latest_checkpoint(session: AsyncSession) -> SignedCheckpoint | None:
    """What the log said of itself last."""
    statement = select(SignedCheckpoint).order_by(col(SignedCheckpoint.size).desc()).limit(1)
    return (await session.exec(statement)).one_or_none()


async def signed_size(session: AsyncSession) -> int:
    """How many leaves the tree had when it was signed last."""
    return (await session.exec(select(func.coalesce(func.max(SignedCheckpoint.size), 0)))).one()


async def nodes(session: AsyncSession, wanted: Iterable[tree.Node]) -> dict[tree.Node, bytes]:
    """The hashes of these nodes."""
    asked = list(wanted)
    statement = text(
        "SELECT asked.level, asked.index, coalesce(n.hash, e.leaf_hash)"
        " FROM unnest(CAST(:levels AS int[]), CAST(:indexes AS bigint[])) AS asked (level, index)"
        " LEFT JOIN gateway.log_node n ON n.level = asked.level AND n.index = asked.index"
        " LEFT JOIN gateway.log_entry e ON asked.level = 0 AND e.index = asked.index"
    )
    places = {"levels": [level for level, _ in asked], "indexes": [index for _, index in asked]}
    found = {(level, index): digest for level, index, digest in await session.execute(statement, places)}
    if missing := [node for node, digest in found.items() if digest is None]:
        raise IncompleteTree(f"Nodes of the log are missing, level and index: {missing[:5]}.")
    return found


async def hashes(session: AsyncSession, spans: Sequence[tree.Span]) -> list[bytes]:
    """The hash of each span, from the stored nodes that they are made of."""
    stored = await nodes(session, tree.needed(spans))
    return [tree.span_hash(span, stored.__getitem__) for span in spans]


async def index_of(session: AsyncSession, leaf_hash: bytes) -> int:
    """The place of the leaf with this hash, the first where there are several; raises NotFound."""
    statement = select(func.min(LogEntry.index)).where(LogEntry.leaf_hash == leaf_hash)
    found = (await session.exec(statement)).one()
    if found is None:
        raise NotFound("No leaf of the log has this hash; a new one comes into the log within a second.")
    return int(found)


async def entries(session: AsyncSession, start: int, end: int) -> list[tuple[LogEntry, bytes | None, str | None]]:
    """Entries from a place up to but not including another; data and salt where the caller may see the leaf."""
    statement = (
        select(LogEntry, Leaf.data, Leaf.salt)
        .outerjoin(Leaf, col(Leaf.id) == LogEntry.leaf_id)
        .where(LogEntry.index >= start, LogEntry.index < end)
        .order_by(col(LogEntry.index))
    )
    return [(entry, data, salt) for entry, data, salt in await session.exec(statement)]
