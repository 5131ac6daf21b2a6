"""Speaking to another service: HTTP under a signed identity, few calls at a time, none while it does not answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import httpx
from pydantic_core import to_json

from services.kernel.auth import Caller
from services.kernel.errors import BadRequest, DomainError, Unavailable
from services.kernel.tokens import Signer

SECONDS = 20.0
"""How long a whole call may take, however slowly the answer comes, unless it is said otherwise."""
PLACES, QUEUE, PATIENCE_SECONDS = 32, 64, 1.0
FAILURES, PAUSE_SECONDS = 5, 5.0
MAX_ANSWER = 128 * 2**20


class BadGateway(Unavailable):
    """A service behind the door answered nonsense."""

    status = 502
    code = "bad_gateway"
    title = "A service behind the door gave no usable answer"


class GatewayTimeout(Unavailable):
    """A service behind the door did not answer in time; whether it acted is not known."""

    status = 504
    code = "gateway_timeout"
    title = "A service behind the door did not answer in time"


AWAY = {each.status for each in (BadGateway, Unavailable, GatewayTimeout)}
"""What a service answers when something that it needs itself is away: it may be asked again."""


class Refused(DomainError):
    """The other service refused, with a problem of its own, which is passed on as it is."""

    def __init__(self, status: int, members: Mapping[str, Any]) -> None:
        super().__init__(str(members.get("detail", "")))
        self.status = status  # type: ignore[misc]
        self.code = str(members.get("code", "refused"))  # type: ignore[misc]
        self.title = str(members.get("title", "Refused"))  # type: ignore[misc]
        told = {"type", "title", "status", "detail", "code", "instance"}
        self.extensions = {name: value for name, value in members.items() if name not in told}


@dataclass(frozen=True, slots=True)
class Breaker:
    """Keeps callers away from a service after some calls in a row without an answer, for a pause; then one may try.

    `until` is the end of the pause, in seconds of any steady clock.
    """

    failures: int = 0
    until: float = 0.0

    @property
    def closed(self) -> bool:
        """Whether everything is let through."""
        return self.failures < FAILURES

    def wait(self, now: float) -> float:
        """Seconds until a request may pass; 0: it may pass now."""
        return 0.0 if self.closed else max(0.0, self.until - now)

    def passed(self, now: float) -> "Breaker":
        """After a request was let through: one that tries keeps the others out meanwhile."""
        return self if self.closed else replace(self, until=now + PAUSE_SECONDS)

    def failed(self, now: float) -> "Breaker":
        """After no answer came."""
        return Breaker(self.failures + 1, now + PAUSE_SECONDS)


class Peer:
    """One other service. `client` decides how it is reached: over the network, or mounted in this process.

    At most PLACES requests call it at once, QUEUE more wait a moment, the rest are told to come again; a breaker keeps
    them away while it does not answer. What one replica sees of a service is its own affair, so all of this is kept
    in the process. `seconds` bounds a whole call.
    """

    def __init__(self, name: str, client: httpx.AsyncClient, signer: Signer, seconds: float = SECONDS) -> None:
        self.name, self.client, self.signer, self.seconds = name, client, signer, seconds
        self.breaker, self.places, self.queue = Breaker(), asyncio.Semaphore(PLACES), 0
        client.event_hooks = {"response": [bounded]}

    @property
    def away(self) -> bool:
        """Whether the service did not answer of late."""
        return not self.breaker.closed

    async def send(
        self, method: str, target: str, *, caller: Caller, content: bytes | None = None, headers: Mapping[str, str]
    ) -> httpx.Response:
        """One request on behalf of `caller`; raises Unavailable, GatewayTimeout or BadGateway, never httpx's own.

        Raises Unavailable at once where waiting would be in vain.
        """
        if pause := self.breaker.wait(time.monotonic()):
            raise Unavailable(f"The {self.name} service has not been answering; it is tried again soon.", ceil(pause))
        async with self.place():
            self.breaker = self.breaker.passed(time.monotonic())
            try:
                answer = await self.call(method, target, caller=caller, content=content, headers=headers)
            except Unavailable as error:
                nonsense = isinstance(error, BadGateway)
                self.breaker = Breaker() if nonsense else self.breaker.failed(time.monotonic())
                raise
        self.breaker = Breaker()
        return answer

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places; raises Unavailable when none is free in time."""
        busy = Unavailable(f"The {self.name} service has too much to do at the moment.", retry_after=1)
        if self.places.locked() and self.queue >= QUEUE:
            raise busy
        self.queue += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.places.acquire()
        except TimeoutError as error:
            raise busy from error
        finally:
            self.queue -= 1
        try:
            yield
        finally:
            self.places.release()

    async def call(
        self, method: str, target: str, *, caller: Caller, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        """One request, as it is; the errors of the client told as ours."""
        identity = {"Authorization": f"Bearer {self.signer.identity(caller, self.name)}"}
        signed = [(name.encode(), value.encode("latin-1")) for name, value in {**headers, **identity}.items()]
        try:
            url, times = f"{self.client.base_url}".rstrip("/") + target, {"timeout": self.client.timeout.as_dict()}
            request = httpx.Request(method, url, content=content, headers=signed, extensions=times)
            async with asyncio.timeout(self.seconds):
                response = await self.client.send(request)
        except httpx.InvalidURL as error:
            raise BadRequest("The address holds signs that no address has.") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise GatewayTimeout(f"The {self.name} service did not answer in time.") from error
        except (httpx.DecodingError, httpx.RemoteProtocolError) as error:
            raise BadGateway(f"The {self.name} service gave an answer that cannot be read.") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The {self.name} service does not answer at the moment.") from error
        if response.status_code >= 500 and response.status_code not in AWAY:
            raise BadGateway(f"The {self.name} service failed.", request_id=response.headers.get("x-request-id"))
        return response

    async def ask(self, method: str, target: str, *, caller: Caller, body: Any = None, key: str = "") -> Any:
        """One JSON request, whose body may hold identifiers and dates; gives the JSON answer.

        Raises Refused with the other's own problem.
        """
        content = None if body is None else to_json(body)
        said = {"Content-Type": content and "application/json", "Idempotency-Key": key and f'"{key}"'}
        headers = {name: value for name, value in said.items() if value}
        response = await self.send(method, target, caller=caller, content=content, headers=headers)
        try:
            answer = response.json()
        except ValueError as error:
            raise BadGateway(f"The {self.name} service gave an answer that is not JSON.") from error
        if response.status_code in AWAY:
            raise Unavailable(f"The {self.name} service cannot work at the moment.")
        if response.status_code >= 400:
            raise Refused(response.status_code, answer if isinstance(answer, dict) else {})
        return answer


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


async def next_events(source: Peer, after: tuple[int, int], caller: Caller) -> list[dict[str, Any]]:
    """The next events of a service after a place."""
    answer = await source.ask("GET", f"/internal/events?txid={after[0]}&position={after[1]}", caller=caller)
    return list(answer["data"])
