"""Asking again: pauses that grow, with chance in them, no more often than the other side bears."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from services.outcomes.remote.errors import FetchFailed

Found = TypeVar("Found")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after which pauses, what failed in passing is tried again.

    Who is asked to wait longer than `longest_wait` seconds gives up for now.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 30.0
    longest_wait: float = 120.0
    sleep: Sleep = asyncio.sleep

    def pause(self, attempt: int, error: FetchFailed) -> float:
        """Seconds to wait after a failed attempt, the first being 1: what was asked for, or twice as long each time.

        Between half and all of it, so that many callers do not come back at the same moment.
        """
        grown = min(self.first_pause * 2.0 ** (attempt - 1), self.longest_pause)
        return max(grown * random.uniform(0.5, 1.0), error.retry_after or 0.0)  # noqa: S311

    async def of(self, work: Callable[[], Awaitable[Found]]) -> Found:
        """What the work gives in the end; raises its last error, or at once one that will not pass."""
        for attempt in range(1, self.attempts + 1):
            try:
                return await work()
            except FetchFailed as error:
                too_long = (error.retry_after or 0.0) > self.longest_wait
                if not error.passing or too_long or attempt == self.attempts:
                    raise
                await self.sleep(self.pause(attempt, error))
        raise AssertionError("attempts are at least one")


@dataclass(slots=True)
class Bucket:
    """Lets `burst` requests through at once, and then `rate` a second."""

    rate: float = 5.0
    burst: float = 10.0
    sleep: Sleep = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    left: float = field(init=False)
    seen: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.seen = self.burst, self.clock()

    async def take(self) -> None:
        """Wait until one more request may be sent."""
        now = self.clock()
        self.left = min(self.burst, self.left + (now - self.seen) * self.rate)
        self.seen, self.left = now, self.left - 1
        if self.left < 0:
            await self.sleep(-self.left / self.rate)
