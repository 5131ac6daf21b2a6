"""Rows 1 and 2: recording milestones through the gateway, one a request and a thousand a request."""

import asyncio
import itertools
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import httpx

from bench import bulk, load, transaction
from bench.contest import Goal, Result, Way, interleaved
from bench.ground import VAR, Ground
from bench.senders import CLIENTS, EACH, RECORD, Sender, registered, token
from bench.serving import Served, ringfence, serving
from services.gateway.records.schemas import RecordIn
from services.gateway.records.service import Asked

SECONDS = 8.0
GOAL = Goal(to_peer=12, to_limit=1 / 0.6, at_most={"p99 at half load, ms": 25})


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The rows that are wanted."""
    if not wanted & {1, 2}:
        return
    url = ground.database(ground.migrated())
    try:
        senders = asyncio.run(registered(url))
        with ringfence(url, ground.keys_dir, VAR / "log" / "door") as (port, *_):
            tokens = [token(port, each.caller.client_id, each.secret) for each in senders]
            if 1 in wanted:
                yield one_by_one(ground, url, port, senders, tokens)
            if 2 in wanted:
                yield bulk.contest(ground, url, port, senders, tokens)
    finally:
        ground.drop(url)


def asks(senders: Sequence[Sender], tokens: Sequence[str], record: Mapping[str, str] = RECORD) -> list[load.Ask]:
    """What each client sends: a record on one of its contracts after another, each under a key of its own."""
    body = json.dumps(record).encode()
    counter, run_id = itertools.count(), secrets.token_hex(4)

    def ask(sender: Sender, proof: str) -> load.Ask:
        tail = f"Authorization: Bearer {proof}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        rest = tail.encode() + body
        contracts = itertools.cycle(sender.contracts)

        def made() -> bytes:
            path = f"/v1/contracts/{next(contracts)}/milestones/M{next(counter) % 8 + 1}/records"
            key = f'"{run_id}-{next(counter):012d}"'
            return f"POST {path} HTTP/1.1\r\nHost: bench\r\nIdempotency-Key: {key}\r\n".encode() + rest

        return made

    return [ask(sender, proof) for sender, proof in zip(senders, tokens, strict=True)]


def one_by_one(ground: Ground, url: str, port: int, senders: Sequence[Sender], tokens: Sequence[str]) -> Result:
    """One record a request: ours over HTTP, the template's over HTTP, and the bare transaction by pgbench."""
    others = ground.database()
    asked = Asked(senders[0].contracts[0], "M1", RecordIn.model_validate(RECORD))
    transaction.keep(url, [each.caller for each in senders], [each.contracts for each in senders], asked)
    with ExitStack() as stack:
        stack.callback(ground.drop, others)
        peer, made = stack.enter_context(template(others))
        peer_asks = made()
        found = interleaved(
            {
                "ours": Way(lambda _: load.run(port, asks(senders, tokens), SECONDS).each * 1e6),
                "full-stack template": Way(lambda _: load.run(peer.port, peer_asks, SECONDS).each * 1e6),
                "pgbench": Way(lambda _: transaction.pgbench(url, CLIENTS, EACH, SECONDS) * 1e6),
            },
            ground.times,
        )
    ours, limit = found.pop("ours"), found.pop("pgbench")
    words = f"Record a milestone through the gateway, durable with the answer, {CLIENTS} clients"
    late = load.run(port, asks(senders, tokens), SECONDS, 0.5e6 / ours.median)
    detail = {"p50 at half load, ms": late.percentile(50) * 1e3, "p99 at half load, ms": late.percentile(99) * 1e3}
    return Result(1, words, "us", ours, found, limit, "pgbench, the same transaction", GOAL, detail)


@contextmanager
def template(url: str) -> Iterator[tuple[Served, Callable[[], list[load.Ask]]]]:
    """The template, and what makes its clients' requests: the same record, by a user each who logs in for it."""
    values = {"TEMPLATE_DATABASE_URL": url, "TEMPLATE_SECRET": secrets.token_hex(32)}
    people = {f"trust{number}@example.org": secrets.token_urlsafe(12) for number in range(CLIENTS)}
    prepare = [sys.executable, "-m", "bench.peers.template", json.dumps(people)]
    subprocess.run(prepare, env={**os.environ, **values}, check=True)
    with serving(["-m", "uvicorn", "bench.peers.template:app"], values, VAR / "log" / "template") as served:
        address = f"http://127.0.0.1:{served.port}/login/access-token"

        def made() -> list[load.Ask]:
            logins = [httpx.post(address, data={"username": name, "password": word}) for name, word in people.items()]
            return [template_ask(str(each.raise_for_status().json()["access_token"])) for each in logins]

        yield served, made


def template_ask(proof: str) -> load.Ask:
    """What a client of the template sends."""
    contracts = itertools.cycle([str(uuid4()) for _ in range(EACH)])
    head = (
        f"POST /records/ HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {proof}\r\nContent-Type: application/json\r\n"
    )

    def made() -> bytes:
        body = json.dumps(RECORD | {"contract_id": next(contracts), "milestone_code": "M1"}).encode()
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return made
