"""Programs that serve HTTP for a benchmark, each in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PATIENCE = 60.0
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


@contextmanager
def ringfence(url: str, keys_dir: Path, log: Path, service: str = "gateway", **more: str) -> Iterator[Served]:
    """The product as `ringfence up` starts it, on a database that is migrated; workers run elsewhere."""
    values = {
        "RINGFENCE_DATABASE_URL": url,
        "RINGFENCE_KEYS_DIR": str(keys_dir),
        "RINGFENCE_OCID_PREFIX": "ocds-bench0",
        **UNLIMITED,
        **{f"RINGFENCE_{name.upper()}": value for name, value in more.items()},
    }
    words = ["-m", "services", "up", "--no-workers", "--service", service]
    with serving(words, values, log) as served:
        yield served
