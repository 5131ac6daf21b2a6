"""Announcer, courier and receiver killed in the middle of their work: nothing is lost, and order is kept."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from services.kernel.types import Kind
from services.system import SAMPLE_PREFIX
from tests.crash.stages import Points, let_leases_run_out
from tests.crash.test_killed_workers import WORKER
from tests.integration.subscribing import deliver, happen, known_contract, now_due, subscribed
from tests.receiver import Receiver, receiving
from tests.world import World, plain_url, world_on

CONTRACTS, EVENTS = 12, 1500
WRITE = (
    "INSERT INTO gateway.event (id, type, subject_id, data, actor, occurred_at)"
    " SELECT uuidv7(), 'milestone.recorded', (%(contracts)s::uuid[])[1 + n %% %(count)s],"
    " jsonb_build_object('number', n), '{}', now() FROM generate_series(1, %(events)s) AS n ORDER BY n"
)


@pytest.fixture
async def stage(
    database_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, Receiver]]:
    """Many events that nobody has announced, and a subscriber to all of them."""
    monkeypatch.setenv("RINGFENCE_WEBHOOK_ALLOW", "127.0.0.1")
    async with receiving(Receiver()) as receiver, world_on(database_url, keys_dir) as world:
        await subscribed(await world.client(Kind.DFE), receiver.url)
        contracts = [known_contract(world) for _ in range(CONTRACTS)]
        with psycopg.connect(plain_url(database_url)) as connection:
            connection.execute(WRITE, {"contracts": contracts, "count": CONTRACTS, "events": EVENTS})
        yield world, receiver


def check(world: World, receiver: Receiver) -> None:
    """Every event was announced once, sent at least once, and first in the order in which it happened."""
    announced = world.rows("SELECT (data ->> 'number')::integer FROM gateway.announcement ORDER BY position")
    assert [number for (number,) in announced] == list(range(1, EVENTS + 1))
    assert world.rows("SELECT status, count(*) FROM gateway.dispatch GROUP BY 1") == [("delivered", EVENTS)]
    assert not world.rows("SELECT FROM gateway.line")
    first: dict[str, list[int]] = {}
    heard = set()
    for request in receiver.got:
        told = request.told["data"]
        if told["number"] not in heard:
            heard.add(told["number"])
            first.setdefault(told["contract_id"], []).append(told["number"])
    assert len(heard) == EVENTS
    assert len(first) == CONTRACTS
    for numbers in first.values():
        assert numbers == sorted(numbers)


@pytest.mark.timeout(300)
async def test_a_process_killed_while_announcing_and_while_delivering_loses_nothing(
    stage: tuple[World, Receiver], keys_dir: Path
) -> None:
    world, receiver = stage
    places = {"RINGFENCE_DATABASE_URL": world.database_url, "RINGFENCE_KEYS_DIR": str(keys_dir)}
    places["RINGFENCE_OCID_PREFIX"] = SAMPLE_PREFIX
    enough = asyncio.Event()

    def noticing(_request: object) -> tuple[int, str]:
        if len(receiver.got) >= 100:
            enough.set()
        return 204, ""

    receiver.answer = noticing
    process = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", WORKER], env={**os.environ, **places})
    await enough.wait()
    process.kill()
    assert await asyncio.to_thread(process.wait) == -signal.SIGKILL
    assert world.rows("SELECT FROM gateway.dispatch WHERE status = 'waiting'"), "it had not finished"
    now_due(world)
    await world.settle()
    now_due(world)
    await deliver(world.system)
    check(world, receiver)
    assert len(receiver.got) > EVENTS, "what had been sent and not noted was sent again"


class Killed(BaseException):
    """The worker is gone: nothing after this is carried out, and nobody puts anything back."""


def die(_place: str) -> None:
    raise Killed


async def test_an_announcer_killed_at_any_point_tells_everything_once_and_in_order(
    database_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_WEBHOOK_ALLOW", "127.0.0.1")
    async with receiving(Receiver()) as receiver, world_on(database_url, keys_dir) as world:
        await subscribed(await world.client(Kind.DFE), receiver.url)
        contract, kill_at, killed = known_contract(world), 0, True
        while killed:
            kill_at += 1
            await happen(world, contract, "milestone.recorded", number=2 * kill_at - 1)
            await happen(world, contract, "milestone.decided", number=2 * kill_at)
            with Points(kill_at, only="announce", die=die).watched():
                try:
                    await world.settle(rounds=1, patient=False)
                    killed = False
                except Killed:
                    let_leases_run_out(world.database_url)
            await world.settle()
            numbers = [each.told["data"]["number"] for each in receiver.got]
            assert numbers == list(range(1, 2 * kill_at + 1)), f"killed at point {kill_at}"
        assert kill_at > 4, "the announcer was never killed: the points are not where the work is"


@pytest.mark.timeout(120)
async def test_a_receiver_killed_and_started_again_misses_nothing(stage: tuple[World, Receiver]) -> None:
    world, receiver = stage
    answered = 0

    def dies(_request: object) -> tuple[int, str]:
        nonlocal answered
        answered += 1
        if answered % 400 == 0:
            for writer in list(receiver.open):
                writer.transport.abort()
        return 204, ""

    receiver.answer = dies
    await world.settle()
    receiver.answer = lambda _request: (204, "")
    now_due(world)
    await deliver(world.system)
    check(world, receiver)
