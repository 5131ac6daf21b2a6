"""A load of HTTP requests over kept connections: as many as are answered, or so many a second.

Plain enough to take little of the machine that it shares with what it measures.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import uvloop

Ask = Callable[[], bytes]
"""Makes the bytes of one client's next request."""
END = b"\r\n\r\n"


class Refused(RuntimeError):
    """An answer was none of those that count."""


@dataclass(slots=True)
class Answers:
    """What came of a load: seconds that each request took, and over how many seconds they came."""

    seconds: list[float] = field(default_factory=list)
    lasted: float = 0.0

    @property
    def each(self) -> float:
        """Seconds of the whole load for each request."""
        return self.lasted / len(self.seconds)

    def percentile(self, percent: float) -> float:
        """The seconds within which so many percent of the requests were answered."""
        return float(np.percentile(self.seconds, percent))


class Connection(asyncio.Protocol):
    """One client: a request at a time."""

    def __init__(self, ask: Ask, done: Callable[["Connection", float], None]) -> None:
        self.ask, self.done = ask, done
        self.transport: asyncio.Transport
        self.buffer, self.since = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server."""
        self.transport = cast(asyncio.Transport, transport)

    def send(self, since: float) -> None:
        """Ask once; the answer is counted from `since`."""
        self.since = since
        self.transport.write(self.ask())

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer; raises Refused for one that is neither 200 nor 201."""
        self.buffer += data
        head, found, rest = self.buffer.partition(END)
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        if len(rest) < length:
            return
        if head[9:12] not in {b"200", b"201"}:
            raise Refused(self.buffer[:1000].decode())
        self.buffer = b""
        self.done(self, time.perf_counter() - self.since)


def run(port: int, clients: Sequence[Ask], seconds: float, rate: float | None = None) -> Answers:
    """Load a port for so many seconds: every client without pause, or `rate` requests a second in all.

    With a rate a request counts from the moment at which it was due, also when no client was free to send it.
    """
    return uvloop.run(loaded(port, clients, seconds, rate))


async def loaded(port: int, clients: Sequence[Ask], seconds: float, rate: float | None) -> Answers:
    """The same, in a loop that runs."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    loop.set_exception_handler(lambda _, context: None if failed.done() else failed.set_exception(context["exception"]))
    answers, due, idle = Answers(), deque[float](), deque[Connection]()
    begun = time.perf_counter()

    def done(connection: Connection, took: float) -> None:
        now = time.perf_counter()
        answers.seconds.append(took)
        if now - begun >= seconds:
            return
        if rate is None:
            connection.send(now)
        elif due:
            connection.send(due.popleft())
        else:
            idle.append(connection)

    for ask in clients:
        _, connection = await loop.create_connection(lambda ask=ask: Connection(ask, done), "127.0.0.1", port)  # type: ignore[misc]
        idle.append(connection)
    begun = time.perf_counter()
    if rate is None:
        for connection in [idle.popleft() for _ in clients]:
            connection.send(begun)
    sent = 0
    while (now := time.perf_counter()) - begun < seconds:
        while rate is not None and sent < (now - begun) * rate:
            moment, sent = begun + sent / rate, sent + 1
            if idle:
                idle.popleft().send(moment)
            else:
                due.append(moment)
        await asyncio.wait([failed], timeout=0.001 if rate else seconds - (now - begun))
        if failed.done():
            failed.result()
    answers.lasted = time.perf_counter() - begun
    for connection in idle:
        connection.transport.abort()
    return answers
