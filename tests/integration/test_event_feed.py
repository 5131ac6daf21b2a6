"""The feed of events: in one order, within the caller's bounds, and never past what commits late."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.gateway.models import Event
from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.jobs import Worker
from services.kernel.types import Kind, utc_now
from tests.integration.conftest import as_role, problem
from tests.integration.subscribing import SELF, happen, known_contract
from tests.world import Actor, World


async def follow(actor: Actor, world: World, **query: Any) -> list[str]:
    """Everything that the feed tells a subscriber who asks again until it is at the end, a few at a time."""
    await world.settle()
    told, path, empty = list[str](), "/v1/events", False
    params: dict[str, Any] | None = {"limit": 2, **query}
    while not empty:
        answer = await actor.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        path, params = answer.headers["link"].removeprefix("<").partition(">")[0], None
        empty = not answer.json()["data"]
        told += [each["type"] for each in answer.json()["data"]]
    actor.headers["x-place"] = path
    return told


async def more(actor: Actor, world: World) -> list[str]:
    """What has come since the feed was followed to its end."""
    await world.settle()
    answer = await actor.get(actor.headers["x-place"])
    return [each["type"] for each in answer["data"]]


async def test_the_feed_is_followed_from_its_start_and_then_from_its_end(world: World) -> None:
    dfe, one, other = await world.client(Kind.DFE), known_contract(world), known_contract(world)
    await happen(world, one, "milestone.recorded", "milestone.decided", "payment.earned")
    await happen(world, other, "milestone.recorded", "transfer.proposed", transfer_id=one)
    assert await follow(dfe, world) == [
        "milestone.recorded",
        "milestone.decided",
        "payment.earned",
        "milestone.recorded",
        "transfer.proposed",
    ]
    assert await more(dfe, world) == []
    await happen(world, one, "transfer.proposed")
    assert await more(dfe, world) == ["transfer.proposed"]
    assert await follow(dfe, world, type="milestone.*", contract_id=other) == ["milestone.recorded"]
    assert await follow(dfe, world, type="payment.earned") == ["payment.earned"]
    assert len(await follow(dfe, world, type="*")) == 6
    for bad in ({"after": "nonsense"}, {"type": "Payment"}, {"type": "a.b.c"}, {"limit": 0}):
        problem(await dfe.ask("GET", "/v1/events", params=bad), 400 if "after" in bad else 422)


async def test_what_is_about_no_contract_is_not_told(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    assert world.rows("SELECT FROM gateway.event WHERE type = 'client.registered'")
    assert await follow(dfe, world) == []


async def test_an_event_whose_transaction_commits_late_is_not_skipped(world: World) -> None:
    dfe, one, other = await world.client(Kind.DFE), known_contract(world), known_contract(world)
    await happen(world, one, "milestone.recorded")
    assert await follow(dfe, world) == ["milestone.recorded"]

    async with AsyncExitStack() as late:
        session = await late.enter_async_context(world.database("gateway").transaction(SELF))
        facts: dict[str, Any] = {"subject_id": UUID(one), "actor": SELF.actor(), "data": {}, "now": utc_now()}
        record(session, Event, kind="payment.earned", **facts)
        await session.flush()
        await happen(world, other, "milestone.decided")
        for worker in world.system.workers[-2:]:
            if worker.begin is not None:
                await worker.begin()
            while await worker.run_once(utc_now()):
                pass
        beyond = await dfe.get(dfe.headers["x-place"])
        assert beyond["data"] == [], "what came later waits for what may still come before it"
    assert await more(dfe, world) == ["payment.earned", "milestone.decided"]


async def test_two_announcers_at_once_tell_everything_once_and_in_order(world: World) -> None:
    dfe, contracts = await world.client(Kind.DFE), [known_contract(world) for _ in range(3)]
    for number in range(20):
        service = ("gateway", "outcomes")[number % 2]
        await happen(world, contracts[number % 3], "milestone.recorded", service=service, version=number)
    workers = [each for each in world.system.workers if isinstance(each, Worker)]
    announce = next(each.handlers["announce"] for each in workers if "announce" in each.handlers)

    async def keep_on() -> None:
        for _ in range(5):
            await announce(world.database("gateway"), "all", utc_now())

    await asyncio.gather(*(keep_on() for _ in range(3)))
    assert len(await follow(dfe, world)) == 20
    told = [row[0] for row in world.rows("SELECT data ->> 'version' FROM gateway.announcement ORDER BY position")]
    assert told == [str(number) for number in range(20)]


PARTIES = {
    "its commissioner": Caller("x", "x", Kind.COMMISSIONER, "rsc-north-west", regions=("North West",)),
    "its commissioner, by authority": Caller("x", "x", Kind.COMMISSIONER, "rsc-north-west", la_codes=("350",)),
    "its supplier": Caller("x", "x", Kind.SUPPLIER, "mat", trust_uid="4903"),
    "its responsible body, by trust": Caller("x", "x", Kind.RESPONSIBLE_BODY, "body", trust_uid="77"),
    "its responsible body, by school": Caller("x", "x", Kind.RESPONSIBLE_BODY, "body", urns=("105000",)),
    "DfE": Caller("x", "x", Kind.DFE, "dfe"),
}
STRANGERS = {
    "a commissioner elsewhere": Caller("x", "x", Kind.COMMISSIONER, "rsc-north-west", regions=("London",)),
    "another commissioner": Caller("x", "x", Kind.COMMISSIONER, "other", regions=("North West",)),
    "another supplier": Caller("x", "x", Kind.SUPPLIER, "mat", trust_uid="4904"),
    "a supplier of no trust": Caller("x", "x", Kind.SUPPLIER, "mat"),
    "another body": Caller("x", "x", Kind.RESPONSIBLE_BODY, "body", trust_uid="4903", urns=("1",)),
    "a body of nothing": Caller("x", "x", Kind.RESPONSIBLE_BODY, "body"),
}


async def seen(world: World, who: Caller) -> list[str]:
    """The types of all announcements that the database shows to a caller, with no where-clause."""
    async with world.database("gateway").transaction(who) as session:
        return list((await session.execute(text("SELECT type FROM gateway.announcement ORDER BY position"))).scalars())


async def test_the_database_itself_shows_events_to_the_parties_only(world: World) -> None:
    contract = known_contract(world, responsible="77")
    await happen(world, contract, "contract.drafted", status="draft")
    await happen(world, contract, "contract.offered", status="offered")
    await world.settle()
    for name, who in PARTIES.items():
        early = ["contract.drafted"] if who.kind in {Kind.COMMISSIONER, Kind.DFE} else []
        assert await seen(world, who) == [*early, "contract.offered"], name
    for name, who in STRANGERS.items():
        assert await seen(world, who) == [], name


async def test_events_of_outcomes_are_told_to_the_parties_and_those_of_releases_to_every_client(world: World) -> None:
    dfe, contract, release = await world.client(Kind.DFE), known_contract(world, responsible="77"), str(uuid4())
    await happen(world, release, "release.ingested", service="outcomes", feed="ks4", detail="words")
    await happen(world, contract, "ring_fence.opened", "evaluation.made", service="outcomes", overall="met")
    await happen(world, str(uuid4()), "evaluation.made", service="outcomes")
    of_contract = ["ring_fence.opened", "evaluation.made"]
    assert await follow(dfe, world) == ["release.ingested", *of_contract]
    for name, who in PARTIES.items():
        assert await seen(world, who) == ["release.ingested", *of_contract], name
    for name, who in STRANGERS.items():
        assert await seen(world, who) == ["release.ingested"], name
    told = (await dfe.get("/v1/events", type="release.*"))["data"]
    assert [(each["contract_id"], each["release_id"]) for each in told] == [(None, release)]
    assert told[0]["data"] == {"feed": "ks4", "release_id": release, "links": {"release": f"/v1/releases/{release}"}}
    found = (await dfe.get("/v1/events", contract_id=contract))["data"]
    assert [each["data"]["overall"] for each in found] == ["met", "met"]
    with as_role(world.database_url, "gateway") as nobody:
        assert nobody.execute("SELECT count(*) FROM gateway.announcement").fetchone() == (0,)


@pytest.mark.parametrize("table", ["announcement", "attempt"])
async def test_what_was_told_and_how_it_went_cannot_be_rewritten(world: World, table: str) -> None:
    granted = world.rows(
        "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = 'ringfence_gateway'"
        " AND table_schema = 'gateway' AND table_name = %(table)s ORDER BY 1",
        table=table,
    )
    assert granted == [("INSERT",), ("SELECT",)]


OTHERS = Caller("x", "x", Kind.COMMISSIONER, "rsc-other", regions=("North West",))


@pytest.mark.parametrize("table", ["subscription", "dispatch", "line", "attempt"])
async def test_the_database_shows_subscriptions_to_their_own_organisation(
    world: World, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rsc = await world.client(Kind.COMMISSIONER, regions=["North West"], organisation="rsc-north-west")
    reach = world.system.apps["gateway"].state.reach
    monkeypatch.setattr(type(reach), "check", lambda *_: asyncio.sleep(0))
    await rsc.post("/v1/subscriptions", {"url": "https://127.0.0.1/", "types": ["*"]})
    await happen(world, known_contract(world), "milestone.recorded")
    await world.settle()
    for who, expected in ((PARTIES["its commissioner"], 1), (OTHERS, 0), (PARTIES["its supplier"], 0)):
        async with world.database("gateway").transaction(who) as session:
            assert (await session.execute(text(f"SELECT count(*) FROM gateway.{table}"))).scalar_one() == expected


async def test_registration_refuses_what_is_not_public(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    for url in (
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://2130706433/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "http://93.184.216.34/",
        "https://93.184.216.34:22/",
    ):
        problem(
            await dfe.ask("POST", "/v1/subscriptions", json={"url": url, "types": ["*"]}), 422, "target_not_allowed"
        )
