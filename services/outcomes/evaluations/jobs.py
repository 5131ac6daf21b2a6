"""Verdicts that a revision has reopened: judged again in the background, a few at a time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.outcomes.evaluations import queries, service

SELF = service_caller("outcomes")
AT_A_TIME = 50


async def reopen(database: Database, key: str, now: datetime) -> None:
    """Judge again what rests on a replaced release; `key` is its id and that of the release that replaced it.

    Each batch is kept in a transaction of its own: begun again, it goes on with what still rests on the old one.
    """
    replaced, by = (UUID(each) for each in key.split())
    async with database.transaction(SELF) as session:
        waiting = await queries.resting_on(session, replaced)
    await judge_again(database, waiting, by, now)


async def inspected(database: Database, key: str, now: datetime) -> None:
    """Judge again the contracts of schools on whose inspections the release `key` said something new."""
    by = UUID(key)
    async with database.transaction(SELF) as session:
        waiting = await queries.inspected_since(session, by)
    await judge_again(database, waiting, by, now)


async def judge_again(database: Database, waiting: Sequence[UUID], by: UUID, now: datetime) -> None:
    """Judge these verdicts' questions again, a few in a transaction."""
    for start in range(0, len(waiting), AT_A_TIME):
        some = waiting[start : start + AT_A_TIME]
        async with database.transaction(SELF) as session:
            await service.reopen(session, evaluation_ids=some, by=by, caller=SELF, now=now)
