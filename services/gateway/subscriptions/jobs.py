"""Announcing: the events of all three services, brought into one order and put on their way."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from services.gateway import calls
from services.gateway.calls import SELF
from services.gateway.following import service as following
from services.gateway.models import Event, Job
from services.gateway.rules.announcements import CONTRACTS, OUTCOMES, OWN, SOURCES, in_one_order
from services.gateway.subscriptions import effect, queries
from services.kernel.db import Database
from services.kernel.events import read_after
from services.kernel.jobs import Handler, enqueue
from services.kernel.peers import Peer, next_events

BATCH = 500


async def announce(
    database: Database, _key: str, _now: datetime, *, contracts: Peer, outcomes: Peer, pull_seconds: float
) -> None:
    """Read what is next in all services, announce what can be relied on, and come back soon.

    An event whose transaction commits late is below no horizon before that, so it is never skipped.
    """
    async with database.transaction(SELF) as session:
        horizon = await queries.horizon(session)
        after = await queries.places(session, SOURCES)
        own = await read_after(session, Event, after=after[OWN], limit=BATCH)
    promised = await next_events(contracts, after[CONTRACTS], SELF)
    shown = await next_events(outcomes, after[OUTCOMES], SELF)
    events = in_one_order(horizon, {CONTRACTS: promised, OUTCOMES: shown, OWN: own})
    theirs = (each for source, each in events if source == CONTRACTS)
    about = {UUID(each["subject_id"]) for each in theirs if following.about_contract("contracts", each)}
    async with database.transaction(SELF) as session:
        strange = about - (await queries.contract_refs(session, about)).keys()
    found = await calls.several(contracts, strange)
    async with database.transaction(SELF) as session:
        await following.follow(session, contracts=found)
        await effect.announce(session, after=after, events=events)
        await enqueue(session, Job, kind="announce", key="all", pause_seconds=0.0 if events else pull_seconds)


def handlers(contracts: Peer, outcomes: Peer, pull_seconds: float) -> Mapping[str, Handler]:
    """What the gateway's worker does so that subscribers are told."""
    return {"announce": partial(announce, contracts=contracts, outcomes=outcomes, pull_seconds=pull_seconds)}
