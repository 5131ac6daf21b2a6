"""Verdicts that a revision has reopened: judged again in the background, by all workers together."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.jobs import enqueue
from services.outcomes.evaluations import queries, service
from services.outcomes.models import Job

SELF = service_caller("outcomes")
AT_A_TIME = 50


async def reopen(database: Database, key: str, now: datetime) -> None:
    """Judge again what rests on a release; `key` is its id and that of the one that replaced it or came beside it."""
    source, by, *within = (UUID(each) for each in key.split())
    async with database.transaction(SELF) as session:
        waiting = await queries.resting_on(session, source)
    await judge_again(database, f"reopen {key}", waiting, within, by, now)


async def inspected(database: Database, key: str, now: datetime) -> None:
    """Judge again the contracts of schools on whose inspections the release `key` said something new."""
    by, *within = (UUID(each) for each in key.split())
    async with database.transaction(SELF) as session:
        waiting = await queries.inspected_since(session, by)
    await judge_again(database, f"inspected {key}", waiting, within, by, now)


async def recompute(database: Database) -> tuple[int, list[UUID]]:
    """Reach every verdict of the present method again from what it stored: how many, and which come out otherwise."""
    count, wrong, last = 0, list[UUID](), None
    while True:
        async with database.transaction(SELF) as session:
            rows = await queries.by_this_method(session, after=last, limit=AT_A_TIME)
        if not rows:
            return count, wrong
        wrong += await service.differing(rows)
        count, last = count + len(rows), rows[-1].id


async def judge_again(
    database: Database, job: str, waiting: Sequence[UUID], within: Sequence[UUID], by: UUID, now: datetime
) -> None:
    """Judge these verdicts' questions again: a few at once, many as jobs of their own, for workers to share.

    A job for a part has the first and the last verdict of it behind its key, given here as `within`. Begun again, each
    goes on with what still waits.
    """
    mine = [each for each in waiting if not within or within[0] <= each <= within[1]]
    async with database.transaction(SELF) as session:
        if len(mine) <= AT_A_TIME:
            await service.reopen(session, evaluation_ids=mine, by=by, caller=SELF, now=now)
            return
        kind, _, key = job.partition(" ")
        for start in range(0, len(mine), AT_A_TIME):
            part = mine[start : start + AT_A_TIME]
            await enqueue(session, Job, kind=kind, key=f"{key} {part[0]} {part[-1]}")
