"""A worker killed (SIGKILL) between and inside steps: another goes on, and every effect has happened exactly once."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.crash.nursery import Nursery
from tests.crash.stages import ASIDE, STAGES, Actors, let_leases_run_out, state
from tests.world import clone, copy, drop, named, world_on

MOST_POINTS, FEW_POINTS = 200, 12
"""So often workers are killed at most; fewer times where they look for the same again and again."""
WORKER = """
import asyncio, logging
from services import cli, system
cli.log_from(logging.CRITICAL)
asyncio.run(system.work(system.assemble(poll_seconds=0.02)))
"""
"""A worker as it is deployed, for tests that kill one."""


DEATHS = {
    ("milestones", None): {"deliver": 3},
    ("changes", None): {"vary": 1, "lapse": 1},
    ("proposal", None): {"ingest": 1, "review": 1},
    ("the_day", None): {"carry_out": 5, "forget": 1, "prune": 1, "rotate": 1},
    ("expiry", "publish"): {"publish": 2},
    ("milestones", "integrate"): {"integrate": 2},
    ("milestones", "pull"): {"pull": 2},
    ("proposal", "hear"): {"hear": 2},
}
"""How often at least a worker must have died in the course of the jobs that a stage is about."""


@pytest.fixture(scope="module")
def nursery(owner_url: str, keys_dir: Path) -> Iterator[Nursery]:
    """Where workers come from; their database is put back before each of them."""
    with Nursery(named(owner_url, "crash_run"), keys_dir) as found:
        yield found
    drop(owner_url, found.database_url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ready(nursery: Nursery, owner_url: str, seeded: str, keys_dir: Path) -> AsyncIterator[dict[str, Any]]:
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
            put_back(owner_url, nursery, before)
            nursery.work(moment, None)
            copy(owner_url, "crash_run", after)
            drop(owner_url, url)
            found[name], last = (before, moment, state(nursery.database_url)), last if name in ASIDE else after
        yield found
        for name in STAGES:
            for when in ("before", "after"):
                drop(owner_url, named(owner_url, f"crash_{name}_{when}"))


def put_back(owner_url: str, nursery: Nursery, template: str) -> None:
    """The database of the workers is as it was before any of them came."""
    drop(owner_url, nursery.database_url)
    copy(owner_url, template, "crash_run")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("stage", "kind"), [*((stage, None) for stage in STAGES), *((stage, kind) for stage, kind in DEATHS if kind)]
)
async def test_a_worker_killed_after_every_step_changes_nothing(
    stage: str, kind: str | None, ready: dict[str, Any], nursery: Nursery, owner_url: str
) -> None:
    """Each worker goes on where the one before was killed, one step further, until one finds nothing left."""
    template, moment, expected = ready[stage]
    put_back(owner_url, nursery, template)
    places: list[str] = []
    kill_at, idle, before = 1, 0, None
    while idle < 2 and len(places) < (FEW_POINTS if kind else MOST_POINTS):
        [place] = nursery.work(moment, {"kill_at": kill_at, "only": kind})
        idle = 0 if place else idle + 1
        let_leases_run_out(nursery.database_url, pauses=bool(kind) or place is None)
        if place:
            reached = (place, state(nursery.database_url))
            kill_at = kill_at + 1 if reached == before or kill_at == 1 else 2
            places, before = [*places, place], reached
    nursery.work(moment, None)
    assert state(nursery.database_url) == expected, places
    for job, times in DEATHS.get((stage, kind), {"": 6}).items():
        assert sum(place.startswith(job) for place in places) >= times, places


@pytest.mark.timeout(300)
async def test_workers_killed_inside_steps_and_on_two_replicas_at_once_change_nothing(
    ready: dict[str, Any], nursery: Nursery, owner_url: str
) -> None:
    template, moment, expected = ready["the_day"]
    put_back(owner_url, nursery, template)
    for kill_at in range(1, MOST_POINTS):
        found = nursery.work(moment, {"kill_at": kill_at, "inside": True}, {"kill_at": 1 + kill_at // 2})
        let_leases_run_out(nursery.database_url)
        if found == [None, None]:
            break
    nursery.work(moment, None, None)
    assert state(nursery.database_url) == expected
    assert kill_at > 2, "nobody was killed"
