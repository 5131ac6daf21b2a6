"""Keeping subscriptions, and noting how deliveries went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.models import Event
from services.gateway.rules.webhooks import Outcome, new_secret, shown
from services.gateway.subscribers import Dispatch, Subscription
from services.gateway.subscriptions import queries
from services.gateway.subscriptions.schemas import SubscriptionChange, SubscriptionIn, SubscriptionStatus
from services.gateway.vault import Vault
from services.kernel.auth import Caller
from services.kernel.errors import DomainError
from services.kernel.events import record
from services.kernel.types import plain, uuid7

SUBSCRIPTIONS_AT_MOST = 20
WAKE = text(
    "INSERT INTO gateway.line (subscription_id, subject_id) VALUES (:subscription_id, :subject_id)"
    " ON CONFLICT (subscription_id, subject_id) DO UPDATE SET due_at = excluded.due_at"
)
WAKE_ALL = text(
    "WITH mine AS (SELECT subject_id FROM gateway.line WHERE subscription_id = :subscription_id"
    "  ORDER BY subject_id FOR UPDATE)"
    " UPDATE gateway.line l SET due_at = clock_timestamp() FROM mine"
    " WHERE l.subscription_id = :subscription_id AND l.subject_id = mine.subject_id"
)
NOTE_ATTEMPTS = text(
    "INSERT INTO gateway.attempt (dispatch_id, started_at, duration_ms, response_status, error) SELECT * FROM unnest("
    "CAST(:ids AS uuid[]), CAST(:started AS timestamptz[]), CAST(:ms AS integer[]), CAST(:statuses AS integer[]),"
    " CAST(:errors AS text[]))"
)
NOTE_DISPATCHES = text(
    "UPDATE gateway.dispatch d SET status = done.status, attempts = d.attempts + done.tries,"
    " finished_at = CASE WHEN done.status <> 'waiting' THEN clock_timestamp() END"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:tries AS integer[]))"
    " AS done (id, status, tries) WHERE d.id = done.id"
)
REMOVE_EMPTY = text(
    "DELETE FROM gateway.line l WHERE l.subscription_id = :subscription_id"
    " AND l.subject_id = ANY (CAST(:subjects AS uuid[])) AND NOT EXISTS (SELECT FROM gateway.dispatch d WHERE"
    " d.subscription_id = l.subscription_id AND d.subject_id = l.subject_id AND d.status = 'waiting')"
)
WAIT = text(
    "UPDATE gateway.line l SET due_at = clock_timestamp() + held.pause * interval '1 second'"
    " FROM unnest(CAST(:subjects AS uuid[]), CAST(:pauses AS float8[])) AS held (subject_id, pause)"
    " WHERE l.subscription_id = :subscription_id AND l.subject_id = held.subject_id"
)


class TooManySubscriptions(DomainError):
    """A client has as many subscriptions as it may have."""

    code = "too_many_subscriptions"
    title = f"{SUBSCRIPTIONS_AT_MOST} subscriptions at most"


class NotActive(DomainError):
    """Nothing is sent to a subscription that is disabled."""

    code = "subscription_disabled"
    title = "The subscription is disabled"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to deliver, and what came of it."""

    started_at: datetime
    duration_ms: int
    outcome: Outcome
    response_status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """How a delivery stands now; `pause` seconds are waited before its subject is looked at again."""

    dispatch_id: UUID
    subject_id: UUID
    status: str
    attempt: Try | None
    pause: float = 0.0


async def tell(session: AsyncSession, row: Subscription, kind: str, caller: Caller, now: datetime) -> None:
    """The event of a change, and the subscription's version counted on."""
    row.version += 1
    row.updated_at = now
    facts = {"status": row.status, "types": row.types, "client_id": row.client_id}
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)


async def subscribe(
    session: AsyncSession, *, body: SubscriptionIn, vault: Vault, caller: Caller, now: datetime
) -> tuple[Subscription, str]:
    """A new subscription and its secret, which is shown this once; it hears of what is announced from now on."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('subscriptions:' || :client, 0))")
    await session.execute(lock, {"client": caller.client_id})
    present = await queries.subscriptions_page(session, caller, after=None, limit=SUBSCRIPTIONS_AT_MOST)
    if len(present) >= SUBSCRIPTIONS_AT_MOST:
        raise TooManySubscriptions("Delete one first, or widen one of them.")
    subscription_id, secret = uuid7(), new_secret()
    row = Subscription(
        id=subscription_id,
        client_id=caller.client_id,
        organisation=caller.organisation,
        version=0,
        secret=vault.seal(secret, str(subscription_id)),
        created_at=now,
        updated_at=now,
        **plain(body.model_dump()),
    )
    session.add(row)
    await tell(session, row, "subscription.created", caller, now)
    return row, shown(secret)


async def change(
    session: AsyncSession, *, row: Subscription, body: SubscriptionChange, caller: Caller, now: datetime
) -> Subscription:
    """Change what is asked for; made active again, it is sent at once what had been waiting."""
    given = plain(body.model_dump(exclude_unset=True))
    changes = {name: value for name, value in given.items() if value is not None or name == "description"}
    for name, value in changes.items():
        setattr(row, name, value)
    if "status" in changes:
        row.reason_code = "by_client" if row.status == SubscriptionStatus.DISABLED else None
        row.failing_since = None
        await session.execute(WAKE_ALL, {"subscription_id": row.id})
    await tell(session, row, "subscription.changed", caller, now)
    return row


async def rotate(
    session: AsyncSession, *, row: Subscription, overlap: timedelta, vault: Vault, caller: Caller, now: datetime
) -> tuple[Subscription, str]:
    """A new secret; the one before signs beside it until the overlap ends, an older one no more."""
    secret = new_secret()
    row.previous_secret, row.previous_until = row.secret, now + overlap
    row.secret = vault.seal(secret, str(row.id))
    await tell(session, row, "subscription.secret_rotated", caller, now)
    return row, shown(secret)


async def reseal(session: AsyncSession, *, vault: Vault) -> int:
    """Have every secret sealed by the key that seals now, all in one transaction; gives how many were not."""
    renewed = 0
    for row in await queries.sealed_subscriptions(session):
        for name in ("secret", "previous_secret"):
            sealed: bytes | None = getattr(row, name)
            if sealed and (again := vault.renewed(sealed, str(row.id))) != sealed:
                setattr(row, name, again)
                renewed += 1
    return renewed


async def delete(session: AsyncSession, *, row: Subscription, caller: Caller, now: datetime) -> None:
    """Send nothing any more and forget the secrets; the log of deliveries stays in the database."""
    row.status, row.reason_code, row.secret, row.previous_secret, row.previous_until = "deleted", None, b"", None, None
    await tell(session, row, "subscription.deleted", caller, now)


async def ping(session: AsyncSession, *, row: Subscription, now: datetime) -> Dispatch:
    """Put a ping on its way; raises NotActive."""
    if row.status != SubscriptionStatus.ACTIVE:
        raise NotActive("Make it active first.")
    made = Dispatch(subscription_id=row.id, subject_id=row.id, created_at=now)
    session.add(made)
    await session.flush()
    await session.execute(WAKE, {"subscription_id": row.id, "subject_id": row.id})
    return made


async def redeliver(session: AsyncSession, *, row: Dispatch, subscription: Subscription) -> Dispatch:
    """Send a delivery again at once, with a new series of attempts, before what waits behind it; raises NotActive."""
    if subscription.status != SubscriptionStatus.ACTIVE:
        raise NotActive("Make it active first.")
    row.status, row.attempts, row.finished_at = "waiting", 0, None
    await session.flush()
    await session.execute(WAKE, {"subscription_id": row.subscription_id, "subject_id": row.subject_id})
    return row


async def note(
    session: AsyncSession,
    *,
    subscription_id: UUID,
    fences: dict[UUID, int],
    done: Sequence[Done],
    patience: timedelta,
    caller: Caller,
    now: datetime,
) -> None:
    """Write down how deliveries went; what another worker has taken over meanwhile is left to it."""
    row = await queries.any_subscription(session, subscription_id, lock=True)
    still = await queries.held(session, subscription_id, fences)
    held, mine = sorted(still), [each for each in done if each.subject_id in still]
    tried = [(each.dispatch_id, each.attempt) for each in mine if each.attempt is not None]
    attempts = {
        "ids": [dispatch_id for dispatch_id, _ in tried],
        "started": [each.started_at for _, each in tried],
        "ms": [each.duration_ms for _, each in tried],
        "statuses": [each.response_status for _, each in tried],
        "errors": [each.error for _, each in tried],
    }
    dispatches = {
        "ids": [each.dispatch_id for each in mine],
        "statuses": [each.status for each in mine],
        "tries": [int(each.attempt is not None) for each in mine],
    }
    pauses = dict.fromkeys(held, 0.0) | {each.subject_id: each.pause for each in mine}
    await session.execute(NOTE_ATTEMPTS, attempts)
    await session.execute(NOTE_DISPATCHES, dispatches)
    await session.execute(REMOVE_EMPTY, {"subscription_id": subscription_id, "subjects": held})
    waits = {"subjects": held, "pauses": [pauses[subject_id] for subject_id in held]}
    await session.execute(WAIT, {"subscription_id": subscription_id, **waits})
    outcomes = {each.outcome for _, each in tried}
    if outcomes and row.status == SubscriptionStatus.ACTIVE:
        await note_health(session, row=row, outcomes=outcomes, patience=patience, caller=caller, now=now)


async def note_health(
    session: AsyncSession,
    *,
    row: Subscription,
    outcomes: set[Outcome],
    patience: timedelta,
    caller: Caller,
    now: datetime,
) -> None:
    """Keep since when nothing but failures was heard; a receiver that is gone, or fails too long, is sent no more."""
    since = None if Outcome.ACKNOWLEDGED in outcomes else row.failing_since or now
    gone, tired = Outcome.GONE in outcomes, since is not None and since <= now - patience
    changed = (since is None) != (row.failing_since is None)
    row.failing_since = since
    if gone or tired:
        row.status, row.reason_code = SubscriptionStatus.DISABLED, "gone" if gone else "failing"
        await tell(session, row, "subscription.disabled", caller, now)
    elif changed:
        row.version += 1
