"""The database goes away, in order or killed: nothing is lost, callers are told to come again, and work goes on."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from migrations import run as migrations
from services import embedded
from services.demo import cast
from tests.wire.loopback import check_headers, check_problem, served
from tests.world import Actor, Json, World, agreed_contract, move_clock, seed, world_on

MET = {"status": "met", "occurred_on": "2023-10-27", "note": "Diagnosis signed by all parties"}
RECORD = "milestones/M1/records"
PATIENCE = 600
"""Looks at the contract before giving up, twenty in a second."""


def draft(year: int) -> Json:
    """A contract for this year, so that several for one school do not overlap."""
    return cast.CONTRACT | {"term": {"starts_on": f"{year}-09-01", "ends_on": f"{year + 1}-08-31"}, "milestones": []}


class Cluster:
    """A PostgreSQL server of this test, with the settings that `ringfence up` gives it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = embedded.start(directory)
        self.url = self.server.url

    def start(self) -> None:
        """Start it again."""
        self.server = embedded.start(self.directory)
        assert not self.server.adopted

    def stop(self) -> None:
        """Stop it in order."""
        self.server.stop()

    def kill(self) -> None:
        """Kill the server and every process that it has started, at one blow."""
        assert self.server.process is not None
        own = self.server.process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        for pid in (own, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.server.process.wait(10)
        until = time.monotonic() + 10
        while any(Path(f"/proc/{pid}/fd/0").exists() for pid in children) and time.monotonic() < until:
            time.sleep(0.01)


STOPS: list[Callable[[Cluster], None]] = [Cluster.stop, Cluster.kill]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A server with the sample in it, in June 2023."""
    monkeypatch.setenv("RINGFENCE_NOW", "2023-06-20T09:00:00")
    made = Cluster(tmp_path / "postgres")
    try:
        migrations.upgrade(made.url)
        asyncio.run(seed(made.url))
        yield made
    finally:
        made.stop()
        embedded.remove(made.directory)


@pytest.fixture
async def there(cluster: Cluster, keys_dir: Path) -> AsyncIterator[World]:
    """The system on that server."""
    async with world_on(cluster.url, keys_dir) as found:
        yield found


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[None]:
    """All workers running until the end of the block; none of them may end before."""
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop)) for worker in world.system.workers]
    try:
        yield
        assert not [each for each in running if each.done()], "a worker gave up"
    finally:
        stop.set()
        await asyncio.gather(*running)


async def active_contract(world: World, actors: dict[str, Actor]) -> str:
    """The path of a contract whose term has begun."""
    path = await agreed_contract(actors)
    move_clock("2023-10-27")
    await world.settle()
    assert (await actors["rsc"].get(path))["status"] == "active"
    return path


async def milestone(actor: Actor, path: str) -> Json:
    """The first milestone of a contract."""
    found = (await actor.get(f"{path}/milestones"))["data"]
    return next(each for each in found if each["code"] == "M1")


def come_again(answer: httpx.Response) -> None:
    """Raise unless the answer is the 503 that it should be."""
    check_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("end", STOPS)
async def test_without_its_database_the_system_lives_but_is_not_ready(
    cluster: Cluster, there: World, end: Callable[[Cluster], None]
) -> None:
    actors = await there.cast()
    path = await agreed_contract(actors)
    end(cluster)
    asked = [
        *(
            ("GET", each, None)
            for each in ("/v1/contracts", path, f"{path}/events", f"{path}/records", "/v1/transfers")
        ),
        *(("GET", each, None) for each in ("/v1/schools", "/v1/payments", "/v1/releases", "/v1/clients")),
        ("POST", "/v1/contracts", cast.CONTRACT),
        ("POST", f"{path}/{RECORD}", MET),
        ("POST", "/oauth2/token", None),
    ]
    async with served(there.system.apps["gateway"]) as url, httpx.AsyncClient(base_url=url, timeout=60) as http:
        for method, target, body in asked:
            form: Json = {"data": {"grant_type": "client_credentials"}, "auth": ("a", "b")} if "token" in target else {}
            caller = Actor(http, {} if form else actors["dfe"].headers)
            come_again(await caller.ask(method, target, json=body, **form))
        come_again(await Actor(http, actors["finance"].headers).ask("GET", "/v1/contracts"))
        for target in ("/health/live", "/openapi.json", "/.well-known/jwks.json"):
            answer = await http.get(target)
            assert answer.status_code == 200
            check_headers(answer)
        come_again(await http.get("/health/ready"))
        cluster.start()
        assert (await http.get("/health/ready")).status_code == 200
        assert (await actors["dfe"].get(path))["status"] == "agreed"


async def test_every_service_says_itself_whether_it_is_ready(cluster: Cluster, there: World) -> None:
    cluster.stop()
    for app in there.system.apps.values():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            assert (await http.get("/health/live")).status_code == 200
            come_again(await http.get("/health/ready"))


@pytest.mark.parametrize("end", STOPS)
async def test_a_request_repeated_with_its_key_is_carried_out_once(
    cluster: Cluster, there: World, end: Callable[[Cluster], None]
) -> None:
    rsc = (await there.cast())["rsc"]
    before, during = str(uuid4()), str(uuid4())
    made = await rsc.post("/v1/contracts", draft(2024), key=before)
    end(cluster)
    come_again(await rsc.ask("POST", "/v1/contracts", json=draft(2024), key=before))
    come_again(await rsc.ask("POST", "/v1/contracts", json=draft(2025), key=during))
    cluster.start()
    again = await rsc.ask("POST", "/v1/contracts", json=draft(2024), key=before)
    assert (again.status_code, again.json()["id"]) == (201, made["id"])
    assert again.headers["idempotent-replayed"] == "true"
    first = await rsc.ask("POST", "/v1/contracts", json=draft(2025), key=during)
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers
    second = await rsc.ask("POST", "/v1/contracts", json=draft(2025), key=during)
    assert second.json() == first.json()
    assert len((await rsc.get("/v1/contracts"))["data"]) == 2


@pytest.mark.parametrize("end", STOPS)
async def test_requests_under_way_are_carried_out_once_or_refused(
    cluster: Cluster, there: World, end: Callable[[Cluster], None]
) -> None:
    rsc = (await there.cast())["rsc"]
    keys = {year: str(uuid4()) for year in range(2024, 2044)}

    async def ask(year: int) -> httpx.Response:
        return await rsc.ask("POST", "/v1/contracts", json=draft(year), key=keys[year])

    asked = [asyncio.create_task(ask(year)) for year in keys]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    end(cluster)
    answers = dict(zip(keys, await asyncio.gather(*asked), strict=True))
    statuses = {answer.status_code for answer in answers.values()}
    assert statuses == {201, 503}, [answer.text for answer in answers.values() if answer.status_code not in {201, 503}]
    cluster.start()
    for year, answer in answers.items():
        again = await ask(year)
        assert again.status_code == 201, again.text
        if answer.status_code == 201:
            assert again.json()["id"] == answer.json()["id"]
        else:
            come_again(answer)
    assert len((await rsc.get("/v1/contracts", limit=200))["data"]) == len(keys)


@pytest.mark.parametrize("end", STOPS)
async def test_a_milestone_recorded_before_reaches_the_contract_after(
    cluster: Cluster, there: World, end: Callable[[Cluster], None]
) -> None:
    actors = await there.cast()
    path, key = await active_contract(there, actors), str(uuid4())
    record = await actors["mat"].post(f"{path}/{RECORD}", MET, key=key)
    assert (await milestone(actors["rsc"], path))["status"] == "scheduled"
    end(cluster)
    async with at_work(there):
        await asyncio.sleep(0.5)
        cluster.start()
        for _ in range(PATIENCE):
            if (await milestone(actors["rsc"], path))["status"] != "scheduled":
                break
            await asyncio.sleep(0.05)
        end(cluster)
        await asyncio.sleep(0.5)
        cluster.start()
        found = await milestone(actors["rsc"], path)
    assert (found["status"], found["record_id"]) == ("met", record["id"])
    again = await actors["mat"].ask("POST", f"{path}/{RECORD}", json=MET, key=key)
    assert (again.status_code, again.json()["id"]) == (201, record["id"])
    assert len((await actors["rsc"].get(f"{path}/records"))["data"]) == 1
    events = (await actors["rsc"].get(f"{path}/events"))["data"]
    assert len([each for each in events if each["type"] == "milestone.decided"]) == 1, events
    assert len([each for each in events if each["type"] == "payment.earned" and each["data"]["code"] == "M1"]) == 1
