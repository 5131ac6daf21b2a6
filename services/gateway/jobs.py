"""The gateway's background work: act (foreign, no transaction open), then record (one transaction)."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import text

from services.gateway import calls
from services.gateway.calls import SELF
from services.gateway.following import service as following
from services.gateway.models import Cursor, Job
from services.gateway.records import queries as record_queries
from services.gateway.records import service as records
from services.gateway.rules.transfer import conditions, consents_needed, gate_open, route_of
from services.gateway.subscriptions import jobs as subscriptions
from services.gateway.transfers import queries as transfer_queries
from services.gateway.transfers import service as transfers
from services.gateway.withdrawals import queries as withdrawal_queries
from services.gateway.withdrawals import service as withdrawals
from services.kernel.db import Database
from services.kernel.events import locked_cursor
from services.kernel.jobs import Handler, enqueue
from services.kernel.peers import Peer, next_events


async def deliver(database: Database, key: str, now: datetime, *, contracts: Peer) -> None:
    """Take a contract's records to it, in their order, then its withdrawals; each is applied there once."""
    while True:
        async with database.transaction(SELF) as session:
            waiting = await record_queries.undelivered(session, UUID(key))
            taken_back = await withdrawal_queries.undelivered(session, UUID(key))
        if not waiting and not taken_back:
            return
        for row in waiting:
            result = await calls.deliver(contracts, row)
            async with database.transaction(SELF) as session:
                await records.note_delivery(session, record_id=row.id, result=result, now=now)
        for withdrawal in taken_back:
            result = await calls.withdraw(contracts, withdrawal)
            async with database.transaction(SELF) as session:
                await withdrawals.note_delivery(session, withdrawal_id=withdrawal.id, result=result, now=now)


async def pull(
    database: Database, key: str, now: datetime, *, contracts: Peer, outcomes: Peer, pull_seconds: float
) -> None:
    """Read the next events of a service, look at each contract that changed, and come back soon."""
    async with database.transaction(SELF) as session:
        cursor = await locked_cursor(session, Cursor, key)
        after = (cursor.txid, cursor.position)
    found = await next_events({"contracts": contracts, "outcomes": outcomes}[key], after, SELF)
    changed = sorted({event["subject_id"] for event in found if following.about_contract(key, event)})
    present = [await calls.contract(contracts, UUID(contract_id)) for contract_id in changed]
    async with database.transaction(SELF) as session:
        await following.take_events(session, source=key, after=after, events=found, contracts=present, now=now)
        pause = 0.0 if found else pull_seconds
        await enqueue(session, Job, kind="pull", key=key, pause_seconds=pause)


async def review(database: Database, key: str, now: datetime, *, contracts: Peer, outcomes: Peer) -> None:
    """Open the transfer by itself when every condition holds; else leave the contract as it is."""
    contract = await calls.contract(contracts, UUID(key))
    found = conditions(contract)
    if not gate_open(found) or contract["status"] != "completed":
        return
    school = await calls.school(outcomes, contract["school"]["urn"])
    route = route_of(school)
    needed = consents_needed(route, school["religious_character"])
    async with database.transaction(SELF) as session:
        await transfers.open_transfer(
            session, contract=contract, conditions=found, route=route, needed=needed, caller=SELF, now=now
        )


async def carry_out(database: Database, key: str, now: datetime, *, contracts: Peer, outcomes: Peer) -> None:
    """The day itself: one act after another, each noted once the other side has answered."""
    transfer_id = UUID(key)
    while True:
        async with database.transaction(SELF) as session:
            row = await transfer_queries.locked_transfer(session, transfer_id)
            act = await transfers.next_act(session, row=row, now=now)
        if act is None:
            return
        if act == "open_membership":
            answer = await calls.open_membership(outcomes, row)
        else:
            answer = await calls.freeze_contract(contracts, row)
        async with database.transaction(SELF) as session:
            await transfers.finish_act(session, transfer_id=transfer_id, key=act, answer=answer, caller=SELF, now=now)


async def forget(database: Database, key: str, now: datetime) -> None:
    """Throw away what has expired: assertions that were used, revocations, answers to repeated requests; hourly."""
    async with database.transaction(SELF) as session:
        await session.execute(text("SELECT gateway.forget_expired()"))
        await enqueue(session, Job, kind="forget", key=key, pause_seconds=3600)


async def rotate_signing(database: Database, key: str, now: datetime, *, rotate: Callable[[], list[str]]) -> None:
    """Give signers whose keys are old new ones, where they are kept; looked at daily."""
    if made := await asyncio.to_thread(rotate):
        structlog.get_logger("ringfence").info("signing keys made", kids=made)
    async with database.transaction(SELF) as session:
        await enqueue(session, Job, kind="rotate", key=key, pause_seconds=86_400)


def handlers(
    contracts: Peer, outcomes: Peer, pull_seconds: float, rotate: Callable[[], list[str]]
) -> Mapping[str, Handler]:
    """What to do for each kind of job, with the services that it needs."""
    return {
        "deliver": partial(deliver, contracts=contracts),
        "pull": partial(pull, contracts=contracts, outcomes=outcomes, pull_seconds=pull_seconds),
        "review": partial(review, contracts=contracts, outcomes=outcomes),
        "carry_out": partial(carry_out, contracts=contracts, outcomes=outcomes),
        "forget": forget,
        "rotate": partial(rotate_signing, rotate=rotate),
        **subscriptions.handlers(contracts, pull_seconds),
    }
