"""The demonstration as the beginning of a benchmark: played up to a day, on which the clock then stands."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench.ground import VAR, Ground
from bench.serving import UNLIMITED
from services import system
from services.demo.play import Play
from services.demo.stage import Stage, environment

WORKER = """
from services import cli, protocol, system
import logging
cli.log_from(logging.ERROR)
protocol.run(system.work(system.assemble()))
"""
DOOR = """
import sys
from services import cli, protocol, system
import logging
cli.log_from(logging.ERROR)
built = system.assemble()
built.workers.clear()
protocol.run(system.serve(built, "gateway", "127.0.0.1", int(sys.argv[-1])))
"""
"""What `ringfence worker` and `ringfence up --no-workers` run, where the clock may stand on a day that was played."""


@contextmanager
def played(ground: Ground, before: Sequence[Callable[[Play], None]], day: str) -> Iterator[str]:
    """A database in which these chapters have happened, and the environment in which it is the beginning of `day`."""
    url = ground.database()
    try:
        with TemporaryDirectory() as folder:
            stage = Stage(url, Path(folder))
            with stage.open(), closing(Play(stage, Console(quiet=True))) as play:
                for chapter in before:
                    chapter(play)
            values = {"RINGFENCE_DATABASE_URL": url, "RINGFENCE_KEYS_DIR": str(stage.keys_dir), **UNLIMITED}
            clock = {"RINGFENCE_NOW": f"{day}T00:00:00", "RINGFENCE_OCID_PREFIX": system.SAMPLE_PREFIX}
            with environment(values | clock):
                yield url
    finally:
        ground.drop(url)


@contextmanager
def working(count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """So many workers, each a process that does all background work, until the end of the block."""
    log = VAR / "log" / "workers"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        started = [subprocess.Popen([sys.executable, "-c", WORKER], stdout=said, stderr=said) for _ in range(count)]
        try:
            yield started
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()
