"""What the integration tests share: actors, problems, and a contract at each point of its life."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from services.demo import cast
from services.kernel.db import role_url
from services.kernel.types import utc_now
from tests.integration.scenes import (
    DAY_AFTER_LAST,
    DRAFTED,
    FIRST_DAY,
    RESULTS_OUT,
    Actors,
    Case,
    Scene,
    Theatre,
    actors_in,
    case_on,
    copy_of,
)
from tests.publisher import Publisher, certificate, publishing
from tests.world import Actor, Json, World, agreed_contract, change, clone, drop, move_clock, plain_url

MISSED: list[dict[str, Any]] = [
    each | {"target": {"mode": "absolute", "value": value}}
    for each, value in zip(cast.CONTRACT["outcomes"], (5.0, 1.0), strict=True)
]
"""The agreed outcomes with targets that the school is far from."""
CONSENTS = (("rsc", "rsc"), ("mat", "trust_board"), ("body", "outgoing_trust"))
OWNERS = {"commissioner": "rsc", "supplier": "mat", "responsible_body": "body"}


@pytest.fixture(scope="module")
def empty_url(owner_url: str, migrated: str) -> Iterator[str]:
    """A migrated database without rows for a whole module that writes nothing."""
    url = clone(owner_url, migrated)
    yield url
    drop(owner_url, url)


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def publisher(pem: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publisher]:
    """A publisher on this machine, from whom the system may fetch; named before `world`, which reads where from."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    async with publishing(pem) as found:
        monkeypatch.setenv("RINGFENCE_FEED_HOSTS_INSIDE", found.host)
        monkeypatch.setenv("RINGFENCE_STATISTICS_URL", f"{found.url}/statistics")
        yield found


@pytest.fixture
def seeded_url(request: pytest.FixtureRequest, owner_url: str, seeded: str) -> Iterator[str]:
    """A database with the sample in it, and what else the test names: its actors, a contract agreed or begun."""
    wanted = next((each for each in ("completed", "active", "agreed", "actors") if each in request.fixturenames), None)
    scene: Scene | None = request.getfixturevalue(f"{wanted}_scene") if wanted else None
    url = clone(owner_url, scene.database if scene else seeded)
    yield url
    drop(owner_url, url)


@pytest.fixture
def actors(seeded_world: World, actors_scene: Scene) -> Actors:
    """Everybody who takes part in the main job, on the sample."""
    return actors_in(seeded_world, actors_scene)


@pytest.fixture
def agreed(actors: Actors, agreed_scene: Scene) -> str:
    """The path of a contract that all parties have signed."""
    return agreed_scene.contract


@pytest.fixture
def active(actors: Actors, active_scene: Scene) -> str:
    """The path of a contract on its first day."""
    move_clock(FIRST_DAY)
    return active_scene.contract


@pytest.fixture
def completed(actors: Actors, completed_scene: Scene) -> str:
    """The path of a contract that has run its term with every milestone met."""
    move_clock(DAY_AFTER_LAST)
    return completed_scene.contract


@pytest.fixture(scope="session")
def theatre(shared: dict[str, str], owner_url: str, keys_dir: Path) -> Theatre:
    """Where scenes are played."""
    return Theatre(shared, owner_url, keys_dir)


@pytest.fixture(scope="session")
def actors_scene(theatre: Theatre, seeded: str) -> Scene:
    """Everybody who takes part is known."""

    async def play(_world: World, _actors: Actors) -> tuple[str, ...]:
        return ()

    return theatre.scene(Scene(seeded, {}), DRAFTED, play)


@pytest.fixture(scope="session")
def agreed_scene(theatre: Theatre, actors_scene: Scene) -> Scene:
    """All parties have signed the contract."""

    async def play(_world: World, actors: Actors) -> tuple[str, ...]:
        return (await agreed_contract(actors),)

    return theatre.scene(actors_scene, DRAFTED, play)


@pytest.fixture(scope="session")
def active_scene(theatre: Theatre, agreed_scene: Scene) -> Scene:
    """Its first day."""

    async def play(world: World, _actors: Actors) -> tuple[str, ...]:
        await to(world, FIRST_DAY)
        return ()

    return theatre.scene(agreed_scene, DRAFTED, play)


@pytest.fixture(scope="session")
def completed_scene(theatre: Theatre, active_scene: Scene) -> Scene:
    """It has run its term with every milestone met."""

    async def play(world: World, actors: Actors) -> tuple[str, ...]:
        await complete(world, actors, active_scene.contract)
        return ()

    return theatre.scene(active_scene, f"{FIRST_DAY}T09:00:00", play)


@pytest.fixture(scope="session")
def scene(theatre: Theatre, completed_scene: Scene) -> Scene:
    """It has worked, and the gateway has proposed a transfer."""

    async def play(world: World, actors: Actors) -> tuple[str, ...]:
        await judge(world, actors, completed_scene.contract)
        return completed_scene.contract, await proposed_transfer(actors)

    return theatre.scene(completed_scene, f"{DAY_AFTER_LAST}T09:00:00", play)


@pytest.fixture(scope="session")
def ready_scene(theatre: Theatre, scene: Scene) -> Scene:
    """The same, and all have consented, a day is set, and every step before it is finished."""

    async def play(world: World, _actors: Actors) -> tuple[str, ...]:
        found = case_on(world, scene)
        await schedule(found)
        await finish_steps(found)
        await world.settle()
        return ()

    return theatre.scene(scene, f"{RESULTS_OUT}T10:00:00", play)


@pytest.fixture
async def case(scene: Scene, owner_url: str, keys_dir: Path) -> AsyncIterator[Case]:
    """A transfer that the gateway has just proposed."""
    async with copy_of(scene, owner_url, keys_dir) as found:
        yield found


@pytest.fixture
async def ready(ready_scene: Scene, owner_url: str, keys_dir: Path) -> AsyncIterator[Case]:
    """A transfer that waits for nothing but its day."""
    async with copy_of(ready_scene, owner_url, keys_dir) as found:
        yield found


def problem(answer: httpx.Response, status: int, code: str | None = None) -> Json:
    """The problem of an answer that must be one, with this status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    found = answer.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["type"].endswith(found["code"])
    assert code in {None, found["code"]}, found
    return found


async def refused(case: Case, name: str, action: str, body: Json, status: int, code: str) -> Json:
    """The problem that this move on the transfer runs into; the transfer stays as it is."""
    before = await case["rsc"].ask("GET", case.transfer)
    tag = {"If-Match": before.headers["etag"]}
    answer = await case[name].ask("POST", f"{case.transfer}/{action}", json=body, headers=tag)
    assert (await case["rsc"].get(case.transfer)) == before.json()
    return problem(answer, status, code)


def signature(party: str) -> Json:
    """A signature of this party, dated today."""
    day = utc_now().date().isoformat()
    return {"party": party, "signed_by": "somebody", "role": "authorised", "signed_on": day}


async def to(world: World, moment: str) -> None:
    """The clock goes on to this moment, and what is due is done."""
    move_clock(moment)
    await world.settle()


async def active_contract(world: World, actors: Actors, **changes: Json) -> str:
    """The path of a contract on its first day."""
    path = await agreed_contract(actors, **changes)
    await to(world, FIRST_DAY)
    assert (await actors["rsc"].get(path))["status"] == "active"
    return path


async def record(actor: Actor, path: str, code: str, occurred_on: str, status: str = "met") -> Json:
    """Record a milestone."""
    body = {"status": status, "occurred_on": occurred_on}
    return await actor.post(f"{path}/milestones/{code}/records", body)


async def complete(world: World, actors: Actors, path: str) -> None:
    """The contract runs its term with every milestone met."""
    for code, occurred_on, recorded_on, _note in cast.RECORDS:
        move_clock(recorded_on)
        await record(actors["mat"], path, code, occurred_on)
    await to(world, DAY_AFTER_LAST)
    assert (await actors["rsc"].get(path))["status"] == "completed"


async def judge(world: World, actors: Actors, path: str) -> None:
    """A completed contract gets its final evaluation."""
    move_clock(RESULTS_OUT)
    await send_inspection(world, actors["dfe"])
    await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    await world.settle()


async def judged_contract(world: World, actors: Actors, **changes: Json) -> str:
    """The path of a completed contract with its final evaluation."""
    path = await active_contract(world, actors, **changes)
    await complete(world, actors, path)
    await judge(world, actors, path)
    return path


async def proposed_transfer(actors: Actors) -> str:
    """The path of the transfer that followed from a contract that has worked."""
    found = (await actors["rsc"].get("/v1/transfers"))["data"]
    assert [each["status"] for each in found] == ["proposed"]
    return f"/v1/transfers/{found[0]['id']}"


async def consent(actor: Actor, transfer: str, by: str, decision: str = "approved", expect: int = 201) -> Json:
    """Give a consent, or refuse it."""
    body = {"by": by, "decision": decision, "decided_on": RESULTS_OUT}
    return await actor.change(transfer, "consents", body, expect)


async def schedule(case: Case, effective_on: str = cast.EFFECTIVE_ON, *, confirmed: bool = True) -> None:
    """All consent to the transfer, and it gets its day."""
    for name, by in CONSENTS:
        await consent(case[name], case.transfer, by)
    day = {"effective_on": effective_on, "confirmed": confirmed, "reason": "agreed by all"}
    assert (await case["rsc"].change(case.transfer, "effective-date", day))["status"] == "scheduled"


async def finish_steps(case: Case, *, gates: bool = True, **answers: Json) -> None:
    """Each owner finishes the mandatory steps before the day, in the order of the list; gates may be left open."""
    for step in (await case["rsc"].get(case.transfer))["steps"]:
        mine = step["owner"] in OWNERS and step["section"] != "after" and step["status"] in {"open", "locked"}
        if mine and not step["optional"] and (gates or not step["gate"]):
            body = {name: answers[name] for name in step["asks"] if name in answers}
            await case[OWNERS[step["owner"]]].change(case.transfer, f"steps/{step['key']}/completion", body)


async def send_inspection(world: World, dfe: Actor, content: bytes = cast.INSPECTED, on: str | None = None) -> None:
    """An inspection of the school comes in, by which it may join; and what follows from it."""
    file = cast.INSPECTION
    form = {"feed": file.feed, "release_status": "final", "published_on": on or file.published_on}
    answer = await dfe.ask("POST", "/v1/releases", data=form, files={"file": (file.name, content)})
    assert answer.status_code == 202, answer.text
    await world.settle()


async def work_on(case: Case, kind: str, key: str) -> None:
    """One piece of the gateway's background work, whether it was asked for or not."""
    worker = next(each for each in case.world.system.workers if kind in each.handlers)
    await worker.handlers[kind](case.world.database("gateway"), key, utc_now())


async def judged_anew(case: Case, verdict: Json) -> None:
    """The contract has another verdict, as if a revision had led to it; and the gateway looks at it."""
    contract_id = case.contract.rpartition("/")[2]
    told = "UPDATE contracts.contract SET evaluation = evaluation || %(verdict)s WHERE id = %(id)s"
    change(case.world.database_url, told, verdict=Jsonb({"id": str(uuid4())} | verdict), id=contract_id)
    await work_on(case, "review", contract_id)


def memberships(case: Case) -> list[tuple[Any, ...]]:
    """In which trusts the school was, and until when."""
    query = "SELECT trust_uid, left_on::text FROM outcomes.membership WHERE urn = %(urn)s ORDER BY joined_on"
    return case.world.rows(query, urn=int(cast.SCHOOL))


def as_role(database_url: str, role: str) -> "psycopg.Connection[Any]":
    """A connection under the role of a service."""
    url = role_url(role, database_url).render_as_string(hide_password=False)
    return psycopg.connect(plain_url(url), autocommit=True)
