"""A time limit that is moved with every piece of a request: later, as it mostly is, without a timer being set anew."""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """Cancels what runs inside when its time is over, and raises TimeoutError instead; else it is asyncio.timeout.

    `at` is a time of the running loop. A timer that goes off before it is set again.
    """

    def __init__(self, at: float) -> None:
        self.at, self.expired = at, False
        self.loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        """Begin; raises RuntimeError outside a task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A deadline is kept inside a task.")
        self.task, self.cancelling = task, task.cancelling()
        self.timer = self.loop.call_at(self.at, self.look)
        return self

    def move(self, at: float) -> None:
        """Let the work last until then."""
        self.at = at
        if at < self.timer.when():
            self.timer.cancel()
            self.timer = self.loop.call_at(at, self.look)

    def look(self) -> None:
        """Cancel the work if its time is over."""
        if self.loop.time() < self.at:
            self.timer = self.loop.call_at(self.at, self.look)
        else:
            self.expired = True
            self.task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End; raises TimeoutError where the time was over and nobody else has cancelled the work."""
        self.timer.cancel()
        if self.expired and self.task.uncancel() <= self.cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
