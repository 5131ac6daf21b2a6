"""Verdicts that outcomes reaches by itself, when a revision has reopened one, taken to their contracts."""

from datetime import datetime
from functools import partial
from uuid import UUID

from services.contracts import calls, queries
from services.contracts.awards.service import award
from services.contracts.calls import SELF
from services.contracts.evaluations.service import note_evaluation
from services.contracts.models import Cursor, Job
from services.kernel.db import Database
from services.kernel.events import locked_cursor
from services.kernel.jobs import Handler, enqueue
from services.kernel.peers import Peer, next_events

SOURCE = "outcomes"


async def hear(database: Database, key: str, now: datetime, *, outcomes: Peer, hear_seconds: float) -> None:
    """Read the next events of outcomes, note every verdict on its contract, and come back soon."""
    async with database.transaction(SELF) as session:
        cursor = await locked_cursor(session, Cursor, key)
        after = (cursor.txid, cursor.position)
    found = await next_events(outcomes, after, SELF)
    for event in found:
        if event["type"] == "evaluation.made":
            await take(database, await calls.evaluation(outcomes, UUID(event["data"]["evaluation_id"])), now)
    async with database.transaction(SELF) as session:
        cursor = await locked_cursor(session, Cursor, key)
        if found and (cursor.txid, cursor.position) == after:
            cursor.txid, cursor.position = found[-1]["txid"], found[-1]["position"]
        await enqueue(session, Job, kind="hear", key=key, pause_seconds=0.0 if found else hear_seconds)


async def take(database: Database, evaluation: dict[str, object], now: datetime) -> None:
    """Note a verdict on its contract; one that was noted when it was asked for changes nothing."""
    async with database.transaction(SELF) as session:
        row = await queries.locked_contract(session, UUID(str(evaluation["contract_id"])))
        await note_evaluation(session, row=row, evaluation=evaluation, caller=SELF, now=now)


async def catch_up(database: Database, key: str, now: datetime, *, outcomes: Peer) -> None:
    """Payments that were stopped are so no more: take the verdict that counts to the payments for outcomes."""
    async with database.transaction(SELF) as session:
        noted = (await queries.locked_contract(session, UUID(key))).evaluation
    if noted is None:
        return
    evaluation = await calls.evaluation(outcomes, UUID(noted["id"]))
    async with database.transaction(SELF) as session:
        row = await queries.locked_contract(session, UUID(key))
        if row.evaluation is not None and row.evaluation["id"] == noted["id"]:
            await award(session, row=row, evaluation=evaluation, caller=SELF, now=now)


def catching_up(outcomes: Peer) -> Handler:
    """The job that takes verdicts to payments after a suspension, from this outcomes service."""
    return partial(catch_up, outcomes=outcomes)


def hearing(outcomes: Peer, hear_seconds: float) -> Handler:
    """The job that follows the events of this outcomes service."""
    return partial(hear, outcomes=outcomes, hear_seconds=hear_seconds)
