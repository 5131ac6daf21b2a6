"""API keys of finance teams: what they open, how they are replaced, and how alike all refusals are."""

import asyncio
import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.demo import cast
from services.gateway.rules.secrets import Environment, new_key, stored
from services.gateway.wire import Wire
from services.kernel.types import Kind, real_now
from tests.integration.conftest import problem
from tests.integration.scenes import Case
from tests.world import Actor, Json, World, change

KEYS = "/v1/api-keys"
BODY = {"trust_uid": cast.SUPPLIER, "scopes": ["contracts:read", "finance:read", "finance:write", "outcomes:read"]}


@pytest.fixture
async def dfe(world: World) -> Actor:
    """Who makes keys."""
    return await world.client(Kind.DFE)


def holder(world: World, made: Json) -> Actor:
    """The finance team with a key that was just made."""
    return Actor(world.http, {"x-api-key": made["key"]})


def from_address(world: World, address: str) -> httpx.AsyncClient:
    """Somebody who calls from an address."""
    transport = httpx.ASGITransport(app=world.system.apps["gateway"], client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def works(actor: Actor) -> bool:
    """Whether the door opens; a refusal is the one that all get."""
    answer = await actor.ask("GET", "/v1/contracts")
    assert answer.status_code == 200 or problem(answer, 401, "invalid_token")["detail"] == "The API key is not valid."
    return answer.status_code == 200


async def test_a_key_is_shown_once_and_kept_as_a_hash(world: World, dfe: Actor) -> None:
    made = await dfe.post(KEYS, BODY, key="the same request")
    again = await dfe.post(KEYS, BODY, key="the same request")
    assert made["key"].startswith("mat_live_")
    assert again == {name: value for name, value in made.items() if name != "key"} | {"key": None} or "key" not in again
    assert made["start"] == made["key"][:17]
    assert made["created_by"]["kind"] == "dfe"
    path = f"{KEYS}/{made['id']}"
    for seen in (await dfe.get(path), (await dfe.get(KEYS))["data"][0]):
        assert "key" not in seen
        assert made["key"] not in json.dumps(seen)
    assert world.rows("SELECT key_hash, environment FROM gateway.api_key") == [(stored(made["key"]), "live")]
    ends = datetime.fromisoformat(made["expires_at"])
    assert ends - real_now() < timedelta(days=365, minutes=1)
    assert (await dfe.ask("POST", KEYS, json=BODY | {"expires_in_days": 366})).status_code == 422
    tag = (await dfe.ask("GET", path)).headers["etag"]
    assert (await dfe.ask("GET", path, headers={"If-None-Match": tag})).status_code == 304
    own = await world.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER)
    other = await world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST)
    assert (await own.get(path))["id"] == made["id"]
    problem(await other.ask("GET", path), 404, "not_found")


async def test_two_keys_are_live_at_most_also_when_all_ask_at_once(world: World, dfe: Actor) -> None:
    answers = await asyncio.gather(*(dfe.ask("POST", KEYS, json=BODY) for _ in range(6)))
    assert Counter(each.status_code for each in answers) == {201: 2, 409: 4}
    first, second = (each.json() for each in answers if each.status_code == 201)
    problem(await dfe.ask("POST", KEYS, json=BODY), 409, "too_many_keys")
    assert (await dfe.post(KEYS, BODY | {"environment": "test"}))["key"].startswith("mat_test_")
    assert (await dfe.post(KEYS, BODY | {"trust_uid": cast.ANOTHER_TRUST}))["environment"] == "live"
    path = f"{KEYS}/{first['id']}/rotation"
    refused = problem(await dfe.ask("POST", path, json={"overlap_days": 7}), 409, "too_many_keys")
    assert "overlap_days 0" in refused["detail"]
    rotated = await asyncio.gather(*(dfe.ask("POST", path, json={"overlap_days": 0}) for _ in range(3)))
    assert Counter(each.status_code for each in rotated) == {201: 1, 409: 2}
    assert {each.json()["code"] for each in rotated if each.status_code == 409} == {"key_not_live"}
    third = next(each.json() for each in rotated if each.status_code == 201)
    assert [await works(holder(world, each)) for each in (first, second, third)] == [False, True, True]
    assert (await dfe.ask("DELETE", f"{KEYS}/{second['id']}", headers={"If-Match": "*"})).status_code == 204
    assert (await dfe.post(KEYS, BODY))["key"]


async def test_a_key_is_rotated_with_the_overlap_that_was_asked_for(world: World, dfe: Actor) -> None:
    first = await dfe.post(KEYS, BODY | {"networks": ["127.0.0.0/8"], "name": "ledger"})
    path = f"{KEYS}/{first['id']}/rotation"
    assert (await dfe.ask("POST", path, json={"overlap_days": 8})).status_code == 422
    second = await dfe.post(path, {"overlap_days": 2, "expires_in_days": 30})
    kept = ("name", "trust_uid", "scopes", "networks", "environment")
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    ends = datetime.fromisoformat((await dfe.get(f"{KEYS}/{first['id']}"))["expires_at"])
    assert abs(ends - real_now() - timedelta(days=2)) < timedelta(minutes=1)
    assert [await works(holder(world, each)) for each in (first, second)] == [True, True]
    problem(await dfe.ask("POST", f"{KEYS}/{second['id']}/rotation"), 409, "too_many_keys")
    change(world.database_url, "UPDATE gateway.api_key SET expires_at = now() WHERE expires_at < now() + '3 days'")
    assert [await works(holder(world, each)) for each in (first, second)] == [False, True]
    third = await dfe.post(f"{KEYS}/{second['id']}/rotation", None)
    assert [await works(holder(world, each)) for each in (second, third)] == [True, True]
    told = world.rows("SELECT type, subject_id::text, data ->> 'replaces' FROM gateway.event ORDER BY position")
    assert [each for each in told if each[0] in {"api_key.created", "api_key.rotated"}] == [
        ("api_key.created", first["id"], None),
        ("api_key.rotated", second["id"], first["id"]),
        ("api_key.rotated", third["id"], second["id"]),
    ]


class Asked:
    """Counts what is asked of the database before anybody is known."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        real = Wire.rows

        async def rows(own: Wire, statement: Any, values: Any) -> Any:
            self.times += 1
            return await real(own, statement, values)

        monkeypatch.setattr(Wire, "rows", rows)


async def test_all_refusals_are_alike_and_an_invented_key_asks_nothing_of_the_database(
    world: World, dfe: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked, expired = [await dfe.post(KEYS, BODY | {"trust_uid": uid}) for uid in ("1", "2")]
    elsewhere = await dfe.post(KEYS, BODY | {"trust_uid": "3", "networks": ["192.0.2.0/24"]})
    await dfe.ask("DELETE", f"{KEYS}/{revoked['id']}", headers={"If-Match": "*"})
    change(world.database_url, "UPDATE gateway.api_key SET expires_at = now() WHERE trust_uid = '2'")
    test = await dfe.post(KEYS, BODY | {"environment": "test"})
    change(world.database_url, "UPDATE gateway.api_key SET environment = 'live' WHERE environment = 'test'")
    asked = Asked(monkeypatch)
    known = {
        "revoked": revoked["key"],
        "expired": expired["key"],
        "from elsewhere": elsewhere["key"],
        "of the other environment": test["key"],
        "unknown": new_key(),
        "unknown test key": new_key(Environment.TEST),
    }
    invented = {
        "wrong checksum": revoked["key"][:-1] + "!",
        "short": "mat_live_",
        "empty": "",
        "something else": "x" * 45,
    }
    bodies = set()
    for what, key in (known | invented).items():
        before = asked.times
        answer = await world.http.get("/v1/contracts", headers={"x-api-key": key})
        problem(answer, 401, "invalid_token")
        bodies.add((answer.content, answer.headers["www-authenticate"]))
        assert asked.times - before == (1 if what in known else 0), what
    assert len(bodies) == 1


async def test_a_key_belongs_in_one_header(world: World, dfe: Actor) -> None:
    made = await dfe.post(KEYS, BODY)
    key, header = made["key"], {"x-api-key": made["key"]}
    for way in (header, {"Authorization": f"ApiKey {key}"}):
        assert (await world.http.get("/v1/contracts", headers=way)).status_code == 200
    query = [
        await world.http.get(f"/v1/contracts?{text}", headers=headers)
        for text in (f"api_key={key}", f"x={key}", "access_token=x", f"X-API-Key={key}", f"{key}")
        for headers in ({}, header)
    ]
    body = [
        await world.http.post("/v1/claims-of-nobody", json={"x": key}),
        await world.http.post("/v1/contracts", json={"deep": [{"x": key}]}),
        await world.http.post("/v1/contracts", data={"access_token": "x"}),
    ]
    two = [
        await world.http.get("/v1/contracts", headers={**header, **dfe.headers}),
        await world.http.get("/v1/contracts", headers={**header, "Authorization": f"ApiKey {key}"}),
        await world.http.get("/v1/contracts", headers=[("x-api-key", key), ("x-api-key", key)]),
        await world.http.get("/v1/contracts", headers=[*dfe.headers.items(), *dfe.headers.items()]),
    ]
    for answer in (*query, *body[1:], *two):
        problem(answer, 400, "invalid_request")
        assert key not in answer.text
    assert body[0].status_code == 404


async def test_a_key_may_be_used_from_its_networks_only(world: World, dfe: Actor) -> None:
    networks = ["192.0.2.0/24", "2001:db8::/32"]
    made = await dfe.post(KEYS, BODY | {"networks": networks})
    assert made["networks"] == networks
    statuses = {}
    for address in ("192.0.2.7", "192.0.3.7", "2001:db8::7", "2001:db9::7", "::ffff:192.0.2.7", "somewhere"):
        async with from_address(world, address) as http:
            forwarded = {"x-api-key": made["key"], "X-Forwarded-For": "192.0.2.7"}
            statuses[address] = (await http.get("/v1/contracts", headers=forwarded)).status_code
    inside = {"192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"}
    assert statuses == {address: 200 if address in inside else 401 for address in statuses}
    for wrong in ("192.0.2.1/24", "example.org", "192.0.2.0/33"):
        problem(await dfe.ask("POST", KEYS, json=BODY | {"networks": [wrong]}), 422, "not_a_network")


async def test_the_hour_of_the_last_use_is_noted_once(world: World, dfe: Actor) -> None:
    made = await dfe.post(KEYS, BODY)
    path, team, uses = f"{KEYS}/{made['id']}", holder(world, made), world.system.apps["gateway"].state.uses
    assert (await dfe.get(path))["last_used_at"] is None
    await asyncio.gather(*(team.get("/v1/contracts") for _ in range(5)))
    await uses.settle()
    noted = datetime.fromisoformat((await dfe.get(path))["last_used_at"])
    assert (noted.minute, noted.second, noted.microsecond) == (0, 0, 0)
    assert timedelta(0) <= real_now() - noted < timedelta(hours=1, minutes=1)
    written = world.rows("SELECT xmin::text FROM gateway.api_key")
    await team.get("/v1/contracts")
    await uses.settle()
    assert world.rows("SELECT xmin::text FROM gateway.api_key") == written


async def test_a_test_key_sees_no_live_row_and_changes_nothing(case: Case, subtests: pytest.Subtests) -> None:
    made = await case["dfe"].post(KEYS, BODY | {"environment": "test"})
    team, live = holder(case.world, made), case["finance"]
    assert (await live.get("/v1/contracts"))["data"]
    before = case.world.rows("SELECT count(*) FROM contracts.event")
    for path in ("/v1/contracts", "/v1/payments"):
        assert (await team.get(path))["data"] == []
    for path in (case.contract, f"{case.contract}/payments", f"{case.contract}/milestones"):
        problem(await team.ask("GET", path), 404, "not_found")
    assert (await team.get("/v1/measures"))["data"], "the catalogue is everybody's"
    for path, item in case.world.system.apps["gateway"].openapi()["paths"].items():
        for method in item.keys() - {"get"}:
            if item[method].get("security"):
                with subtests.test(method=method, path=path):
                    filled = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
                    problem(await team.ask(method.upper(), filled), 403, "test_key")
    assert case.world.rows("SELECT count(*) FROM contracts.event") == before
