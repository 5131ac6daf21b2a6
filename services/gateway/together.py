"""Work on what is asked at the same time, done together: what comes while a round runs is taken into the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Work = Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]]
"""Gives for each that asked its answer, or the error that is to be raised to it."""


class Together(Generic[Asked, Answer]):
    """Collects what is asked in this process and has it worked on, at most so much in a round, in few rounds at once.

    Alone, a caller waits for nothing: a round begins at once when there is room for one. Who has gone away by the time
    at which its round begins is left out.
    """

    def __init__(self, work: Work[Asked, Answer], *, most: int, rounds: int) -> None:
        self.work, self.most, self.room = work, most, rounds
        self.waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, asked: Asked) -> Answer:
        """The answer to this; raises what the work says against it."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting.append((asked, answer))
        if self.room:
            self.room -= 1
            task = asyncio.create_task(self.run())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return await answer

    async def run(self) -> None:
        """Rounds, until nobody waits."""
        while self.waiting:
            taken = [self.waiting.popleft() for _ in range(min(self.most, len(self.waiting)))]
            await self.round([each for each in taken if not each[1].done()])
        self.room += 1

    async def round(self, taken: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        """Work on these, and tell each what came of it."""
        try:
            found = await self.work([asked for asked, _ in taken]) if taken else ()
            pairs = list(zip(taken, found, strict=True))
        except Exception as error:
            pairs = [(each, error) for each in taken]
        for (_, answer), one in pairs:
            if answer.done():
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
