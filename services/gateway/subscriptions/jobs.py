"""Announcing: the events of contracts and of the gateway, brought into one order and put on their way."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from services.gateway import calls
from services.gateway.calls import SELF
from services.gateway.following import service as following
from services.gateway.models import Event, Job
from services.gateway.rules.announcements import in_one_order
from services.gateway.subscriptions import queries, service
from services.kernel.db import Database
from services.kernel.events import read_after
from services.kernel.jobs import Handler, enqueue
from services.kernel.peers import Peer, next_events

CONTRACTS, OWN = "announce:contracts", "announce:gateway"
SERVICE = {CONTRACTS: "contracts"}
BATCH = 500


async def announce(database: Database, _key: str, _now: datetime, *, contracts: Peer, pull_seconds: float) -> None:
    """Read what is next in both services, announce what can be relied on, and come back soon.

    An event whose transaction commits late is below no horizon before that, so it is never skipped.
    """
    async with database.transaction(SELF) as session:
        horizon = await queries.horizon(session)
        after = await queries.places(session, (CONTRACTS, OWN))
        own = await read_after(session, Event, after=after[OWN], limit=BATCH)
    theirs = await next_events(contracts, after[CONTRACTS], SELF)
    events = in_one_order(horizon, {CONTRACTS: theirs, OWN: own})
    about = {UUID(each["subject_id"]) for source, each in events if following.about_contract(SERVICE.get(source), each)}
    async with database.transaction(SELF) as session:
        strange = about - (await queries.contract_refs(session, about)).keys()
    found = [await calls.contract(contracts, contract_id) for contract_id in sorted(strange)]
    async with database.transaction(SELF) as session:
        await following.follow(session, contracts=found)
        await service.announce(session, after=after, events=events)
        await enqueue(session, Job, kind="announce", key="all", pause_seconds=0.0 if events else pull_seconds)


def handlers(contracts: Peer, pull_seconds: float) -> Mapping[str, Handler]:
    """What the gateway's worker does so that subscribers are told."""
    return {"announce": partial(announce, contracts=contracts, pull_seconds=pull_seconds)}
