"""The gateway's background work: act (foreign, no transaction open), then record (one transaction)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from services.gateway import calls
from services.gateway.calls import SELF
from services.gateway.days import service as days
from services.gateway.following import queries as following_queries
from services.gateway.following import service as following
from services.gateway.grounds import service as grounds
from services.gateway.models import Cursor, Job
from services.gateway.receiver import Receiver
from services.gateway.records import queries as record_queries
from services.gateway.records import service as records
from services.gateway.rules.circumstances import circumstances
from services.gateway.rules.ground import gate_open
from services.gateway.rules.steps import CHECK, FREEZE, MEMBERSHIP
from services.gateway.rules.transfer import consents_needed, route_of
from services.gateway.settings import Settings
from services.gateway.subscriptions import jobs as subscriptions
from services.gateway.subscriptions.service import reseal
from services.gateway.transfers import queries as transfer_queries
from services.gateway.transfers.effect import wake
from services.gateway.vault import Vault
from services.gateway.withdrawals import queries as withdrawal_queries
from services.gateway.withdrawals import service as withdrawals
from services.kernel.db import Database
from services.kernel.events import locked_cursor
from services.kernel.jobs import Handler, Together, enqueue, forget
from services.kernel.peers import Peer, Refused, next_events

TOGETHER = 25
"""So many transfers are carried out together: what is done at once must be done well within a lease."""
CONTRACTS, RECORDS = 100, 500
"""So many contracts are brought their records together, and so many records are applied in one transaction."""


async def deliver(database: Database, keys: Sequence[str], now: datetime, *, contracts: Peer) -> None:
    """Take records to their contracts, each contract's in their order, then withdrawals; each is applied there once.

    Who records after this has been read leaves a wake-up of its own.
    """
    ids, full = [UUID(key) for key in keys], True
    while full:
        async with database.transaction(SELF) as session:
            waiting = await record_queries.undelivered(session, ids, RECORDS)
        full = len(waiting) == RECORDS
        if waiting:
            results = await calls.deliver(contracts, waiting)
            async with database.transaction(SELF) as session:
                await records.note_deliveries(session, results=results, now=now)
    full = True
    while full:
        async with database.transaction(SELF) as session:
            taken_back = await withdrawal_queries.undelivered(session, ids, RECORDS)
        full = len(taken_back) == RECORDS
        for row in taken_back:
            result = await calls.withdraw(contracts, row)
            async with database.transaction(SELF) as session:
                await withdrawals.note_delivery(session, withdrawal_id=row.id, result=result, now=now)


async def pull(
    database: Database, key: str, now: datetime, *, contracts: Peer, outcomes: Peer, pull_seconds: float
) -> None:
    """Read the next events of a service, look at each contract that changed, and come back soon."""
    async with database.transaction(SELF) as session:
        cursor = await locked_cursor(session, Cursor, key)
        after = (cursor.txid, cursor.position)
    found = await next_events({"contracts": contracts, "outcomes": outcomes}[key], after, SELF)
    changed = sorted({event["subject_id"] for event in found if following.about_contract(key, event)})
    async with database.transaction(SELF) as session:
        done = await following_queries.frozen(session, changed)
    present = await calls.several(contracts, [UUID(each) for each in changed if each not in done])
    async with database.transaction(SELF) as session:
        if await following.take_events(session, source=key, after=after, events=found, contracts=present, now=now):
            await days.heed(session, events=found, now=now)
        pause = 0.0 if found else pull_seconds
        await enqueue(session, Job, kind="pull", key=key, pause_seconds=pause)


async def review(database: Database, key: str, now: datetime, *, contracts: Peer, outcomes: Peer) -> None:
    """Check the ground of a contract's transfer; open it by itself where every condition holds."""
    ground = await calls.ground(contracts, outcomes, UUID(key))
    found, contract = ground.conditions, ground.contract
    async with database.transaction(SELF) as session:
        row = await transfer_queries.live_transfer(session, UUID(key))
        if row is not None:
            if await grounds.note_ground(session, row=row, contract=contract, found=found, now=now):
                await wake(session, row, now)
            return
    if not gate_open(found) or contract["status"] != "completed":
        return
    proposal = await proposal_of(outcomes, ground)
    async with database.transaction(SELF) as session:
        await grounds.open_transfer(session, proposal=proposal, caller=SELF, now=now)


async def proposal_of(outcomes: Peer, ground: calls.Ground) -> grounds.Proposal:
    """The transfer that these grounds lead to, with the way in that suits what the school is now."""
    school = await calls.school(outcomes, ground.contract["school"]["urn"])
    route, trust = route_of(school), await calls.outgoing_trust(outcomes, school)
    return grounds.Proposal(
        contract=ground.contract,
        conditions=ground.conditions,
        route=route,
        needed=consents_needed(route, school["religious_character"]),
        circumstances=circumstances(school, ground.inspections, len(trust["members"]) if trust else None),
        outgoing_trust=trust,
    )


async def carry_out(
    database: Database, keys: Sequence[str], now: datetime, *, contracts: Peer, outcomes: Peer, receiver: Receiver
) -> None:
    """The day itself, of several transfers: one act after another; each is noted once the other side has answered,
    together with the next.
    """
    terms = days.Terms(receiver.url is not None, receiver.minutes)
    going: list[UUID] = [UUID(key) for key in keys]
    done: days.Done = {}
    while going:
        async with database.transaction(SELF) as session:
            due = await days.go_on(session, transfer_ids=going, done=done, terms=terms, now=now)
        try:
            done = await perform(due, contracts=contracts, outcomes=outcomes)
        except Refused as refusal:
            for each in due if len(due) == 1 else []:
                async with database.transaction(SELF) as session:
                    row = await transfer_queries.transfer(session, each.row.id, locked=True)
                    await days.refused_act(session, row=row, key=each.act, code=refusal.code, now=now)
            raise
        going = [each.row.id for each in due]


async def perform(due: Sequence[days.Due], *, contracts: Peer, outcomes: Peer) -> days.Done:
    """The acts that are due, those of a kind in one call; each may be repeated and has its effect once."""
    checks, joins, freezes = ([each for each in due if each.act == act] for act in (CHECK, MEMBERSHIP, FREEZE))
    done: dict[UUID, tuple[str, Any]] = {}
    if checks:
        found = await calls.grounds(contracts, outcomes, [each.row.contract_id for each in checks])
        done |= {each.row.id: (CHECK, found[each.row.contract_id]) for each in checks}
    if joins:
        joined = await calls.open_memberships(outcomes, [(each.row, each.identifiers) for each in joins])
        done |= {transfer_id: (MEMBERSHIP, answer) for transfer_id, answer in joined.items()}
    if freezes:
        frozen = await calls.freeze_contracts(contracts, [each.row for each in freezes])
        done |= {transfer_id: (FREEZE, answer) for transfer_id, answer in frozen.items()}
    return done


async def hand_over(database: Database, key: str, now: datetime, *, receiver: Receiver) -> None:
    """Take the package of a transfer to its receiver; it is delivered when that has said so."""
    transfer_id = UUID(key)
    async with database.transaction(SELF) as session:
        made = await days.package_of(session, transfer_id)
    if made.acknowledged_at is not None:
        return
    remote_id = await receiver.send(key, made.package, made.sha256)
    async with database.transaction(SELF) as session:
        row = await transfer_queries.transfer(session, transfer_id, locked=True)
        await days.acknowledge(session, row=row, remote_id=remote_id, sha256=made.sha256, caller=SELF, now=now)


async def prune(database: Database, key: str, now: datetime, *, delivery_days: int) -> None:
    """Throw away deliveries that were finished so many days ago, with their attempts, some at a time; hourly."""
    async with database.transaction(SELF) as session:
        pruned = await session.execute(text("SELECT gateway.prune_deliveries(:days)"), {"days": delivery_days})
        await enqueue(session, Job, kind="prune", key=key, pause_seconds=1 if pruned.scalar_one() else 3600)


async def rotate_keys(
    database: Database, key: str, now: datetime, *, rotate: Callable[[], list[str]], vault: Vault
) -> None:
    """Give signers whose keys are old new ones, where they are kept, and bring secrets under a new key; daily."""
    if made := await asyncio.to_thread(rotate):
        structlog.get_logger("ringfence").info("signing keys made", kids=made)
    async with database.transaction(SELF) as session:
        await reseal(session, vault=vault)
        await enqueue(session, Job, kind="rotate", key=key, pause_seconds=86_400)
    await asyncio.to_thread(vault.retire)


def handlers(
    contracts: Peer, outcomes: Peer, settings: Settings, rotate: Callable[[], list[str]], receiver: Receiver
) -> Mapping[str, Handler]:
    """What to do for each kind of job, with the services that it needs."""
    return {
        "deliver": Together(partial(deliver, contracts=contracts), CONTRACTS),
        "pull": partial(pull, contracts=contracts, outcomes=outcomes, pull_seconds=settings.pull_seconds),
        "review": partial(review, contracts=contracts, outcomes=outcomes),
        "carry_out": Together(partial(carry_out, contracts=contracts, outcomes=outcomes, receiver=receiver), TOGETHER),
        "hand_over": partial(hand_over, receiver=receiver),
        "forget": partial(forget, table=Job),
        "prune": partial(prune, delivery_days=settings.delivery_days),
        "rotate": partial(rotate_keys, rotate=rotate, vault=Vault(settings.keys_dir)),
        **subscriptions.handlers(contracts, outcomes, settings.pull_seconds),
    }
