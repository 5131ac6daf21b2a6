"""The services as processes of their own, speaking over real HTTP: the same job works, and a missing one is told."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.demo import cast
from services.demo.stage import environment
from services.kernel.types import Kind
from services.system import assemble, here
from tests.wire.loopback import check_headers, check_problem, served
from tests.world import Actor, Json, World, agreed_contract

COMMAND = Path(sys.executable).with_name("ringfence")
NOW = "2023-06-20T09:00:00"
PATIENCE = 4
START = """
import asyncio, sys
from services import system
name, port = sys.argv[1], int(sys.argv[2])
asyncio.run(system.serve(system.assemble([name], poll_seconds=0.05), name, "127.0.0.1", port))
"""
"""What `ringfence up --service` does, on a database that is not the embedded one but with a clock that is moved."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Process:
    """One service in a process of its own."""

    def __init__(self, command: list[str], port: int, **variables: str) -> None:
        self.command, self.url = command, f"http://127.0.0.1:{port}"
        self.variables = {name: value for name, value in os.environ.items() if name != "RINGFENCE_NOW"} | variables
        self.start()

    def start(self) -> None:
        """Start it and wait until it can work."""
        self.process = subprocess.Popen(
            self.command, env=self.variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        until = time.monotonic() + 90
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"{self.command} does not start: {self.process.communicate()[1][-2000:]}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it with this signal; gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def services(seeded_url: str, keys_dir: Path) -> Iterator[dict[str, Process]]:
    """Outcomes, and contracts that reaches it, each in a process."""
    variables = {"RINGFENCE_DATABASE_URL": seeded_url, "RINGFENCE_KEYS_DIR": str(keys_dir), "RINGFENCE_NOW": NOW}
    started: dict[str, Process] = {}
    try:
        for name in ("outcomes", "contracts"):
            port = free_port()
            if "outcomes" in started:
                variables["RINGFENCE_OUTCOMES_URL"] = started["outcomes"].url
            started[name] = Process([sys.executable, "-c", START, name, str(port)], port, **variables)
        yield started
    finally:
        for each in started.values():
            each.end(signal.SIGKILL)


@asynccontextmanager
async def gateway(database_url: str, keys_dir: Path, **variables: str) -> AsyncIterator[World]:
    """The gateway in this process, served over HTTP, with nothing behind it but addresses."""
    known = {"RINGFENCE_DATABASE_URL": database_url, "RINGFENCE_KEYS_DIR": str(keys_dir), **variables}
    with environment(known):
        assert here() == ["gateway"]
        system = assemble(here(), poll_seconds=0.05)
        assert list(system.apps) == ["gateway"]
        try:
            async with served(system.apps["gateway"]) as url, httpx.AsyncClient(base_url=url, timeout=60) as http:
                yield World(system, database_url, http)
        finally:
            await system.close()


@pytest.fixture
async def door(services: dict[str, Process], seeded_url: str, keys_dir: Path) -> AsyncIterator[World]:
    """The gateway that reaches the two processes."""
    addresses = {f"RINGFENCE_{name.upper()}_URL": each.url for name, each in services.items()}
    async with gateway(seeded_url, keys_dir, **addresses, RINGFENCE_NOW=NOW) as found:
        yield found


async def patiently(actor: Actor, method: str, path: str, **request: Json) -> httpx.Response:
    """The answer to a request, sent again when it was told to come later; more than once on a slow machine."""
    for _ in range(PATIENCE):
        answer = await actor.ask(method, path, **request)
        if answer.status_code != 503:
            break
        await asyncio.sleep(int(answer.headers["retry-after"]))
    return answer


async def test_a_school_is_read_and_a_contract_agreed_over_three_processes(door: World) -> None:
    actors = await door.cast()
    school = await actors["rsc"].get(f"/v1/schools/{cast.SCHOOL}")
    assert school["name"] == cast.SCHOOL_NAME
    path = await agreed_contract(actors)
    found = await actors["rsc"].get(path)
    assert (found["status"], found["school"]["urn"], found["supplier"]["uid"]) == ("agreed", cast.SCHOOL, cast.SUPPLIER)
    assert (await actors["mat"].get(path))["id"] == found["id"]


async def test_refusals_and_headers_come_through_unchanged(door: World) -> None:
    actors, key = await door.cast(), str(uuid4())
    made = await actors["rsc"].ask("POST", "/v1/contracts", json=cast.CONTRACT, key=key)
    assert made.status_code == 201, made.text
    again = await actors["rsc"].ask("POST", "/v1/contracts", json=cast.CONTRACT, key=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (made.json(), "true")
    assert again.headers["etag"] == made.headers["etag"]
    other = cast.CONTRACT | {"title": "Another"}
    reused = check_problem(await actors["rsc"].ask("POST", "/v1/contracts", json=other, key=key), 422)
    assert reused["code"] == "idempotency_key_reused"
    path = f"/v1/contracts/{made.json()['id']}"
    check_problem(await actors["rsc"].ask("POST", f"{path}/offer"), 428)
    check_problem(await actors["rsc"].ask("POST", f"{path}/offer", headers={"If-Match": '"stale"'}), 412)
    json = {"content-type": "application/json"}
    check_problem(await actors["rsc"].ask("POST", "/v1/contracts", content=b"{", headers=json), 400)
    unchanged = await actors["rsc"].ask("GET", path, headers={"If-None-Match": made.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_a_page_leads_to_the_next_one_at_the_gateway(door: World) -> None:
    reader = await door.client(Kind.DFE)
    first = await reader.ask("GET", "/v1/trusts", params={"limit": 1})
    link = first.headers["link"].partition(">")[0].removeprefix("<")
    assert link.startswith("/v1/trusts?"), link
    second = await reader.get(link)
    assert second["data"][0]["uid"] != first.json()["data"][0]["uid"]


async def test_without_outcomes_what_needs_it_is_503_and_the_rest_goes_on(
    door: World, services: dict[str, Process]
) -> None:
    actors = await door.cast()
    path, key = await agreed_contract(actors), str(uuid4())
    other = cast.CONTRACT | {"term": {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}, "milestones": []}
    services["outcomes"].end(signal.SIGKILL)
    for target in (f"/v1/schools/{cast.SCHOOL}", "/v1/trusts", "/v1/measures", f"{path}/evaluations"):
        answer = await actors["rsc"].ask("GET", target)
        check_problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
    answer = await actors["rsc"].ask("POST", "/v1/contracts", json=other, key=key)
    check_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert (await actors["rsc"].get(path))["status"] == "agreed"
    assert (await door.http.get("/health/ready")).status_code == 200
    services["outcomes"].start()
    made = await patiently(actors["rsc"], "POST", "/v1/contracts", json=other, key=key)
    assert (made.status_code, made.json()["status"]) == (201, "draft")
    assert len((await actors["rsc"].get("/v1/contracts"))["data"]) == 2


async def test_without_contracts_what_needs_it_is_503(door: World, services: dict[str, Process]) -> None:
    actors = await door.cast()
    path = await agreed_contract(actors)
    services["contracts"].end()
    for target in ("/v1/contracts", path, f"{path}/events", "/v1/payments"):
        check_problem(await actors["rsc"].ask("GET", target), 503)
    check_problem(await actors["rsc"].ask("POST", "/v1/contracts", json=cast.CONTRACT), 503)
    assert (await actors["rsc"].get(f"/v1/schools/{cast.SCHOOL}"))["urn"] == cast.SCHOOL
    services["contracts"].start()
    found = await patiently(actors["rsc"], "GET", path)
    assert (found.status_code, found.json()["status"]) == (200, "agreed")


async def test_a_service_that_hangs_is_504(seeded_url: str, keys_dir: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        addresses = {"RINGFENCE_CONTRACTS_URL": url, "RINGFENCE_OUTCOMES_URL": url}
        async with gateway(seeded_url, keys_dir, **addresses) as door:
            for peer in door.system.peers:
                peer.seconds = 0.5
            reader = await door.client(Kind.DFE)
            answer = await reader.ask("GET", "/v1/measures")
            check_problem(answer, 504)
            assert int(answer.headers["retry-after"]) > 0
            check_problem(await reader.ask("POST", "/v1/contracts", json=cast.CONTRACT), 504)


async def test_a_service_that_talks_nonsense_is_502(seeded_url: str, keys_dir: Path) -> None:
    async def nonsense(scope: dict[str, object], _receive: object, send: object) -> None:
        assert callable(send)
        headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"nonsense"})

    async with served(nonsense) as url:
        addresses = {"RINGFENCE_CONTRACTS_URL": url, "RINGFENCE_OUTCOMES_URL": url}
        async with gateway(seeded_url, keys_dir, **addresses) as door:
            reader = await door.client(Kind.DFE)
            for path in ("/v1/measures", f"/v1/contracts/{uuid4()}"):
                check_problem(await reader.ask("GET", path), 502)


def test_the_command_serves_one_service_and_ends_in_order(seeded_url: str, keys_dir: Path) -> None:
    port = free_port()
    command = [str(COMMAND), "up", "--service", "outcomes", "--port", str(port)]
    process = Process(command, port, RINGFENCE_DATABASE_URL=seeded_url, RINGFENCE_KEYS_DIR=str(keys_dir))
    try:
        check_problem(httpx.get(f"{process.url}/v1/measures"), 401)
        check_problem(httpx.get(f"{process.url}/v1/contracts"), 404)
        check_headers(httpx.get(f"{process.url}/health/live"))
    finally:
        status = process.end()
    assert status in {0, -signal.SIGTERM}, status
