"""The gateway's background work: act (foreign, no transaction open), then record (one transaction)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from services.gateway import calls
from services.gateway.calls import SELF
from services.gateway.models import Cursor, Job
from services.gateway.records import queries as record_queries
from services.gateway.records import service as records
from services.gateway.rules.transfer import conditions, consents_needed, gate_open, route_of
from services.gateway.subscriptions import jobs as subscriptions
from services.gateway.transfers import queries as transfer_queries
from services.gateway.transfers import service as transfers
from services.kernel.db import Database
from services.kernel.events import locked_cursor
from services.kernel.jobs import Handler, enqueue
from services.kernel.peers import Peer, next_events


async def deliver(database: Database, key: str, now: datetime, *, contracts: Peer) -> None:
    """Take a contract's records to it, in their order; each is applied there once."""
    while True:
        async with database.transaction(SELF) as session:
            waiting = await record_queries.undelivered(session, UUID(key))
        if not waiting:
            return
        for row in waiting:
            result = await calls.deliver(contracts, row)
            async with database.transaction(SELF) as session:
                await records.note_delivery(session, record_id=row.id, result=result, now=now)


async def pull(database: Database, key: str, now: datetime, *, contracts: Peer, pull_seconds: float) -> None:
    """Read the next events of contracts, look at each contract that changed, and come back soon."""
    async with database.transaction(SELF) as session:
        cursor = await locked_cursor(session, Cursor, key)
        after = (cursor.txid, cursor.position)
    found = await next_events(contracts, after, SELF)
    changed = sorted({event["subject_id"] for event in found if records.about_contract(event)})
    present = [await calls.contract(contracts, UUID(contract_id)) for contract_id in changed]
    async with database.transaction(SELF) as session:
        await records.take_events(session, source=key, after=after, events=found, contracts=present, now=now)
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


def handlers(contracts: Peer, outcomes: Peer, pull_seconds: float) -> Mapping[str, Handler]:
    """What to do for each kind of job, with the services that it needs."""
    return {
        "deliver": partial(deliver, contracts=contracts),
        "pull": partial(pull, contracts=contracts, pull_seconds=pull_seconds),
        "review": partial(review, contracts=contracts, outcomes=outcomes),
        "carry_out": partial(carry_out, contracts=contracts, outcomes=outcomes),
        **subscriptions.handlers(contracts, pull_seconds),
    }
