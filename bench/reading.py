"""Row 3: what the gateway adds to reading a contract, in one process and in two, beside a bare proxy."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from bench import load
from bench.contest import Goal, Measured, Result
from bench.ground import ROOT, VAR, Ground
from bench.senders import CLIENTS, OPERATOR, token
from bench.serving import ringfence, serving
from services import keys
from services.demo import cast
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn
from services.ingest import Arrival, ingest_file
from services.kernel.auth import Caller
from services.kernel.db import Database, role_url
from services.kernel.tokens import Signer
from services.kernel.types import Kind, real_now
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.years import academic_year_from

SECONDS, TURN, TURNS = 4.0, 0.6, 6
"""Seconds of a load by many callers, and of a turn of a single one; turns that each way takes in a run."""
ANEW = 'If-None-Match: "another"\r\n'
"""Who names another version than the gateway keeps is answered by the service itself."""
TERM = {"term": {"starts_on": "2030-09-01", "ends_on": "2031-08-31"}, "milestones": []}


class Way(NamedTuple):
    """How a contract is read: at which port, with which proof, and with which header lines besides."""

    port: int
    proof: Callable[[], str]
    more: str = ""


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The row, if it is wanted."""
    if 3 not in wanted:
        return
    url = ground.database(ground.migrated())
    try:
        yield added(ground, url)
    finally:
        ground.drop(url)


def added(ground: Ground, url: str) -> Result:
    """The median of one caller who asks again and again, less that of asking the service itself."""
    caller, proof = asyncio.run(commissioner(url))
    with ExitStack() as stack:
        logs = VAR / "log"
        one = stack.enter_context(ringfence(url, ground.keys_dir, logs / "one")).port
        direct = stack.enter_context(ringfence(url, ground.keys_dir, logs / "contracts", "contracts")).port
        elsewhere = {"contracts_url": f"http://127.0.0.1:{direct}"}
        split = stack.enter_context(ringfence(url, ground.keys_dir, logs / "split", **elsewhere)).port
        proxy = stack.enter_context(serving(["-m", "bench.peers.proxy", str(direct)], {}, logs / "proxy")).port
        access_token = token(one, caller.client_id, proof)
        path = drafted(one, access_token)
        signer = Signer(keys.Folder(ground.keys_dir), "gateway")
        by_identity = partial(signer.identity, caller, "contracts")
        service = Way(direct, by_identity)
        ways = {
            "one": Way(one, lambda: access_token),
            "split": Way(split, lambda: access_token),
            "proxy": Way(proxy, by_identity),
            "one, anew": Way(one, lambda: access_token, ANEW),
            "split, anew": Way(split, lambda: access_token, ANEW),
        }
        runs: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(ground.times + 1):
            for name, way in ways.items():
                seconds = beside(path, way, service)
                if turn:
                    runs[name].append(seconds * 1e6)
        kept, anew = (load.run(one, [asking(path, access_token, more)] * CLIENTS, SECONDS) for more in ("", ANEW))
    words = "What the gateway adds to reading a contract again, in a process of its own (median of one caller)"
    goal = Goal(to_limit=2, at_most={"added in one process, us": 1000})
    detail = {
        "added in one process, us": Measured.of(runs["one"]).median,
        "added to an answer that is not kept, us": Measured.of(runs["split, anew"]).median,
        "the same in one process, us": Measured.of(runs["one, anew"]).median,
        "read, many callers, us": 1e6 * kept.each,
        "read anew, many callers, us": 1e6 * anew.each,
    }
    ours, limit = Measured.of(runs["split"]), Measured.of(runs["proxy"])
    return Result(3, words, "us", ours, {}, limit, "a proxy that hands bytes on unread", goal, detail)


async def commissioner(url: str) -> tuple[Caller, str]:
    """A commissioner and its secret; schools and trusts of the sample are there."""
    database = Database("outcomes", role_url("outcomes", url))
    for file in cast.FILES:
        year = academic_year_from(file.academic_year) if file.academic_year else None
        asked = Arrival(file.feed, year, Stage.FINAL, date.fromisoformat(file.published_on))
        await ingest_file(database, ROOT / "sample" / file.name, asked, real_now())
    await database.close()
    scopes = ["contracts:read", "contracts:write"]
    body = ClientIn(name="RSC", kind=Kind.COMMISSIONER, organisation="rsc", regions=[cast.REGION], scopes=scopes)
    database = Database("gateway", role_url("gateway", url))
    async with database.transaction(OPERATOR) as session:
        row, secret = await access.register_client(session, body=body, caller=OPERATOR, now=real_now())
    await database.close()
    bounds: dict[str, Any] = {"scopes": frozenset(scopes), "regions": (cast.REGION,)}
    return Caller(row.id, row.name, Kind.COMMISSIONER, row.organisation, **bounds), secret or ""


def drafted(port: int, access_token: str, **changes: Any) -> str:
    """The path of a contract."""
    headers = {"Authorization": f"Bearer {access_token}", "Idempotency-Key": f'"{uuid4()}"'}
    body = cast.CONTRACT | TERM | changes
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/contracts", headers=headers, json=body, timeout=60)
    return f"/v1/contracts/{answer.raise_for_status().json()['id']}"


def beside(path: str, way: Way, service: Way) -> float:
    """How many seconds longer a single caller waits than at the service itself; the two take short turns."""
    return median(waited(path, way) - waited(path, service) for _ in range(TURNS))


def waited(path: str, way: Way) -> float:
    """The seconds within which half of a caller's requests were answered.

    A process that has rested is slow at first, so the beginning of a turn does not count.
    """
    ask = [asking(path, way.proof(), way.more)]
    load.run(way.port, ask, TURN / 2)
    return load.run(way.port, ask, TURN).percentile(50)


def asking(path: str, proof: str, more: str = "") -> load.Ask:
    """What a caller with this proof sends again and again; `more` are further header lines."""
    asked = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {proof}\r\n{more}\r\n".encode()
    return lambda: asked
