"""A service behind the door that cannot take the door down: few calls at a time, none while it does not answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import ceil
from typing import ClassVar

import httpx

from services.gateway.rules.breaker import Breaker, State
from services.kernel.auth import Caller, Signer
from services.kernel.errors import Unavailable
from services.kernel.peers import BadGateway, Peer

PLACES, QUEUE, PATIENCE_SECONDS = 32, 64, 1.0
MAX_ANSWER = 128 * 2**20


class Bulkhead(Peer):
    """A peer that at most PLACES requests call at once; QUEUE more wait a second; the rest are told to come again.

    After some calls in a row without an answer the breaker keeps callers away at once. What one replica sees of a
    service is its own affair, so all of this is kept in the process.
    """

    seconds: ClassVar[float] = 30.0

    def __init__(self, name: str, client: httpx.AsyncClient, signer: Signer) -> None:
        super().__init__(name, client, signer)
        client.event_hooks = {"response": [bounded]}
        self.breaker, self.places, self.queue = Breaker(), asyncio.Semaphore(PLACES), 0

    @property
    def away(self) -> bool:
        """Whether the service did not answer of late."""
        return self.breaker.state(time.monotonic()) is not State.CLOSED

    async def send(
        self, method: str, target: str, *, caller: Caller, content: bytes | None = None, headers: Mapping[str, str]
    ) -> httpx.Response:
        """One request on behalf of `caller`; raises Unavailable at once where waiting would be in vain."""
        if pause := self.breaker.wait(time.monotonic()):
            raise Unavailable(f"The {self.name} service has not been answering; it is tried again soon.", ceil(pause))
        async with self.place():
            self.breaker = self.breaker.passed(time.monotonic())
            try:
                answer = await super().send(method, target, caller=caller, content=content, headers=headers)
            except BadGateway:
                self.breaker = self.breaker.answered()
                raise
            except Unavailable:
                self.breaker = self.breaker.failed(time.monotonic())
                raise
        self.breaker = self.breaker.answered()
        return answer

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places; raises Unavailable when none is free in time."""
        if self.places.locked() and self.queue >= QUEUE:
            raise Unavailable(f"The {self.name} service has too much to do at the moment.", retry_after=1)
        self.queue += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.places.acquire()
        except TimeoutError as error:
            raise Unavailable(f"The {self.name} service has too much to do at the moment.", retry_after=1) from error
        finally:
            self.queue -= 1
        try:
            yield
        finally:
            self.places.release()


class Bounded(httpx.AsyncByteStream):
    """An answer's bytes, which end with an error when there are too many."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces."""
        length = 0
        async for piece in self.stream:
            length += len(piece)
            if length > MAX_ANSWER:
                raise httpx.RemoteProtocolError("The answer does not end.")
            yield piece

    async def aclose(self) -> None:
        """Give the connection back."""
        await self.stream.aclose()


async def bounded(response: httpx.Response) -> None:
    """Limit the length of an answer before it is read."""
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = Bounded(response.stream)
