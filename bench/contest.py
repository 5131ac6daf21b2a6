"""A contest: our way of doing a piece of work, ways that people use for it today, and the least that it can take."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

TIMES = 5


@dataclass(frozen=True, slots=True)
class Goal:
    """What ours must reach: `to_peer` times as fast as the best peer, and at most `to_limit` times the limit.

    `at_most` names further figures of the row's `detail`, and how large each may be.
    """

    to_peer: float | None = None
    to_limit: float | None = None
    at_most: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of doing the work. `prepare` makes ready what is not timed, and gives what `run` works on.

    `run` may give the seconds that it took, where it has to reckon them itself; else it is timed.
    `factor` is how many times the work is larger than what is run, for ways too slow to be run in full. A way that
    starts a process of its own every time has nothing to be warmed.
    """

    run: Callable[[Any], float | None]
    prepare: Callable[[], Any] = lambda: None
    factor: float = 1.0
    warmed: bool = True

    def seconds(self) -> float:
        """How long the work takes once, in seconds."""
        made = self.prepare()
        gc.collect()
        begun = time.perf_counter()
        found = self.run(made)
        return (time.perf_counter() - begun if found is None else found) * self.factor


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way took: the median, and how far the runs lay apart as a share of it."""

    median: float
    spread: float
    times: int
    extrapolated: bool = False

    @classmethod
    def of(cls, runs: Sequence[float], *, extrapolated: bool = False) -> "Measured":
        """The runs put together."""
        middle = median(runs)
        return cls(middle, (max(runs) - min(runs)) / abs(middle) if middle else 0.0, len(runs), extrapolated)


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table. Figures are in `unit`, less is better; `peers` by name, `limit` None where there is none."""

    row: int
    work: str
    unit: str
    ours: Measured
    peers: Mapping[str, Measured] = field(default_factory=dict)
    limit: Measured | None = None
    limit_is: str = ""
    goal: Goal = field(default_factory=Goal)
    detail: Mapping[str, float] = field(default_factory=dict)

    @property
    def best(self) -> str | None:
        """The peer that took least."""
        return min(self.peers, key=lambda name: self.peers[name].median, default=None)

    @property
    def to_peer(self) -> float | None:
        """How many times as fast as the best peer ours is."""
        return self.peers[self.best].median / self.ours.median if self.best else None

    @property
    def to_limit(self) -> float | None:
        """How many times the limit ours takes."""
        return self.ours.median / self.limit.median if self.limit else None

    @property
    def reached(self) -> bool:
        """Whether ours reached its goal; a limit that noise drowned proves nothing."""
        peer, limit = self.to_peer, self.to_limit if self.limit and self.limit.median > 0 else None
        fast = self.goal.to_peer is None or (peer is not None and peer >= self.goal.to_peer)
        near = self.goal.to_limit is None or (limit is not None and limit <= self.goal.to_limit)
        return fast and near and all(self.detail[name] <= most for name, most in self.goal.at_most.items())

    def plain(self) -> dict[str, Any]:
        """The row as it is written to var/bench.json."""
        ways = {"ours": self.ours, **self.peers} | ({"limit": self.limit} if self.limit else {})
        return {
            "row": self.row,
            "work": self.work,
            "ours": self.ours.median,
            "peer": self.peers[self.best].median if self.best else None,
            "peer_is": self.best,
            "limit": self.limit.median if self.limit else None,
            "limit_is": self.limit_is or None,
            "unit": self.unit,
            "to_peer": self.to_peer,
            "to_limit": self.to_limit,
            "goal": {
                "to_peer": self.goal.to_peer,
                "to_limit": self.goal.to_limit,
                "at_most": dict(self.goal.at_most),
            },
            "reached": self.reached,
            "peers": {name: each.median for name, each in self.peers.items()},
            "spread": {name: each.spread for name, each in ways.items()},
            "times": {name: each.times for name, each in ways.items()},
            "extrapolated": [name for name, each in ways.items() if each.extrapolated],
            "detail": dict(self.detail),
        }


def interleaved(ways: Mapping[str, Way], times: int = TIMES) -> dict[str, Measured]:
    """Every way in turn, so many times over: a slow minute of the machine strikes all. First once for nothing."""
    for way in ways.values():
        if way.warmed:
            way.seconds()
    runs: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(times):
        for name, way in ways.items():
            runs[name].append(way.seconds())
    return {name: Measured.of(found, extrapolated=ways[name].factor != 1) for name, found in runs.items()}


def timed(work: Callable[[], Any]) -> float:
    """The seconds that it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
