"""The log's worker killed by the system in the middle of integrating: nothing is half done, and another goes on."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from services.gateway.log.service import append_leaf
from services.gateway.settings import Settings
from services.kernel.auth import service_caller
from services.keys import load_log_key
from services.log_commands import problems
from tests.crash.stages import let_leases_run_out
from tests.crash.test_killed_workers import WORKER
from tests.world import World, rows

LEAVES = 12_000
SELF = service_caller("gateway")


async def write_leaves(world: World, count: int) -> None:
    """Leaves enough to be at work for a while."""
    for start in range(0, count, 4000):
        async with world.database("gateway").transaction(SELF) as session:
            for number in range(start, min(start + 4000, count)):
                facts = {"number": number}
                await append_leaf(session, kind="test", subject_id=uuid4(), facts=facts, now=datetime.now(UTC))


@pytest.mark.timeout(120)
async def test_a_worker_killed_while_it_integrates(world: World, keys_dir: Path) -> None:
    await write_leaves(world, LEAVES)
    await asyncio.to_thread(kill_at_work, world.database_url)
    done = rows(world.database_url, "SELECT count(*) FROM gateway.log_entry")[0][0]
    assert 0 < done < LEAVES, "it was not killed in the middle"
    public = load_log_key(keys_dir).public_key()
    assert list(problems(world.database_url, Settings().log_origin, public, None)) == []
    let_leases_run_out(world.database_url)
    await world.settle()
    assert rows(world.database_url, "SELECT count(*), max(index) FROM gateway.log_entry") == [(LEAVES, LEAVES - 1)]
    assert list(problems(world.database_url, Settings().log_origin, public, None)) == []


def kill_at_work(url: str) -> None:
    """Start a worker process, and kill it as soon as its first batch can be seen."""
    process = subprocess.Popen([sys.executable, "-c", WORKER], env=dict(os.environ))
    while process.poll() is None and not rows(url, "SELECT FROM gateway.log_entry LIMIT 1"):
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
