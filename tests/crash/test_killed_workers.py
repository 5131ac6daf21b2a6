"""A worker killed between any two steps: another goes on, and every effect has happened exactly once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.system import SAMPLE_PREFIX
from tests.crash.stages import ASIDE, STAGES, Actors, Killed, Points, let_leases_run_out, state
from tests.world import World, clone, copy, drop, named, rows, world_on

MOST_POINTS = 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ready(owner_url: str, seeded: str, keys_dir: Path) -> AsyncIterator[dict[str, Any]]:
    """For each stage a template in which people have acted and workers have not; and the state that it leads to."""
    with pytest.MonkeyPatch.context() as clock:
        found: dict[str, Any] = {}
        last = seeded
        actors: Actors = {}
        for name, (day, people) in STAGES.items():
            clock.setenv("RINGFENCE_NOW", f"{day}T09:00:00")
            url = clone(owner_url, last)
            async with world_on(url, keys_dir) as world:
                actors = actors or await world.cast()
                await people({who: type(actor)(world.http, actor.headers) for who, actor in actors.items()})
                moment = os.environ["RINGFENCE_NOW"]
            before, after = f"crash_{name}_before", f"crash_{name}_after"
            database = url.partition("?")[0].rpartition("/")[2]
            copy(owner_url, database, before)
            async with world_on(url, keys_dir) as world:
                clock.setenv("RINGFENCE_NOW", moment)
                await world.settle()
                expected = state(world)
            copy(owner_url, database, after)
            drop(owner_url, url)
            found[name], last = (before, moment, expected), last if name in ASIDE else after
        yield found
        for name in STAGES:
            for when in ("before", "after"):
                drop(owner_url, named(owner_url, f"crash_{name}_{when}"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("stage", "only"), [*((stage, None) for stage in STAGES), ("expiry", "publish"), ("milestones", "integrate")]
)
async def test_a_worker_killed_anywhere_changes_nothing(
    stage: str, only: str | None, ready: dict[str, Any], owner_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, moment, expected = ready[stage]
    monkeypatch.setenv("RINGFENCE_NOW", moment)
    kills = 0
    for kill_at in range(1, MOST_POINTS):
        url = clone(owner_url, template)
        async with world_on(url, keys_dir) as world:
            survived = await run_and_kill(world, Points(kill_at, only=only), monkeypatch)
        async with world_on(url, keys_dir) as world:
            let_leases_run_out(world)
            await world.settle()
            assert state(world) == expected, f"killed at point {kill_at}"
        drop(owner_url, url)
        if survived:
            break
        kills += 1
    assert kills >= (2 if only else 8), "the worker was never killed: the points are not where the work is"


WORKER = """
import asyncio, logging
from services import cli, system
cli.log_from(logging.CRITICAL)
asyncio.run(system.work(system.assemble(poll_seconds=0.02)))
"""
AT_WORK = "SELECT FROM contracts.job WHERE attempts > 0 UNION ALL SELECT FROM gateway.job WHERE attempts > 0"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", ["milestones", "the_day"])
async def test_a_process_killed_at_work_changes_nothing(
    stage: str, ready: dict[str, Any], owner_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, moment, expected = ready[stage]
    monkeypatch.setenv("RINGFENCE_NOW", moment)
    for pause in (0.0, 0.05, 0.15):
        url = clone(owner_url, template)
        await asyncio.to_thread(start_and_kill, url, keys_dir, pause)
        async with world_on(url, keys_dir) as world:
            let_leases_run_out(world)
            await world.settle()
            assert state(world) == expected, f"killed after {pause} seconds"
        drop(owner_url, url)


def start_and_kill(url: str, keys_dir: Path, pause: float) -> None:
    """Start a worker process, and kill it so many seconds after it has begun its first work."""
    places = {"RINGFENCE_DATABASE_URL": url, "RINGFENCE_KEYS_DIR": str(keys_dir)}
    places["RINGFENCE_OCID_PREFIX"] = SAMPLE_PREFIX
    process = subprocess.Popen([sys.executable, "-c", WORKER], env={**os.environ, **places})
    while process.poll() is None and not rows(url, AT_WORK):
        time.sleep(0.005)
    time.sleep(pause)
    process.kill()
    assert process.wait() == -signal.SIGKILL


async def run_and_kill(world: World, points: Points, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let the workers work until one is killed; says whether they came through."""
    with points.watched(monkeypatch):
        try:
            await world.settle(rounds=3, patient=False)
        except Killed:
            return False
    return True
