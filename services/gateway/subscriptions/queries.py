"""Every SELECT and lock about announcements, subscriptions and deliveries."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.joining import Transfer
from services.gateway.models import ContractRef, Cursor
from services.gateway.subscribers import Announcement, Attempt, Dispatch, Subscription
from services.kernel.auth import Caller
from services.kernel.errors import NotFound

Delivery = tuple[Dispatch, Announcement | None]
CLAIM = text(
    "WITH due AS (SELECT l.* FROM gateway.subscription s CROSS JOIN LATERAL ("
    "  SELECT subscription_id, subject_id FROM gateway.line WHERE subscription_id = s.id"
    "  AND due_at <= clock_timestamp() ORDER BY due_at LIMIT :lines FOR UPDATE SKIP LOCKED) l"
    " WHERE s.status = 'active' AND s.id <> ALL (CAST(:busy AS uuid[])))"
    " UPDATE gateway.line l SET fence = fence + 1, due_at = clock_timestamp() + :lease * interval '1 second'"
    " FROM due WHERE (l.subscription_id, l.subject_id) = (due.subscription_id, due.subject_id)"
    " RETURNING l.subscription_id, l.subject_id, l.fence"
)
"""Due lines of every subscription that is not busy: no subscription keeps another one waiting."""
NEXT = text(
    "SELECT d.id, d.subject_id, d.attempts, d.created_at, coalesce(a.id, d.id) AS message_id, a.type, a.occurred_at,"
    " a.data, c.disabled_at IS NULL AND c.scopes ? 'subscriptions:write' AND (d.position IS NULL OR coalesce("
    "  gateway.concerns(a, c.kind, c.organisation, c.regions, c.la_codes, c.trust_uid, c.urns), false)) AS allowed"
    " FROM gateway.subscription s JOIN gateway.client c ON c.id = s.client_id"
    " CROSS JOIN unnest(CAST(:subjects AS uuid[])) AS line (subject_id)"
    " CROSS JOIN LATERAL (SELECT * FROM gateway.dispatch w WHERE w.subscription_id = s.id AND w.status = 'waiting'"
    "  AND w.subject_id = line.subject_id ORDER BY w.position, w.id LIMIT :depth) d"
    " LEFT JOIN gateway.announcement a ON a.position = d.position"
    " WHERE s.id = :subscription_id AND s.status = 'active' ORDER BY d.subject_id, d.position, d.id"
)
HOLD = text(
    "SELECT l.subject_id FROM gateway.line l"
    " JOIN unnest(CAST(:subjects AS uuid[]), CAST(:fences AS bigint[])) AS held (subject_id, fence)"
    " ON held.subject_id = l.subject_id AND held.fence = l.fence"
    " WHERE l.subscription_id = :subscription_id ORDER BY l.subject_id FOR UPDATE OF l"
)


class Waiting(NamedTuple):
    """A delivery at its turn; `allowed` says whether its client may still be told. A ping has no type and no data."""

    id: UUID
    subject_id: UUID
    attempts: int
    created_at: datetime
    message_id: UUID
    type: str | None
    occurred_at: datetime | None
    data: dict[str, Any] | None
    allowed: bool


async def horizon(session: AsyncSession) -> int:
    """The oldest transaction that is running now: what has a smaller number has committed or never will."""
    found = await session.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    return int(found.scalar_one())


async def places(session: AsyncSession, sources: Iterable[str]) -> dict[str, tuple[int, int]]:
    """By source: how far its events were announced."""
    names = list(sources)
    rows = await session.exec(select(Cursor).where(col(Cursor.source).in_(names)))
    return dict.fromkeys(names, (0, 0)) | {row.source: (row.txid, row.position) for row in rows}


async def contract_refs(session: AsyncSession, contract_ids: Iterable[UUID]) -> dict[UUID, ContractRef]:
    """Those of these contracts that the gateway knows."""
    rows = await session.exec(select(ContractRef).where(col(ContractRef.contract_id).in_(list(contract_ids))))
    return {row.contract_id: row for row in rows}


async def transferring(session: AsyncSession, transfer_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The contract of each of these transfers."""
    wanted = col(Transfer.id).in_(list(transfer_ids))
    return {row[0]: row[1] for row in await session.exec(select(Transfer.id, Transfer.contract_id).where(wanted))}


async def last_position(session: AsyncSession) -> int:
    """The position of the latest announcement; 0 where there is none."""
    latest = select(Announcement.position).order_by(col(Announcement.position).desc()).limit(1)
    return (await session.exec(latest)).one_or_none() or 0


async def announcements_after(
    session: AsyncSession, position: int, *, kinds: str | None, contract_id: UUID | None, limit: int
) -> list[Announcement]:
    """Announcements that the caller may see after a position; `kinds` is a type, or a group such as `contract.*`."""
    statement = select(Announcement).where(Announcement.position > position)
    if kinds is not None and kinds.endswith(".*"):
        statement = statement.where(col(Announcement.type).startswith(kinds.removesuffix("*"), autoescape=True))
    elif kinds not in {None, "*"}:
        statement = statement.where(Announcement.type == kinds)
    if contract_id is not None:
        statement = statement.where(Announcement.contract_id == contract_id)
    return list(await session.exec(statement.order_by(col(Announcement.position)).limit(limit)))


async def subscriptions_page(
    session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int
) -> list[Subscription]:
    """The caller's own subscriptions after a place, oldest first."""
    statement = select(Subscription).where(Subscription.client_id == caller.client_id, Subscription.status != "deleted")
    if after is not None:
        statement = statement.where(Subscription.id > after)
    return list(await session.exec(statement.order_by(col(Subscription.id)).limit(limit)))


async def subscription(
    session: AsyncSession, caller: Caller, subscription_id: UUID, *, lock: bool = False
) -> Subscription:
    """One of the caller's own subscriptions, locked where it is to change; raises NotFound."""
    statement = select(Subscription).where(
        Subscription.id == subscription_id,
        Subscription.client_id == caller.client_id,
        Subscription.status != "deleted",
    )
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound("No such subscription.")
    return found


async def sealed_subscriptions(session: AsyncSession) -> list[Subscription]:
    """Every subscription that has a secret, locked."""
    statement = select(Subscription).where(Subscription.status != "deleted").order_by(col(Subscription.id))
    return list(await session.exec(statement.with_for_update()))


async def any_subscription(session: AsyncSession, subscription_id: UUID, *, lock: bool = False) -> Subscription:
    """The subscription, whosever it is. It is locked before its lines and deliveries, so that nobody waits in turn."""
    statement = select(Subscription).where(Subscription.id == subscription_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await session.exec(statement)).one()


async def deliveries_page(
    session: AsyncSession, subscription_id: UUID, *, status: str | None, before: UUID | None, limit: int
) -> list[Delivery]:
    """Deliveries of a subscription before a place, newest first, of events that the caller may still see."""
    statement = (
        select(Dispatch, Announcement)
        .outerjoin(Announcement, col(Announcement.position) == Dispatch.position)
        .where(Dispatch.subscription_id == subscription_id)
        .where(col(Dispatch.position).is_(None) | col(Announcement.position).is_not(None))
        .order_by(col(Dispatch.id).desc())
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(Dispatch.status == status)
    if before is not None:
        statement = statement.where(Dispatch.id < before)
    return [(row, event) for row, event in await session.exec(statement)]


async def delivery(session: AsyncSession, caller: Caller, delivery_id: UUID) -> Delivery:
    """A delivery to one of the caller's own subscriptions; raises NotFound."""
    statement = (
        select(Dispatch, Announcement)
        .join(Subscription, col(Subscription.id) == Dispatch.subscription_id)
        .outerjoin(Announcement, col(Announcement.position) == Dispatch.position)
        .where(Dispatch.id == delivery_id, Subscription.client_id == caller.client_id, Subscription.status != "deleted")
        .where(col(Dispatch.position).is_(None) | col(Announcement.position).is_not(None))
    )
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound("No such delivery.")
    return found[0], found[1]


async def attempts(session: AsyncSession, dispatch_ids: Sequence[UUID]) -> dict[UUID, list[Attempt]]:
    """By delivery: its attempts, in order."""
    found: dict[UUID, list[Attempt]] = {each: [] for each in dispatch_ids}
    statement = select(Attempt).where(col(Attempt.dispatch_id).in_(dispatch_ids)).order_by(col(Attempt.id))
    for row in await session.exec(statement):
        found[row.dispatch_id].append(row)
    return found


async def claim(
    session: AsyncSession, *, busy: Iterable[UUID], lines: int, lease: float
) -> dict[UUID, dict[UUID, int]]:
    """By subscription: subjects whose deliveries are due, each with its fence, held for `lease` seconds."""
    taken: dict[UUID, dict[UUID, int]] = {}
    for subscription_id, subject_id, fence in await session.execute(
        CLAIM, {"busy": list(busy), "lines": lines, "lease": lease}
    ):
        taken.setdefault(subscription_id, {})[subject_id] = fence
    return taken


async def next_deliveries(
    session: AsyncSession, subscription_id: UUID, subjects: Iterable[UUID], *, depth: int
) -> dict[UUID, list[Waiting]]:
    """By subject: the next deliveries in their order, `depth` at most; none where the subscription is not active."""
    found: dict[UUID, list[Waiting]] = {}
    values = {"subscription_id": subscription_id, "subjects": list(subjects), "depth": depth}
    for row in await session.execute(NEXT, values):
        found.setdefault(row.subject_id, []).append(Waiting(*row))
    return found


async def held(session: AsyncSession, subscription_id: UUID, fences: dict[UUID, int]) -> set[UUID]:
    """Those of these subjects that are still this worker's, locked until the end of the transaction."""
    values = {"subscription_id": subscription_id, "subjects": list(fences), "fences": list(fences.values())}
    return set((await session.execute(HOLD, values)).scalars())
