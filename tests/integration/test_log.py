"""The log of what happened: every leaf gets its place, what is signed can be proved, and only readers read."""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sigstore._internal.merkle import verify_merkle_inclusion

from services.gateway.log.service import InconsistentLog, append_leaf
from services.gateway.rules import checkpoint as notes
from services.gateway.rules import tree
from services.gateway.rules.log import leaf_hash
from services.gateway.settings import Settings
from services.kernel.auth import service_caller
from services.kernel.jobs import Worker
from services.kernel.types import Kind, utc_now
from services.keys import load_log_key
from services.system import assemble
from tests.integration.conftest import consent, problem
from tests.integration.scenes import Case
from tests.world import World, plain_url, rows

SELF = service_caller("gateway")
ORIGIN = Settings().log_origin


def log_worker(world: World) -> Worker:
    return next(each for each in world.system.workers if isinstance(each, Worker) and "integrate" in each.handlers)


async def integrate(world: World) -> None:
    """Let the log's worker do what is due."""
    worker = log_worker(world)
    assert worker.begin is not None
    await worker.begin()
    assert await worker.run_once(utc_now())


async def leaf(world: World, number: int) -> None:
    async with world.database("gateway").transaction(SELF) as session:
        facts = {"number": number}
        await append_leaf(session, kind="test", subject_id=uuid4(), facts=facts, now=datetime.now(UTC))


def unhash(each: str) -> bytes:
    return base64.b64decode(each)


async def test_the_main_job_is_in_the_log_and_can_be_proved(case: Case, keys_dir: Path) -> None:
    await consent(case["rsc"], case.transfer, "rsc")
    await case.world.settle()
    rsc, public = case["rsc"], load_log_key(keys_dir).public_key()
    answer = await rsc.ask("GET", "/v1/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    signed = notes.verify(answer.text, ORIGIN, public)
    assert case.world.rows("SELECT count(*) FROM gateway.leaf") == [(signed.size,)]

    entries = (await rsc.get("/v1/log/entries"))["data"]
    assert [each["index"] for each in entries] == list(range(signed.size))
    mine = [each for each in entries if each["data"] is not None]
    kinds = {case_kind(each["data"]) for each in mine}
    assert kinds >= {"contract.signed", "milestone.recorded", "milestone.decided", "payment.earned"}
    assert kinds >= {"contract.evaluated", "evaluation.made", "ring_fence.opened", "transfer.proposed"}
    assert kinds >= {"transfer.consent", "contract.agreed", "contract.completed"}
    assert "milestone.due_soon" not in kinds
    for each in mine:
        assert leaf_hash(unhash(each["data"])) == each["leaf_hash"]
    everything = (await case["dfe"].get("/v1/log/entries"))["data"]
    assert all(each["data"] for each in everything)
    assert {case_kind(each["data"]) for each in everything} >= {"client.registered", "api_key.created"}

    records = (await rsc.get(f"{case.contract}/records"))["data"]
    for record in records:
        found = entries[record["log_index"]]
        assert found["leaf_hash"] == record["leaf_hash"]
        proof = await rsc.get("/v1/log/proofs/inclusion", leaf_hash=record["leaf_hash"], tree_size=signed.size)
        assert proof["leaf_index"] == record["log_index"]
        assert unhash(proof["root_hash"]) == signed.root
        claim = SimpleNamespace(
            log_index=proof["leaf_index"],
            tree_size=signed.size,
            hashes=[unhash(each) for each in proof["hashes"]],
            root_hash=signed.root,
        )
        inner = SimpleNamespace(inclusion_proof=claim, canonicalized_body=unhash(found["data"]))
        verify_merkle_inclusion(SimpleNamespace(_inner=inner))
    for first in (1, signed.size // 2, signed.size):
        grew = await rsc.get("/v1/log/proofs/consistency", first=first, second=signed.size)
        old, new = unhash(grew["first_root_hash"]), unhash(grew["second_root_hash"])
        assert new == signed.root
        hashes = [unhash(each) for each in grew["hashes"]]
        assert tree.verify_consistency(first, signed.size, old, new, hashes)


def case_kind(data: str) -> str:
    """The kind of a leaf, from its text."""
    return base64.b64decode(data).decode().rpartition('"type":"')[2].removesuffix('"}')


async def test_no_leaf_holds_the_words_of_people(case: Case) -> None:
    await case.world.settle()
    said = [bytes(data) for (data,) in case.world.rows("SELECT data FROM gateway.leaf")]
    words = [note for (note,) in case.world.rows("SELECT note FROM gateway.milestone_record WHERE note IS NOT NULL")]
    words += ["somebody", "authorised"]
    for word in words:
        assert not any(word.encode() in each for each in said), word


async def test_what_cannot_be_proved_is_refused_in_words(world: World) -> None:
    reader = await world.client(Kind.DFE)
    problem(await reader.ask("GET", "/v1/log/checkpoint"), 404)
    await integrate(world)
    size = int((await reader.ask("GET", "/v1/log/checkpoint")).text.split("\n")[1])
    inclusion, consistency = "/v1/log/proofs/inclusion", "/v1/log/proofs/consistency"
    assert "no tree of 99" in problem(await reader.ask("GET", f"{inclusion}?index=0&tree_size=99"), 404)["detail"]
    problem(await reader.ask("GET", f"{inclusion}?index={size}"), 400, "no_such_tree")
    problem(await reader.ask("GET", inclusion), 400, "one_of_two")
    problem(await reader.ask("GET", f"{inclusion}?leaf_hash={'0' * 64}"), 404)
    problem(await reader.ask("GET", f"{inclusion}?leaf_hash=nonsense"), 422)
    problem(await reader.ask("GET", f"{consistency}?first=99"), 400, "no_such_tree")
    problem(await reader.ask("GET", f"{consistency}?first=0"), 400, "no_such_tree")
    problem(await reader.ask("GET", "/v1/log/entries?start=99"), 404)
    problem(await reader.ask("GET", "/v1/log/entries?start=1&end=0"), 404)


async def test_entries_come_in_pages_and_strangers_see_hashes_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.log.routes.MOST", 2)
    dfe = await world.client(Kind.DFE)
    for number in range(4):
        await leaf(world, number)
    await integrate(world)
    first = await dfe.ask("GET", "/v1/log/entries?start=1&end=4")
    assert [each["index"] for each in first.json()["data"]] == [1, 2]
    assert first.json()["paging"] == {"next": "3"}
    second = await dfe.ask("GET", first.headers["Link"].partition(">")[0][1:])
    assert [each["index"] for each in second.json()["data"]] == [3]
    assert second.json()["paging"] == {"next": None}
    stranger = await world.client(Kind.SUPPLIER, trust_uid="4903")
    shown = (await stranger.get("/v1/log/entries"))["data"]
    assert [(each["data"], each["salt"]) for each in shown] == [(None, None)] * 2
    assert all(len(each["leaf_hash"]) == 64 for each in shown)


async def test_a_long_transaction_holds_nothing_up_and_loses_nothing(world: World) -> None:
    before = len(world.rows("SELECT FROM gateway.leaf"))
    with psycopg.connect(plain_url(world.database_url)) as slow:
        slow.execute(
            "INSERT INTO gateway.leaf (kind, subject_id, data, leaf_hash, written_at)"
            " VALUES ('late', gen_random_uuid(), 'late', %s, now())",
            [leaf_hash(b"late")],
        )
        for number in range(3):
            await leaf(world, number)
            await integrate(world)
        integrated = world.rows("SELECT l.kind FROM gateway.log_entry e JOIN gateway.leaf l ON l.id = e.leaf_id")
        assert len(integrated) == before + 3
        assert ("late",) not in integrated
    await integrate(world)
    last = world.rows(
        "SELECT l.kind FROM gateway.log_entry e JOIN gateway.leaf l ON l.id = e.leaf_id ORDER BY e.index DESC LIMIT 1"
    )
    assert last == [("late",)]
    await leaf(world, 4)
    await integrate(world)
    assert world.rows("SELECT count(*) - max(index) FROM gateway.log_entry") == [(1,)]
    assert len(world.rows("SELECT FROM gateway.log_entry")) == before + 5


async def test_an_idle_log_takes_a_leaf_within_a_second(
    world: World, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = assemble(["gateway"])
    worker = next(each for each in system.workers if "integrate" in each.handlers)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        await seen(world, "SELECT FROM gateway.checkpoint", 20)
        await leaf(world, 1)
        in_log = "SELECT FROM gateway.log_entry e JOIN gateway.leaf l ON l.id = e.leaf_id WHERE l.kind = 'test'"
        await seen(world, in_log, 1)
    finally:
        stop.set()
        await running
        await system.close()


async def seen(world: World, query: str, seconds: float) -> None:
    """Wait until the query finds something; fails when that takes longer."""
    for _ in range(int(seconds / 0.05)):
        if world.rows(query):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing after {seconds} seconds: {query}")


async def test_many_leaves_and_many_integrations_make_one_tree(world: World, keys_dir: Path) -> None:
    for size in (1, 3, 4, 9):
        async with world.database("gateway").transaction(SELF) as session:
            for number in range(size):
                facts = {"number": number, "size": size}
                await append_leaf(session, kind="test", subject_id=uuid4(), facts=facts, now=datetime.now(UTC))
        await asyncio.gather(integrate(world), leaf(world, size))
    await integrate(world)
    found = rows(world.database_url, "SELECT leaf_hash FROM gateway.log_entry ORDER BY index")
    leaves = [bytes(digest) for (digest,) in found]
    nodes = {(0, place): digest for place, digest in enumerate(leaves)} | tree.grown(0, leaves, {}.__getitem__)
    stored = rows(world.database_url, "SELECT level, index, hash FROM gateway.log_node")
    assert {(level, index): bytes(digest) for level, index, digest in stored} == {
        n: d for n, d in nodes.items() if n[0]
    }
    for size, note in rows(world.database_url, "SELECT size, note FROM gateway.checkpoint"):
        signed = notes.verify(note, ORIGIN, load_log_key(keys_dir).public_key())
        assert (signed.size, signed.root) == (size, tree.root(size, nodes.__getitem__))


async def test_nothing_is_signed_that_does_not_go_on_from_what_was(world: World) -> None:
    await leaf(world, 1)
    await leaf(world, 2)
    await integrate(world)
    owner(world, "UPDATE gateway.log_entry SET leaf_hash = sha256('other') WHERE index = 0")
    owner(world, "UPDATE gateway.log_node SET hash = sha256('other') WHERE level = 1")
    await leaf(world, 3)
    worker = log_worker(world)
    handler: Any = worker.handlers["integrate"]
    with pytest.raises(InconsistentLog):
        await handler(world.database("gateway"), "log", utc_now())
    assert world.rows("SELECT count(*) FROM gateway.checkpoint") == [(1,)]


def owner(world: World, statement: str) -> None:
    """What an owner of the database can do who switches triggers off."""
    with psycopg.connect(plain_url(world.database_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)  # type: ignore[arg-type]


CHANGES = {
    "leaf": "kind = 'other', salt = NULL",
    "log_entry": "leaf_hash = leaf_hash",
    "log_node": "hash = hash",
    "checkpoint": "note = note",
    "milestone_record": "note = 'other'",
    "withdrawal": "reason = NULL, withdrawn_at = now()",
    "consent": "decision = decision",
    "delivery": "result = result",
    "event": "type = type",
}
"""By table, a change that is no erasure."""


async def test_even_the_owner_cannot_change_what_was_written(case: Case) -> None:
    await consent(case["rsc"], case.transfer, "rsc")
    record = case.world.rows("SELECT id FROM gateway.milestone_record LIMIT 1")[0][0]
    await case["rsc"].post(f"/v1/milestone-records/{record}/withdrawal", {"reason": "mistaken"})
    await case.world.settle()
    with psycopg.connect(plain_url(case.world.database_url), autocommit=True) as connection:
        for table, changes in CHANGES.items():
            assert connection.execute(f"SELECT FROM gateway.{table}").rowcount > 0, table  # type: ignore[arg-type]
            for statement in (
                f"UPDATE gateway.{table} SET {changes}",
                f"DELETE FROM gateway.{table}",
                f"TRUNCATE gateway.{table} CASCADE",
            ):
                with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                    connection.execute(statement)  # type: ignore[arg-type]
