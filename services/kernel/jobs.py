"""Background work is rows: a job is a wake-up for a key, written with the fact, claimed with a lease and a fence."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy import BigInteger, DateTime, Index, func, text
from sqlmodel import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import service_caller
from services.kernel.db import Database, Table, is_unreachable
from services.kernel.types import utc_now, uuid7

LEASE_SECONDS = 30
ATTEMPTS = 30
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Work that waits for no day: it is due also where the clock of contracts has been moved back."""
log = structlog.get_logger("ringfence.jobs")


class JobRow(Table):
    """A wake-up for `key`: the handler drains what waits for that key, so waking twice does no harm.

    `run_at` is in the time of the domain (a start date), `available_at` in real time (a pause after a failure).
    """

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    kind: str = Field(max_length=60)
    key: str = Field(max_length=200)
    run_at: datetime = Field(sa_type=DateTime(timezone=True))
    available_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": func.now()})
    lease_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    fence: int = Field(default=0, sa_type=BigInteger)
    attempts: int = 0
    last_error: str | None = Field(default=None, max_length=500)


def waiting_index(name: str = "job_waiting_idx") -> Index:
    """One waiting wake-up for a key is enough; one that is being worked on does not stop the next."""
    return Index(name, "kind", "key", unique=True, postgresql_where=text("lease_until IS NULL"))


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker holds; only the holder of the latest fence may finish it."""

    id: UUID
    kind: str
    key: str
    fence: int
    attempts: int


Handler = Callable[[Database, str, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Together:
    """A handler of several keys at once, `most` at a time; where that fails, each of them is tried alone."""

    act: Callable[[Database, Sequence[str], datetime], Awaitable[None]]
    most: int

    async def __call__(self, database: Database, key: str, now: datetime) -> None:
        """Carry out the work for one key."""
        await self.act(database, [key], now)


async def enqueue(
    session: AsyncSession,
    table: type[JobRow],
    *,
    kind: str,
    key: str,
    run_at: datetime = AT_ONCE,
    pause_seconds: float = 0,
) -> None:
    """Ask for work on `key` in the caller's transaction, after a pause in real time; an earlier time wins."""
    await enqueue_all(session, table, kind=kind, keys=[key], run_at=run_at, pause_seconds=pause_seconds)


async def enqueue_all(
    session: AsyncSession,
    table: type[JobRow],
    *,
    kind: str,
    keys: Sequence[str],
    run_at: datetime = AT_ONCE,
    pause_seconds: float = 0,
) -> None:
    """The same for several keys, which come in one order, so that nobody waits in a ring."""
    name = table.__table__.fullname  # type: ignore[attr-defined]
    statement = text(
        f"INSERT INTO {name} AS job (id, kind, key, run_at, available_at, fence, attempts)"  # noqa: S608
        " SELECT id, :kind, key, CAST(:run_at AS timestamptz), clock_timestamp() + :pause * interval '1 second', 0, 0"
        " FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[])) AS asked (id, key)"
        " ON CONFLICT (kind, key) WHERE lease_until IS NULL"
        " DO UPDATE SET run_at = least(job.run_at, excluded.run_at),"
        " available_at = least(job.available_at, excluded.available_at)"
    )
    ids = [uuid7() for _ in keys]
    values = {"ids": ids, "keys": list(keys), "kind": kind, "run_at": run_at, "pause": pause_seconds}
    await session.execute(statement, values)


async def forget(database: Database, key: str, now: datetime, *, table: type[JobRow]) -> None:
    """Throw away what has expired in a service's schema, by its own function for that; hourly."""
    async with database.transaction(service_caller(database.service)) as session:
        await session.execute(text(f"SELECT {database.service}.forget_expired()"))
        await enqueue(session, table, kind="forget", key=key, pause_seconds=3600)


class Worker:
    """Carries out the jobs that it has handlers for until told to stop; any number may run, on any machines."""

    def __init__(
        self,
        database: Database,
        table: type[JobRow],
        handlers: Mapping[str, Handler],
        *,
        poll_seconds: float = 0.5,
        begin: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.database, self.handlers, self.poll_seconds, self.begin = database, handlers, poll_seconds, begin
        self.name = table.__table__.fullname  # type: ignore[attr-defined]
        self.caller = service_caller(database.service)

    async def claim(self, now: datetime, kinds: Sequence[str] | None = None, most: int = 1) -> list[Claim]:
        """Take due jobs, those that have waited longest first, or such whose holder's lease ran out."""
        statement = text(
            f"UPDATE {self.name} SET lease_until = clock_timestamp() + :lease * interval '1 second',"  # noqa: S608
            " fence = fence + 1, attempts = attempts + 1 WHERE id = ANY(ARRAY("
            f" SELECT id FROM {self.name} WHERE run_at <= :now AND kind = ANY(:kinds)"
            " AND coalesce(lease_until, available_at) <= clock_timestamp()"
            " ORDER BY run_at, id LIMIT :most FOR UPDATE SKIP LOCKED)) RETURNING id, kind, key, fence, attempts"
        )
        values = {"now": now, "lease": LEASE_SECONDS, "kinds": list(kinds or self.handlers), "most": most}
        async with self.database.transaction(self.caller) as session:
            return [Claim(*row) for row in await session.execute(statement, values)]

    async def finish(self, claims: Sequence[Claim]) -> None:
        """The work is done; a holder whose fence has passed to another changes nothing."""
        done = text(
            f"DELETE FROM {self.name} AS job USING unnest(CAST(:ids AS uuid[]), CAST(:fences AS bigint[]))"  # noqa: S608
            " AS held (id, fence) WHERE job.id = held.id AND job.fence = held.fence"
        )
        values = {"ids": [each.id for each in claims], "fences": [each.fence for each in claims]}
        async with self.database.transaction(self.caller) as session:
            await session.execute(done, values)

    async def put_back(self, claim: Claim, error: Exception) -> None:
        """Try again after a pause that doubles; after many attempts wait for a person (`ringfence jobs`)."""
        pause = min(300.0, 0.2 * 2**claim.attempts) * random.uniform(0.8, 1.2)  # noqa: S311
        spent, words = claim.attempts >= ATTEMPTS, f"{type(error).__name__}: {error}"[:500]
        again = text(
            f"WITH mine AS (SELECT id FROM {self.name} WHERE id = :id AND fence = :fence FOR UPDATE),"  # noqa: S608
            f" newer AS (DELETE FROM {self.name} WHERE lease_until IS NULL AND kind = :kind AND key = :key"
            "  AND EXISTS (SELECT FROM mine)) SELECT count(*) FROM mine"
        )
        pause_it = text(
            f"UPDATE {self.name} SET lease_until = NULL, last_error = :error, available_at ="  # noqa: S608
            " CASE WHEN :spent THEN 'infinity' ELSE clock_timestamp() + :pause * interval '1 second' END"
            " WHERE id = :id AND fence = :fence"
        )
        facts = {"id": claim.id, "fence": claim.fence}
        async with self.database.transaction(self.caller) as session:
            await session.execute(again, {**facts, "kind": claim.kind, "key": claim.key})
            await session.execute(pause_it, {**facts, "error": words, "spent": spent, "pause": pause})

    async def run_once(self, now: datetime) -> bool:
        """Carry out one due job, or several of a kind that goes together; says whether there was one."""
        claims = await self.claim(now)
        handler = self.handlers[claims[0].kind] if claims else None
        if isinstance(handler, Together):
            claims += await self.claim(now, [claims[0].kind], handler.most - 1)
            keys = sorted({each.key for each in claims})
            if len(keys) > 1 and await self.attempt(claims, handler.act(self.database, keys, now)):
                return True
        for claim in claims:
            await self.attempt([claim], self.handlers[claim.kind](self.database, claim.key, now))
        return bool(claims)

    async def attempt(self, claims: Sequence[Claim], work: Awaitable[None]) -> bool:
        """Carry out and finish; says whether it succeeded. One that failed alone is put back."""
        try:
            await work
        except Exception as error:
            first = claims[0]
            log.warning("job failed", kind=first.kind, key=first.key, attempts=first.attempts, error=str(error)[:300])
            if len(claims) == 1:
                await self.put_back(first, error)
            return False
        await self.finish(claims)
        return True

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        begun = self.begin is None
        while not stop.is_set():
            try:
                if self.begin is not None and not begun:
                    await self.begin()
                    begun = True
                busy = await self.run_once(utc_now())
            except Exception as error:
                if not is_unreachable(error):
                    raise
                busy = False
            if not busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.poll_seconds)
