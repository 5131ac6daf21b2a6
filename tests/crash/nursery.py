"""A process that has the whole system assembled and starts workers as copies of itself, at once, to be killed.

Each line that it reads is an order: at which moment the clock stands, and for each worker at which point it is to die.
Each line that it writes says of each worker where it was killed, or null.
"""

import asyncio
import gc
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from services.cli import log_from
from services.kernel.types import utc_now
from services.system import SAMPLE_PREFIX, System, assemble
from tests.crash.stages import Points, let_leases_run_out
from tests.world import ROOT, World

Worker = Mapping[str, Any] | None
"""When a worker dies, as `Points` takes it; None lets it work until nothing is left."""


class Nursery:
    """The process as tests see it."""

    def __init__(self, database_url: str, keys_dir: Path) -> None:
        places = {"RINGFENCE_DATABASE_URL": database_url, "RINGFENCE_KEYS_DIR": str(keys_dir)}
        environment = {**os.environ, **places, "RINGFENCE_OCID_PREFIX": SAMPLE_PREFIX, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.crash.nursery"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.database_url = database_url
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT, **pipes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """No more workers are started."""
        self.process.terminate()
        self.process.communicate()

    def work(self, moment: str, *workers: Worker) -> list[str | None]:
        """Let these workers work at once, each until it dies or nothing is left; says where each of them was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"moment": moment, "workers": workers}) + "\n")
        self.process.stdin.flush()
        ends: list[tuple[int, str]] = json.loads(self.process.stdout.readline())
        assert {status for status, _place in ends} <= {0, -signal.SIGKILL}, "a worker failed by itself"
        return [place if status else None for status, place in ends]

    def kill_on_the_way(self, moment: str, steps: int) -> list[str | None]:
        """Kill worker after worker at the job that is due: after the claim; inside each further step, and after it.

        Says where each was killed. What is due stays so, as if the time of the dead had run out.
        """
        places: list[str | None] = []
        for kill_at, inside in [(1, False), *((2 + step // 2, step % 2 == 0) for step in range(2 * steps))]:
            places += self.work(moment, {"kill_at": kill_at, "inside": inside})
            let_leases_run_out(self.database_url, pauses=False)
        return places


async def work(system: System, points: Worker, report: int) -> None:
    """What one worker does: all that is due, until nothing is left or it is killed."""
    world = World(system, os.environ["RINGFENCE_DATABASE_URL"], http=None)  # type: ignore[arg-type]

    def die(place: str) -> None:
        os.write(report, place.encode())
        os.kill(os.getpid(), signal.SIGKILL)

    if points is None:
        await world.settle(rounds=2)
        return
    with Points(**points, die=die).watched():
        for _ in range(2):
            for worker in system.workers:
                while await worker.run_once(utc_now()):
                    pass


def start(system: System, points: Worker) -> tuple[int, int]:
    """A copy of this process that works; gives its number, and where it says at which point it dies."""
    reads, writes = os.pipe()
    if child := os.fork():
        os.close(writes)
        return child, reads
    status = 1
    gc.disable()
    try:
        asyncio.run(work(system, points, writes))
        status = 0
    finally:
        os._exit(status)


def ended(child: int, report: int) -> tuple[int, str]:
    """How a worker ended, 0 or minus the signal that killed it; and at which point."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(report) as said:
        return status, said.read()


async def warm_up(system: System) -> None:
    """Do what is due here, so that copies find every statement prepared; no connection is handed on to them.

    Copies share memory as long as nobody writes to it, which a garbage collector would.
    """
    await work(system, None, 0)
    for database in system.databases:
        await database.close()


def main() -> None:
    """Take orders until there are no more."""
    log_from(logging.CRITICAL)
    system, warm = assemble(poll_seconds=5.0), False
    for line in sys.stdin:
        order = json.loads(line)
        os.environ["RINGFENCE_NOW"] = order["moment"]
        if not warm:
            asyncio.run(warm_up(system))
            gc.collect()
            gc.freeze()
            warm = True
        started = [start(system, points) for points in order["workers"]]
        sys.stdout.write(json.dumps([ended(*each) for each in started]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
