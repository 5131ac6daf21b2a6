"""Programs that serve HTTP for a benchmark, each in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PATIENCE = 60.0
OFTEN, LONGEST = 0.02, 900.0
"""Seconds between two looks at what is waited for, and until it is given up."""
COMMAND = ["-m", "services"]
UNLIMITED = {f"RINGFENCE_RATE_{whose}": "1000000000" for whose in ("CALLER", "ADDRESS", "TOKEN")}
"""Limits are counted as ever, but nobody runs into them."""


class NotServed(RuntimeError):
    """A program did not come up; its last words are in the message."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


class Served(NamedTuple):
    """A program that serves: its port, its process, and when it was started on the clock of `time.perf_counter`."""

    port: int
    pid: int
    begun: float


def waited(done: Callable[[], bool]) -> float:
    """The moment at which it was found done; raises NotServed after a while."""
    until = time.perf_counter() + LONGEST
    while not done():
        if time.perf_counter() > until:
            raise NotServed("It does not get on; see var/bench/log.")
        time.sleep(OFTEN)
    return time.perf_counter()


@contextmanager
def serving(words: list[str], values: Mapping[str, str], log: Path) -> Iterator[Served]:
    """A program that takes `--port`, for as long as it is needed; what it says goes into the log."""
    port, begun = free_port(), time.perf_counter()
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **values}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, *words, "--port", str(port)], env=environment, stdout=said, stderr=said
        )
        try:
            until = time.monotonic() + PATIENCE
            while not listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise NotServed(log.read_text()[-1000:])
                time.sleep(0.01)
            yield Served(port, process.pid, begun)
        finally:
            process.terminate()
            process.wait()


def installation(url: str, keys_dir: Path, **more: str) -> dict[str, str]:
    """The environment of the product on a database that is migrated; `more` are settings by their names."""
    return {
        "RINGFENCE_DATABASE_URL": url,
        "RINGFENCE_KEYS_DIR": str(keys_dir),
        "RINGFENCE_OCID_PREFIX": "ocds-bench0",
        **UNLIMITED,
        **{f"RINGFENCE_{name.upper()}": value for name, value in more.items()},
    }


@contextmanager
def ringfence(url: str, keys_dir: Path, log: Path, service: str = "gateway", **more: str) -> Iterator[Served]:
    """The product as `ringfence up` starts it, on a database that is migrated; workers run elsewhere."""
    words = [*COMMAND, "up", "--no-workers", "--service", service]
    with serving(words, installation(url, keys_dir, **more), log) as served:
        yield served


@contextmanager
def worker(url: str, keys_dir: Path, log: Path, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`ringfence worker`: all background work of all services, in a process of its own."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        environment = {**os.environ, **installation(url, keys_dir, **more)}
        process = subprocess.Popen([sys.executable, *COMMAND, "worker"], env=environment, stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
