"""Row 73: webhook deliveries to a receiver on this machine, beside as many jobs of procrastinate that do nothing."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.contest import Goal, Result, Way, interleaved
from bench.ground import VAR, Ground, plain
from bench.senders import OPERATOR, registered
from bench.serving import PATIENCE, serving, waited, worker
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn
from services.gateway.subscriptions import service as subscriptions
from services.gateway.subscriptions.effect import FAN_OUT
from services.gateway.subscriptions.schemas import SubscriptionIn
from services.gateway.vault import Vault
from services.kernel.auth import Caller
from services.kernel.db import Database, role_url
from services.kernel.types import Kind, real_now

DELIVERIES, SUBSCRIPTIONS = 100_000, 10
JOBS = 10_000
"""So many of the peer's: it does fewer in a second when more are waiting."""
ANNOUNCED = text(
    "INSERT INTO gateway.announcement (id, type, occurred_at, contract_id, data, organisation, region, la_code,"
    " supplier_uid, school_urn, offered) SELECT uuidv7(), 'milestone.recorded', now(), r.contract_id,"
    " jsonb_build_object('contract_id', r.contract_id, 'milestone_code', 'M' || 1 + n % 8, 'number', n, 'record_id',"
    "  uuidv7(), 'status', 'met', 'links', jsonb_build_object('contract', '/v1/contracts/' || r.contract_id)),"
    " r.organisation, r.region, r.la_code, r.supplier_uid, r.school_urn, true"
    " FROM (SELECT row_number() OVER (ORDER BY contract_id) - 1 AS place, * FROM gateway.contract_ref) r"
    " JOIN generate_series(0, :events - 1) n ON n % (SELECT count(*) FROM gateway.contract_ref) = r.place"
    " ORDER BY n"
)
LEFT = "SELECT count(*) FROM gateway.dispatch WHERE status = 'waiting'"
KEPT = (
    "SELECT count(*) FILTER (WHERE status = 'delivered' AND attempts = 1), (SELECT count(*) FROM gateway.attempt"
    " WHERE response_status = 204), (SELECT count(*) FROM gateway.line) FROM gateway.dispatch"
)
"""Deliveries that are acknowledged, their attempts in the log, and what is still waiting."""
GOAL = Goal(to_peer=5)


class NotDelivered(RuntimeError):
    """Something was lost, unsigned, out of its order or not in the log: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A database in which so many deliveries are waiting; secrets by subscription."""

    template: str
    count: int
    secrets: Mapping[str, str]


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The row, if it is wanted."""
    if 73 in wanted:
        yield contest(ground)


def contest(ground: Ground) -> Result:
    """One worker as it is deployed, and one of procrastinate's; each with its own database, one after the other."""
    stage, jobs = asyncio.run(prepared(ground)), ground.size.of(JOBS)
    try:
        ways = {
            "ours": Way(lambda url: delivered(ground, url, stage) * 1e6, lambda: ground.database(stage.template)),
            "procrastinate": Way(lambda url: nothing(ground, url, jobs) * 1e6, ground.database),
        }
        found = interleaved(ways, ground.times)
    finally:
        ground.drop(ground.named(stage.template))
    words = f"{DELIVERIES:,} webhook deliveries to {SUBSCRIPTIONS} subscribers, in order for each contract"
    return Result(73, words, "us", found.pop("ours"), found, None, "", GOAL)


async def prepared(ground: Ground) -> Stage:
    """Events about many contracts are announced to subscribers that may know of all of them, and none is sent yet."""
    url, secrets = ground.database(ground.migrated()), {}
    await registered(url)
    database, vault, now = Database("gateway", role_url("gateway", url)), Vault(ground.keys_dir), real_now()
    async with database.transaction(OPERATOR) as session:
        for number in range(SUBSCRIPTIONS):
            body = ClientIn(name=f"dfe {number}", kind=Kind.DFE, scopes=["contracts:read", "subscriptions:write"])
            client, _ = await access.register_client(session, body=body, caller=OPERATOR, now=now)
            caller = Caller(client.id, client.name, Kind.DFE, client.organisation)
            asked = SubscriptionIn(url="https://hooks.example.org/", types=["*"])
            row, secret = await subscriptions.subscribe(session, body=asked, vault=vault, caller=caller, now=now)
            secrets[str(row.id)] = secret.removeprefix("whsec_")
    events = ground.size.of(DELIVERIES // SUBSCRIPTIONS)
    async with database.transaction(OPERATOR) as session:
        await session.execute(ANNOUNCED, {"events": events})
        await session.execute(FAN_OUT, {"position": 0})
    await database.close()
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return Stage(make_url(url).database or "", events * SUBSCRIPTIONS, secrets)


def delivered(ground: Ground, url: str, stage: Stage) -> float:
    """Seconds for each delivery, from the first that arrives until all are noted as acknowledged."""
    log = VAR / "log"
    try:
        with serving(["-m", "bench.hearing"], {}, log / "hearing") as (port, *_), httpx.Client() as client:
            place = f"http://127.0.0.1:{port}"
            with psycopg.connect(plain(url), autocommit=True) as connection:
                connection.execute("UPDATE gateway.subscription SET url = %s || id", [f"{place}/hook/"])
                with worker(url, ground.keys_dir, log / "worker", webhook_allow="127.0.0.1"):
                    begun = waited(lambda: client.get(f"{place}/heard").json() > 0)
                    waited(lambda: client.get(f"{place}/heard").json() >= stage.count)
                    ended = waited(lambda: connection.execute(LEFT).fetchone() == (0,))
                kept = connection.execute(KEPT).fetchone()
            found = client.post(f"{place}/check", json=stage.secrets, timeout=PATIENCE).json()
    finally:
        ground.drop(url)
    good = {"heard": stage.count, "again": 0, "unsigned": 0, "overtaking": 0}
    if found != good or kept != (stage.count, stage.count, 0):
        raise NotDelivered(f"{found}, {kept}")
    return (ended - begun) / stage.count


def nothing(ground: Ground, url: str, jobs: int) -> float:
    """Seconds for each job of the peer."""
    words = [sys.executable, "-m", "bench.peers.jobs", plain(url), str(jobs)]
    try:
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    finally:
        ground.drop(url)
    return float(done.stdout) / jobs
