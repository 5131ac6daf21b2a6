"""The courier: takes due deliveries to their receivers, in order for each contract, many at a time.

A worker of its own, for a receiver that is slow must not keep the gateway's other work waiting. It claims lines (all
that waits for one subscription about one contract) under a lease and a fence, sends without any transaction open, and
notes a whole batch in one. Killed in between, it has noted nothing: the lease runs out, and another sends it again.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from services.gateway.calls import SELF
from services.gateway.outbound import Outbound, Unreached
from services.gateway.rules import webhooks
from services.gateway.rules.webhooks import Outcome
from services.gateway.subscribers import Subscription
from services.gateway.subscriptions import queries, service
from services.gateway.subscriptions.queries import Waiting
from services.gateway.subscriptions.service import Done, Try
from services.gateway.vault import Vault
from services.kernel.db import Database, is_unreachable
from services.kernel.types import canonical_json, real_now

LEASE_SECONDS = 60.0
SENDING_SECONDS = 25.0
"""No delivery is begun later after a claim: with its own ten seconds it ends well within the lease."""
LINES, DEPTH, AT_ONCE = 64, 32, 16
"""Of one subscription in a batch: lines, deliveries of each line, and requests at the same time."""
log = structlog.get_logger("ringfence.courier")


class Courier:
    """Delivers until told to stop; any number may run on any number of machines."""

    begin = None

    def __init__(
        self, database: Database, outbound: Outbound, vault: Vault, *, failing_days: int, poll_seconds: float
    ) -> None:
        self.database, self.outbound, self.vault = database, outbound, vault
        self.patience, self.poll_seconds = timedelta(days=failing_days), poll_seconds
        self.busy: set[UUID] = set()
        self.woken, self.ending = asyncio.Event(), False

    async def claim(self) -> dict[UUID, dict[UUID, int]]:
        """Due lines of every subscription that this courier is not sending to at the moment."""
        async with self.database.transaction(SELF) as session:
            taken = await queries.claim(session, busy=self.busy, lines=LINES, lease=LEASE_SECONDS)
        self.busy |= taken.keys()
        self.outbound.sweep()
        return taken

    async def run_once(self, _now: datetime) -> bool:
        """Deliver what is due, once; says whether there was anything. Deliveries live by the real clock."""
        taken = await self.claim()
        await asyncio.gather(*(self.deliver(*each) for each in taken.items()))
        return bool(taken)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; a database that is away is waited for."""
        tasks: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self.woken.clear()
            taken = await self.claim_patiently()
            tasks = {each for each in tasks if not each.done()}
            tasks |= {asyncio.create_task(self.deliver(*each)) for each in taken.items()}
            if not taken:
                woken = asyncio.create_task(self.woken.wait())
                await asyncio.wait({stopping, woken}, timeout=self.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
        self.ending = True
        await asyncio.gather(*tasks)

    async def claim_patiently(self) -> dict[UUID, dict[UUID, int]]:
        """Due lines; none while the database is away."""
        try:
            return await self.claim()
        except Exception as error:
            if not is_unreachable(error):
                raise
            return {}

    async def deliver(self, subscription_id: UUID, fences: dict[UUID, int]) -> None:
        """One batch of a subscription: read, send, note. After a failure of our own the lease runs out."""
        try:
            done = await self.take(subscription_id, fences)
            async with self.database.transaction(SELF) as session:
                await service.note(
                    session,
                    subscription_id=subscription_id,
                    fences=fences,
                    done=done,
                    patience=self.patience,
                    caller=SELF,
                    now=real_now(),
                )
        except Exception as error:
            log.warning("deliveries failed", subscription=str(subscription_id), error=str(error)[:300])
        self.woken.set()

    async def take(self, subscription_id: UUID, fences: dict[UUID, int]) -> list[Done]:
        """Read and send a batch; the next one of the subscription may be claimed while this one is being noted."""
        until = time.monotonic() + SENDING_SECONDS
        try:
            async with self.database.transaction(SELF) as session:
                row = await queries.any_subscription(session, subscription_id)
                lines = await queries.next_deliveries(session, subscription_id, fences, depth=DEPTH)
            return await self.send(row, list(lines.values()), until)
        finally:
            self.busy.discard(subscription_id)
            self.woken.set()

    async def send(self, row: Subscription, lines: Sequence[Sequence[Waiting]], until: float) -> list[Done]:
        """Send what waits, line by line in its order, several lines at a time; gives what became of it.

        A line ends at its first failure, all end when the receiver is gone or the time is up.
        """
        keys = [self.vault.open(sealed, str(row.id)) for sealed in sealed_keys(row, real_now())]
        done: list[Done] = []
        left, gone = iter(lines), False

        async def lane() -> None:
            nonlocal gone
            for line in left:
                for waiting in line:
                    if gone or self.ending or time.monotonic() > until:
                        return
                    result = await self.attempt(row.url, keys, waiting)
                    done.append(result)
                    gone = gone or (result.attempt is not None and result.attempt.outcome is Outcome.GONE)
                    if result.pause:
                        break

        await asyncio.gather(*(lane() for _ in range(min(AT_ONCE, len(lines)))))
        return done

    async def attempt(self, url: str, keys: Sequence[bytes], waiting: Waiting) -> Done:
        """Try one delivery, unless its client may not be told of it any more."""
        if not waiting.allowed:
            return Done(waiting.id, waiting.subject_id, "withheld", None)
        body, started_at, began = message(waiting), real_now(), time.monotonic()
        stamp, message_id = int(started_at.timestamp()), str(waiting.message_id)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Ringfence",
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": webhooks.signed(keys, message_id, stamp, body),
        }
        status, asked, words = None, 0.0, None
        try:
            answer = await self.outbound.post(url, headers, body)
            status, asked = answer.status, webhooks.seconds_asked(answer.retry_after, real_now())
        except Unreached as error:
            words = str(error)[:200]
        outcome = webhooks.outcome(status)
        tried = Try(started_at, round((time.monotonic() - began) * 1000), outcome, status, words)
        if outcome is Outcome.ACKNOWLEDGED:
            return Done(waiting.id, waiting.subject_id, "delivered", tried)
        pause = webhooks.pause(waiting.attempts + 1, asked, random.random())  # noqa: S311
        if pause is None:
            return Done(waiting.id, waiting.subject_id, "given_up", tried)
        return Done(waiting.id, waiting.subject_id, "waiting", tried, pause)


def sealed_keys(row: Subscription, now: datetime) -> list[bytes]:
    """The secrets that sign now: the present one, and the one before while the overlap lasts."""
    before = row.previous_secret if row.previous_until is not None and row.previous_until > now else None
    return [row.secret] if before is None else [row.secret, before]


def message(waiting: Waiting) -> bytes:
    """The body of a delivery: type, when it happened, and what may be told of it; a ping says only that it is one."""
    told = {"subscription_id": waiting.subject_id} if waiting.data is None else waiting.data
    when = waiting.occurred_at or waiting.created_at
    return canonical_json({"type": waiting.type or "ping", "timestamp": when, "data": told})
