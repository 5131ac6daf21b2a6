"""A service behind the door is away, hangs or talks nonsense: that is told, and whoever needs it not is not held up."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.demo import cast
from services.kernel.peers import FAILURES, PLACES, QUEUE, SECONDS, Breaker, Peer
from services.kernel.types import Kind
from tests.integration.conftest import active_contract
from tests.wire.loopback import check_problem, served
from tests.wire.test_two_processes import gateway
from tests.world import World

Send = Callable[[Any], Awaitable[None]]
JSON = (b"application/json", 200)
ANSWERS: dict[str, tuple[bytes, int, bytes]] = {
    "truncated JSON": (b"application/json", 200, b'{"data": [{"urn"'),
    "no JSON": (b"application/json", 200, b"nothing"),
    "another content type": (b"text/plain", 200, b'{"data": []}'),
    "a page": (b"text/html", 200, b"<html>Welcome</html>"),
    "a page for an error": (b"text/html", 404, b"<html>Not here</html>"),
    "a redirect": (b"text/html", 302, b""),
    "a failure": (b"text/html", 500, b"<html>Traceback</html>"),
    "an unknown status": (b"application/json", 299, b"{}"),
}


def answering(kind: bytes, status: int, body: bytes, length: int | None = None) -> Any:
    """An app that always gives this answer."""

    async def app(_scope: Any, _receive: Any, send: Send) -> None:
        size = len(body) if length is None else length
        headers = [(b"content-type", kind), (b"content-length", str(size).encode()), (b"location", b"/elsewhere")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def endless(_scope: Any, _receive: Any, send: Send) -> None:
    """An answer that goes on and on."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(50):
        await send({"type": "http.response.body", "body": b" " * 1_000_000, "more_body": True})


async def hanging(_scope: Any, _receive: Any, _send: Send) -> None:
    """No answer in any time that somebody would wait."""
    await asyncio.sleep(60)


@asynccontextmanager
async def door_before(app: Any, database_url: str, keys_dir: Path) -> AsyncIterator[World]:
    """The gateway with this app in the place of both services."""
    async with served(app) as url:
        addresses = {"RINGFENCE_CONTRACTS_URL": url, "RINGFENCE_OUTCOMES_URL": url}
        async with gateway(database_url, keys_dir, **addresses) as door:
            yield door


def behind(door: World, name: str, service: str = "gateway") -> Peer:
    """The way of a service to another."""
    return next(each for each in door.system.peers if (each.signer.name, each.name) == (service, name))


@pytest.mark.parametrize("what", ANSWERS)
async def test_nonsense_is_502(what: str, database_url: str, keys_dir: Path) -> None:
    async with door_before(answering(*ANSWERS[what]), database_url, keys_dir) as door:
        reader = await door.client(Kind.DFE)
        for path in ("/v1/schools", f"/v1/contracts/{uuid4()}"):
            answer = await reader.ask("GET", path)
            check_problem(answer, 502)
            assert int(answer.headers["retry-after"]) > 0
        assert not behind(door, "outcomes").away


async def test_an_answer_cut_short_or_without_end_is_502(
    database_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.kernel.peers.MAX_ANSWER", 3_000_000)
    async with door_before(endless, database_url, keys_dir) as door:
        check_problem(await (await door.client(Kind.DFE)).ask("GET", "/v1/schools"), 502)


async def test_a_service_that_hangs_is_left_alone_after_some_calls(
    database_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.system.DOOR_SECONDS", 0.2)
    async with door_before(hanging, database_url, keys_dir) as door:
        reader = await door.client(Kind.DFE)
        for _ in range(5):
            check_problem(await reader.ask("GET", "/v1/measures"), 504)
        started = time.monotonic()
        answer = await reader.ask("GET", "/v1/measures")
        check_problem(answer, 503)
        assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert time.monotonic() - started < 0.2
        outcomes = behind(door, "outcomes")
        outcomes.breaker = Breaker(outcomes.breaker.failures, time.monotonic())
        answers = await asyncio.gather(*(reader.ask("GET", "/v1/measures") for _ in range(5)))
        assert sorted(each.status_code for each in answers) == [503, 503, 503, 503, 504]


async def test_readiness_names_what_is_away(database_url: str, keys_dir: Path) -> None:
    async with door_before(answering(b"text/html", 500, b""), database_url, keys_dir) as door:
        found = (await door.http.get("/health/ready")).json()
        assert found["status"] == "ready"
        behind(door, "outcomes").breaker = Breaker(9, time.monotonic() + 60)
        assert (await door.http.get("/health/ready")).json()["away"] == ["outcomes"]


async def test_a_hanging_service_holds_up_no_record(seeded_world: World) -> None:
    actors = await seeded_world.cast()
    path = await active_contract(seeded_world, actors)
    body = {"status": "met", "occurred_on": "2023-09-01"}

    async def seconds() -> float:
        started = time.perf_counter()
        await actors["mat"].post(f"{path}/milestones/M1/records", body)
        return time.perf_counter() - started

    async def slowest() -> float:
        return max([await seconds() for _ in range(12)])

    before = await slowest()
    outcomes = behind(seeded_world, "outcomes")
    outcomes.client = type(outcomes.client)(transport=Deaf(), base_url="http://deaf")
    reads = [asyncio.create_task(actors["dfe"].ask("GET", "/v1/schools")) for _ in range(PLACES + QUEUE + 50)]
    while sum(reading.done() for reading in reads) < QUEUE + 50:  # the rest hang
        await asyncio.wait(reads, timeout=0.05)
    during = await slowest()
    answered = [reading.result() for reading in reads if reading.done()]
    for each in answered:
        check_problem(each, 503)
    assert len(answered) == QUEUE + 50
    for reading in reads:
        reading.cancel()
    await asyncio.gather(*reads, return_exceptions=True)
    assert during < 3 * before + 0.5, (before, during)


class Deaf(httpx.AsyncBaseTransport):
    """Takes requests and never answers."""

    async def handle_async_request(self, _request: Any) -> Any:
        await asyncio.sleep(60)


async def test_contracts_leaves_a_hanging_outcomes_alone_and_the_door_lets_contracts_be_called(
    seeded_world: World,
) -> None:
    rsc = await seeded_world.client(Kind.COMMISSIONER, regions=[cast.REGION])
    outcomes, commitments = behind(seeded_world, "outcomes", "contracts"), behind(seeded_world, "contracts")
    outcomes.seconds, outcomes.client = 0.1, type(outcomes.client)(transport=Deaf(), base_url="http://deaf")
    for _ in range(FAILURES):
        check_problem(await rsc.ask("POST", "/v1/contracts", json=cast.CONTRACT), 504)
    started = time.monotonic()
    refused = check_problem(await rsc.ask("POST", "/v1/contracts", json=cast.CONTRACT), 503)
    assert time.monotonic() - started < 0.1
    assert "outcomes" in refused["detail"]
    assert (await rsc.get("/v1/contracts"))["data"] == []
    assert (outcomes.away, commitments.away) == (True, False)
    transport = httpx.ASGITransport(app=seeded_world.system.apps["contracts"])
    async with httpx.AsyncClient(transport=transport, base_url="http://contracts") as http:
        assert (await http.get("/health/ready")).json() == {"status": "ready", "away": ["outcomes"]}
    outcomes.seconds, outcomes.client = SECONDS, behind(seeded_world, "outcomes").client
    outcomes.breaker = Breaker(FAILURES)
    await rsc.post("/v1/contracts", cast.CONTRACT)
    assert not outcomes.away


async def test_nothing_is_half_done_when_a_service_is_away(seeded_url: str, keys_dir: Path) -> None:
    async with door_before(answering(b"text/html", 500, b""), seeded_url, keys_dir) as door:
        caller = await door.client(Kind.COMMISSIONER, regions=["North West"])
        check_problem(await caller.ask("POST", "/v1/contracts", json={"title": "x"}), 502)
        for table in ("contracts.contract", "contracts.event", "contracts.idempotency_key", "gateway.job"):
            assert door.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
        assert json.loads((await caller.ask("GET", "/openapi.json")).text)
