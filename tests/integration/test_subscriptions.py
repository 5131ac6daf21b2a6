"""Subscriptions and their deliveries, with a receiver that listens on loopback."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.demo.stage import environment
from services.kernel.types import Kind, real_now
from tests.integration.conftest import problem
from tests.integration.subscribing import deliver, happen, known_contract, now_due, subscribed
from tests.receiver import Receiver, Request, receiving
from tests.world import Actor, World, agreed_contract, change, world_on


@pytest.fixture(autouse=True)
def loopback_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks may go to this machine."""
    monkeypatch.setenv("RINGFENCE_WEBHOOK_ALLOW", "127.0.0.1")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A subscriber's server."""
    async with receiving(Receiver()) as found:
        yield found


@pytest.fixture
async def rsc(world: World) -> Actor:
    """The commissioner of the North West."""
    return await world.client(Kind.COMMISSIONER, regions=["North West"], organisation="rsc-north-west")


async def test_the_parties_are_told_what_happens_to_their_contract(seeded_world: World, receiver: Receiver) -> None:
    world, actors = seeded_world, await seeded_world.cast()
    made = {name: await subscribed(actors[name], receiver.url) for name in ("rsc", "mat")}
    path = await agreed_contract(actors)
    await world.settle()
    contract_id = path.rpartition("/")[2]
    heard: dict[str, list[str]] = {"rsc": [], "mat": []}
    for request in receiver.got:
        name = next(name for name in made if verifies(request, made[name]["secret"]))
        if request.told["type"].startswith("release."):
            continue
        heard[name].append(request.told["type"])
        assert request.told["data"]["contract_id"] == contract_id
        assert "somebody" not in request.body.decode(), "names stay inside"
    offered = ["contract.offered", *["contract.signed"] * 3, "contract.agreed"]
    assert heard == {"rsc": ["contract.drafted", *offered], "mat": offered}
    feed = await actors["mat"].get("/v1/events", type="contract.*")
    assert [each["type"] for each in feed["data"]] == offered


def verifies(request: Request, secret: str) -> bool:
    """Whether a request was signed with this secret."""
    try:
        request.verified(secret)
    except Exception:
        return False
    return True


async def test_a_failing_receiver_gets_each_contracts_events_in_order_and_keeps_no_other_waiting(
    world: World, receiver: Receiver, rsc: Actor
) -> None:
    made = await subscribed(rsc, receiver.url)
    bad, good = known_contract(world), known_contract(world)
    receiver.answer = lambda request: (500 if request.told["data"]["contract_id"] == bad else 204, "")
    for contract in (bad, good):
        await happen(world, contract, "milestone.recorded", "milestone.decided", "payment.earned")
    await world.settle()
    assert receiver.types(good) == ["milestone.recorded", "milestone.decided", "payment.earned"]
    assert receiver.types(bad) == ["milestone.recorded"], "nothing overtakes what was not acknowledged"
    shown = await rsc.get(f"/v1/subscriptions/{made['id']}/deliveries?status=waiting")
    assert [len(each["attempts"]) for each in shown["data"]] == [0, 0, 1]
    assert shown["data"][-1]["attempts"][0]["response_status"] == 500
    receiver.answer = lambda _request: (204, "")
    now_due(world)
    await deliver(world.system)
    assert receiver.types(bad) == ["milestone.recorded", *receiver.types(good)]
    first, second = [each for each in receiver.got if each.told["data"]["contract_id"] == bad][:2]
    assert first.headers["webhook-id"] == second.headers["webhook-id"], "constant over retries"
    assert first.body == second.body
    assert receiver.connections <= 4, "connections are kept"
    assert not world.rows("SELECT FROM gateway.line"), "nothing waits, nothing is left"


async def test_both_secrets_sign_until_the_overlap_of_a_rotation_ends(
    world: World, receiver: Receiver, rsc: Actor
) -> None:
    made = await subscribed(rsc, receiver.url)
    path = f"/v1/subscriptions/{made['id']}"
    rotated = await rsc.change(path, "secret-rotation", {"overlap_hours": 1})
    await rsc.post(f"{path}/test", None, 202)
    await deliver(world.system)
    ping = receiver.got[-1]
    assert ping.verified(made["secret"]) == ping.verified(rotated["secret"])
    assert ping.told["type"] == "ping"
    change(world.database_url, "UPDATE gateway.subscription SET previous_until = now()")
    await rsc.post(f"{path}/test", None, 202)
    await deliver(world.system)
    assert verifies(receiver.got[-1], rotated["secret"])
    assert not verifies(receiver.got[-1], made["secret"])
    (sealed,) = world.rows("SELECT secret FROM gateway.subscription")
    assert rotated["secret"].encode() not in bytes(sealed[0])
    assert "secret" not in await rsc.get(path)


async def test_secrets_come_under_a_new_key_and_sign_as_before(
    database_url: str, keys_dir: Path, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sealed = Path(shutil.copytree(keys_dir, tmp_path / "keys")), "SELECT secret FROM gateway.subscription"
    async with world_on(database_url, folder) as world:
        rsc = await world.client(Kind.COMMISSIONER, regions=["North West"], organisation="rsc-north-west")
        made = await subscribed(rsc, receiver.url)

        async def heard() -> bool:
            await rsc.post(f"/v1/subscriptions/{made['id']}/test", None, 202)
            await deliver(world.system)
            return verifies(receiver.got[-1], made["secret"])

        async def rotated(*options: str) -> str:
            words = ["signing", "rotate", "--signer", "webhooks", *options]
            with environment({"RINGFENCE_OCID_PREFIX": "ocds-test01"}):
                done = await asyncio.to_thread(CliRunner().invoke, app, words)
            assert done.exit_code == 0, done.output
            return done.output

        async def daily() -> None:
            worker = next(each for each in world.system.workers if getattr(each, "name", "") == "gateway.job")
            await worker.handlers["rotate"](world.database("gateway"), "gateway", real_now())

        def files() -> list[str]:
            return [each.stem for each in folder.glob("webhooks*.key")]

        before = world.rows(sealed)
        await rotated("--lead-hours", "1")
        await daily()
        assert world.rows(sealed) == before, "the new key is not in use yet"
        assert "Secrets sealed anew: 1." in await rotated("--at-once")
        after = world.rows(sealed)
        assert after != before
        assert await heard()
        await daily()
        assert (len(files()), world.rows(sealed)) == (3, after)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 2 * 86_400)
        await daily()
        assert world.rows(sealed) != after, "the key of the first rotation is the latest by now"
        assert [each.count("-") for each in files()] == [2], "the others are gone"
        monkeypatch.setattr(time, "time", real)
        assert await heard()


async def test_a_receiver_that_is_gone_is_sent_nothing_until_it_is_made_active_again(
    world: World, receiver: Receiver, rsc: Actor
) -> None:
    made, contract = await subscribed(rsc, receiver.url), known_contract(world)
    path = f"/v1/subscriptions/{made['id']}"
    receiver.answer = lambda _request: (410, "")
    await happen(world, contract, "milestone.recorded", "milestone.decided")
    await world.settle()
    now_due(world)
    await deliver(world.system)
    assert receiver.types() == ["milestone.recorded"]
    shown = await rsc.get(path)
    assert (shown["status"], shown["reason_code"]) == ("disabled", "gone")
    problem(await rsc.ask("POST", f"{path}/test"), 409, "subscription_disabled")
    await happen(world, contract, "payment.earned")
    await world.settle()
    receiver.answer = lambda _request: (200, "")
    tag = (await rsc.ask("GET", path)).headers["etag"]
    answer = await rsc.ask("PATCH", path, json={"status": "active"}, headers={"If-Match": tag})
    assert answer.json()["status"] == "active"
    await deliver(world.system)
    assert receiver.types() == ["milestone.recorded"] * 2 + ["milestone.decided"]
    missed = await rsc.get("/v1/events", type="payment.*")
    assert [each["type"] for each in missed["data"]] == ["payment.earned"], "the feed has what was not sent"


async def test_a_delivery_is_given_up_in_sight_and_sent_again_by_hand(
    world: World, receiver: Receiver, rsc: Actor
) -> None:
    made, contract = await subscribed(rsc, receiver.url), known_contract(world)
    path = f"/v1/subscriptions/{made['id']}"
    receiver.answer = lambda request: (302 if request.told["type"] == "milestone.recorded" else 200, "location: /\r\n")
    await happen(world, contract, "milestone.recorded", "milestone.decided")
    await world.settle()
    for _ in range(9):
        assert (await rsc.get(path))["failing_since"]
        now_due(world)
        await deliver(world.system)
    assert receiver.types() == ["milestone.recorded"] * 10 + ["milestone.decided"]
    assert (await rsc.get(path))["failing_since"] is None
    (given_up,) = (await rsc.get(f"{path}/deliveries", status="given_up"))["data"]
    assert [each["response_status"] for each in given_up["attempts"]] == [302] * 10
    receiver.answer = lambda _request: (200, "")
    again = await rsc.post(f"/v1/deliveries/{given_up['id']}/redelivery", None, 202)
    assert again["status"] == "waiting"
    await deliver(world.system)
    assert receiver.got[-1].headers["webhook-id"] == given_up["event_id"]
    assert not (await rsc.get(f"{path}/deliveries", status="given_up"))["data"]


async def test_days_of_nothing_but_failures_disable_a_subscription(
    world: World, receiver: Receiver, rsc: Actor
) -> None:
    made, contract = await subscribed(rsc, receiver.url), known_contract(world)
    receiver.answer = lambda _request: (503, "retry-after: 7200\r\n")
    await happen(world, contract, "milestone.recorded")
    await world.settle()
    ((pause,),) = world.rows("SELECT extract(epoch FROM due_at - now()) FROM gateway.line")
    assert 7100 < pause <= 7200, "what the receiver asks for is kept"
    change(world.database_url, "UPDATE gateway.subscription SET failing_since = now() - interval '6 days'")
    now_due(world)
    await deliver(world.system)
    shown = await rsc.get(f"/v1/subscriptions/{made['id']}")
    assert (shown["status"], shown["reason_code"]) == ("disabled", "failing")


async def test_filters_narrow_what_is_sent(world: World, receiver: Receiver) -> None:
    dfe = await world.client(Kind.DFE)
    here = known_contract(world)
    there = known_contract(world, region="London", organisation="rsc-london", la_code="202", supplier="2000")
    wanted = {
        "types": {"types": ["payment.*"]},
        "type": {"types": ["milestone.recorded"]},
        "region": {"regions": ["London"]},
        "trust": {"trust_uids": ["4903"]},
        "contract": {"contract_ids": [here]},
        "both": {"regions": ["London"], "trust_uids": ["4903"]},
    }
    names = {(await subscribed(dfe, receiver.url, **body))["id"]: name for name, body in wanted.items()}
    for contract in (here, there):
        await happen(world, contract, "milestone.recorded", "payment.earned")
    await world.settle()
    sent = world.rows(
        "SELECT d.subscription_id::text, a.type, a.contract_id::text FROM gateway.dispatch d"
        " JOIN gateway.announcement a USING (position) WHERE d.status = 'delivered'"
    )
    assert len(sent) == len(receiver.got)
    both = {"milestone.recorded", "payment.earned"}
    assert {(names[each], kind, contract) for each, kind, contract in sent} == {
        *(("types", "payment.earned", contract) for contract in (here, there)),
        *(("type", "milestone.recorded", contract) for contract in (here, there)),
        *(("region", kind, there) for kind in both),
        *(("trust", kind, here) for kind in both),
        *(("contract", kind, here) for kind in both),
    }


STRANGERS = (
    (Kind.COMMISSIONER, {"regions": ["London"], "organisation": "rsc-north-west"}),
    (Kind.COMMISSIONER, {"regions": ["North West"], "organisation": "rsc-other"}),
    (Kind.SUPPLIER, {"trust_uid": "2000"}),
)


async def test_nobody_is_told_of_what_is_not_theirs(world: World, receiver: Receiver, rsc: Actor) -> None:
    contract = known_contract(world)
    strangers = [await world.client(kind, **bounds) for kind, bounds in STRANGERS]
    for actor in strangers:
        await subscribed(actor, receiver.url, contract_ids=[contract])
    made = await subscribed(rsc, receiver.url)
    await happen(world, contract, "milestone.recorded")
    await world.settle()
    assert len(receiver.got) == 1
    assert verifies(receiver.got[0], made["secret"])
    (delivery,) = (await rsc.get(f"/v1/subscriptions/{made['id']}/deliveries"))["data"]
    for actor in strangers:
        assert not (await actor.get("/v1/events"))["data"]
        assert made["id"] not in [each["id"] for each in (await actor.get("/v1/subscriptions"))["data"]]
        for method, path in (
            ("GET", f"/v1/subscriptions/{made['id']}"),
            ("GET", f"/v1/subscriptions/{made['id']}/deliveries"),
            ("POST", f"/v1/subscriptions/{made['id']}/test"),
            ("POST", f"/v1/deliveries/{delivery['id']}/redelivery"),
        ):
            problem(await actor.ask(method, path), 404)


@pytest.mark.parametrize(
    "shrink",
    [
        "UPDATE gateway.client SET regions = '[\"London\"]' WHERE kind = 'commissioner'",
        "UPDATE gateway.client SET disabled_at = now() WHERE kind = 'commissioner'",
        "UPDATE gateway.client SET scopes = '[\"contracts:read\"]' WHERE kind = 'commissioner'",
    ],
    ids=["other region", "disabled", "scope taken"],
)
async def test_what_waits_is_withheld_when_the_clients_bounds_shrink(
    world: World, receiver: Receiver, rsc: Actor, shrink: str
) -> None:
    await subscribed(rsc, receiver.url)
    receiver.answer = lambda _request: (500, "")
    await happen(world, known_contract(world), "milestone.recorded")
    await world.settle()
    assert len(receiver.got) == 1
    change(world.database_url, shrink)
    now_due(world)
    await deliver(world.system)
    assert len(receiver.got) == 1, "it is not sent again"
    assert world.rows("SELECT status FROM gateway.dispatch") == [("withheld",)]


async def test_a_subscription_is_its_clients_to_change_and_to_end(world: World, receiver: Receiver, rsc: Actor) -> None:
    made = await subscribed(rsc, receiver.url, description="finance")
    path = f"/v1/subscriptions/{made['id']}"
    assert made["secret"].startswith("whsec_")
    problem(await rsc.ask("PATCH", path, json={"types": ["payment.*"]}), 428)
    problem(await rsc.ask("PATCH", path, json={"types": ["payment.*"]}, headers={"If-Match": '"old"'}), 412)
    tag = (await rsc.ask("GET", path)).headers["etag"]
    assert (await rsc.ask("GET", path, headers={"If-None-Match": tag})).status_code == 304
    answer = await rsc.ask("PATCH", path, json={"types": ["payment.*"]}, headers={"If-Match": tag})
    assert (answer.json()["types"], answer.json()["description"]) == (["payment.*"], "finance")
    for bad in ({"types": ["Payment"]}, {"types": []}, {"status": "deleted"}, {"secret": "x"}):
        answer = await rsc.ask("PATCH", path, json=bad, headers={"If-Match": answer.headers.get("etag", tag)})
        problem(answer, 422)
    nothing = {"status": None, "types": None, "description": None}
    answer = await rsc.ask("PATCH", path, json=nothing, headers={"If-Match": "*"})
    assert (answer.json()["types"], answer.json()["description"]) == (["payment.*"], None)
    stop = await rsc.ask("PATCH", path, json={"status": "disabled"}, headers={"If-Match": "*"})
    assert (stop.json()["status"], stop.json()["reason_code"]) == ("disabled", "by_client")
    assert (await rsc.ask("PATCH", path, json={"status": None}, headers={"If-Match": "*"})).status_code == 200
    assert (await rsc.ask("DELETE", path, headers={"If-Match": "*"})).status_code == 204
    problem(await rsc.ask("GET", path), 404)
    await happen(world, known_contract(world), "payment.earned")
    await world.settle()
    assert not receiver.got
    assert not (await rsc.get("/v1/subscriptions"))["data"]


async def test_a_repeated_request_makes_one_subscription_and_shows_no_secret_again(
    receiver: Receiver, rsc: Actor
) -> None:
    body, key = {"url": receiver.url, "types": ["*"]}, str(uuid4())
    first = await rsc.post("/v1/subscriptions", body, key=key)
    again = await rsc.ask("POST", "/v1/subscriptions", json=body, key=key)
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == {name: value for name, value in first.items() if name != "secret"}
    assert len((await rsc.get("/v1/subscriptions"))["data"]) == 1
