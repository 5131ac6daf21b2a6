"""Rows 81 to 83: from the start to the first answer, and the memory of a process at rest and under load."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx

from bench import load
from bench.contest import Goal, Measured, Result
from bench.door import asks, template
from bench.ground import VAR, Ground
from bench.senders import Sender, registered, token
from bench.serving import Served, ringfence

SECONDS = 6.0
KIB_IN_MIB = 1024
ROWS = {
    81: ("From the start to the first answer, database running and migrated", "s"),
    82: ("Memory of a process at rest: the gateway with both services behind it", "MiB"),
    83: ("Most memory of that process under load: records of 32 clients", "MiB"),
}
GOALS = {81: Goal(at_most={"seconds": 3.0}), 82: Goal(to_peer=0.5), 83: Goal(to_peer=0.5)}
Started = tuple[Served, Callable[[], Sequence[load.Ask]]]
"""A program that serves, and what makes its clients' requests once it does."""


class Run(NamedTuple):
    """One life of a program, in the order of ROWS: seconds until it answered, MiB at rest, MiB at most under load."""

    until_answer: float
    at_rest: float
    under_load: float


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The rows that are wanted."""
    if not wanted & set(ROWS):
        return
    url = ground.database(ground.migrated())
    senders = asyncio.run(registered(url))
    ways = {"ours": partial(ours, ground, url, senders), "full-stack template": partial(peer, ground)}
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    try:
        for turn in range(ground.times + 1):
            for name, way in ways.items():
                found = lived(way())
                if turn:
                    runs[name].append(found)
    finally:
        ground.drop(url)
    for at, (row, (words, unit)) in enumerate(ROWS.items()):
        if row in wanted:
            us, them = (Measured.of([each[at] for each in runs[name]]) for name in ways)
            detail = {"seconds": us.median} if unit == "s" else {}
            yield Result(row, words, unit, us, {"full-stack template": them}, goal=GOALS[row], detail=detail)


def lived(started: AbstractContextManager[Started]) -> Run:
    """Start a program, ask it once, let it rest, load it."""
    with started as (served, made):
        httpx.get(f"http://127.0.0.1:{served.port}/")
        until_answer = time.perf_counter() - served.begun
        at_rest = memory(served.pid, "VmRSS")
        load.run(served.port, made(), SECONDS)
        return Run(until_answer, at_rest, memory(served.pid, "VmHWM"))


@contextmanager
def ours(ground: Ground, url: str, senders: Sequence[Sender]) -> Iterator[Started]:
    """The product, and what its clients send."""
    with ringfence(url, ground.keys_dir, VAR / "log" / "start") as served:
        yield (
            served,
            lambda: asks(senders, [token(served.port, each.caller.client_id, each.secret) for each in senders]),
        )


@contextmanager
def peer(ground: Ground) -> Iterator[Started]:
    """The template on a database of its own, and what its clients send."""
    url = ground.database()
    try:
        with template(url) as started:
            yield started
    finally:
        ground.drop(url)


def memory(pid: int, what: str) -> float:
    """MiB of a process by the kernel's own account: resident now (VmRSS), or at most so far (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / KIB_IN_MIB
