"""What comes in: limits on addresses, headers, bodies and time, and on requests that prove nobody."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.answers import Answer
from services.gateway.deadline import Deadline
from services.gateway.rates import Rates
from services.gateway.rules.nesting import MAX_DEPTH, tangled
from services.gateway.settings import Settings
from services.kernel.errors import BadRequest, DomainError, Unavailable
from services.kernel.http import MAX_BODY
from services.kernel.problems import as_problem

MAX_TARGET, MAX_HEADERS = 8_192, 32_768
SLOWEST = 16_384
"""Bytes a second that a body must come with, once its first seconds are over."""
QUIET = "/health/"
TOKENS = "/oauth2/"


class TargetTooLong(DomainError):
    """The address is longer than any that is offered here."""

    status = 414
    code = "uri_too_long"
    title = "The address is too long"


class HeadersTooLong(DomainError):
    """The header fields hold more than any request needs."""

    status = 431
    code = "headers_too_long"
    title = "The header fields are too long"


class EncodedBody(DomainError):
    """Compressed bodies are not taken: how large they become would have to be found out first."""

    status = 415
    code = "unsupported_encoding"
    title = "The body is encoded"


class TooSlow(DomainError):
    """The body did not come in time."""

    status = 408
    code = "request_timeout"
    title = "The body came too slowly"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.headers = {"Connection": "close"}


class Overtime(Unavailable):
    """The request was given up after its time; what it asked may still have been kept, under its key."""

    code = "overtime"
    title = "The request took too long"


def check_head(scope: Scope) -> None:
    """Raise for an address, header fields or an encoding that is not taken; before anything is read."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET:
        raise TargetTooLong(f"At most {MAX_TARGET} bytes are taken.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        raise HeadersTooLong(f"At most {MAX_HEADERS} bytes are taken.")
    encodings = [value.lower() for name, value in scope["headers"] if name == b"content-encoding"]
    if any(each.strip() not in {b"", b"identity"} for each in encodings):
        raise EncodedBody("Send the body as it is, without Content-Encoding.")


class Body:
    """The receiving side of one request: while its body comes, its deadline moves with every piece."""

    def __init__(self, receive: Receive, limit: Deadline, settings: Settings) -> None:
        self.source, self.limit, self.settings = receive, limit, settings
        self.started, self.received = limit.loop.time(), 0
        self.complete, self.waiting = False, False
        self.kept: deque[Message] = deque()

    async def receive(self) -> Message:
        """The next message, from what was read before or from the caller."""
        return self.kept.popleft() if self.kept else await self.next()

    async def next(self) -> Message:
        """The next message from the caller."""
        if self.complete:
            return await self.source()
        self.limit.move(self.started + self.settings.body_seconds + self.received / SLOWEST)
        self.waiting = True
        message = await self.source()
        self.waiting = False
        self.received += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        self.limit.move(self.limit.loop.time() + self.settings.request_seconds)
        return message

    async def check(self) -> None:
        """Read a JSON body that is not too long (which the framework refuses) and refuse one that is a tangle."""
        while not self.complete and self.received <= MAX_BODY:
            self.kept.append(await self.next())
        if self.complete and tangled(b"".join(each.get("body", b"") for each in self.kept)):
            raise BadRequest(f"The body is no JSON, or nests deeper than {MAX_DEPTH}, or holds too many values.")


def reads_json(request: Request) -> bool:
    """Whether the body is JSON of a length that may be taken."""
    announced = request.headers.get("content-length", "0")
    length = int(announced) if announced.isdecimal() else MAX_BODY + 1
    json = "json" in request.headers.get("content-type", "")
    return json and request.method in {"POST", "PUT", "PATCH"} and length <= MAX_BODY


class Guard:
    """The layer, in plain ASGI, around everything that the gateway answers.

    Who proves itself is counted when it has done so; token requests, and all that prove nobody, by their address.
    `is_open` says whether a path is answered to anybody.
    """

    def __init__(self, app: ASGIApp, rates: Rates, settings: Settings, is_open: Callable[[str], bool]) -> None:
        self.app, self.rates, self.settings, self.is_open = app, rates, settings, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = Answer(scope, send, partial(self.count_address, request))
        try:
            check_head(scope)
            await self.charge(request)
            await self.within_time(request, receive, answer)
        except DomainError as error:
            await as_problem(request, error)(scope, receive, answer.send)

    async def count_address(self, request: Request) -> None:
        """Count a request by its address, unless it only asks whether the system lives."""
        if not request.scope["path"].startswith(QUIET):
            await self.rates.charge_address(request, self.rates.address)

    async def charge(self, request: Request) -> None:
        """Count a request that proves nobody; whether the system lives may always be asked."""
        path = request.scope["path"]
        if path.startswith(TOKENS):
            await self.rates.charge_address(request, self.rates.token)
        elif self.is_open(path) or not proves(request):
            await self.count_address(request)

    async def within_time(self, request: Request, receive: Receive, answer: Answer) -> None:
        """Let the app answer; raises TooSlow or Overtime when time runs out before the answer has begun."""
        json = reads_json(request)
        seconds = self.settings.body_seconds if json else self.settings.request_seconds
        limit = Deadline(asyncio.get_running_loop().time() + seconds)
        try:
            async with limit:
                body = Body(receive, limit, self.settings)
                if json:
                    await body.check()
                await self.app(request.scope, body.receive, answer.send)
        except TimeoutError as error:
            if not limit.expired or answer.begun:
                raise
            if body.waiting:
                raise TooSlow("Send the body without pauses.") from error
            raise Overtime("Ask again, with the same Idempotency-Key; nothing is done twice.") from error


def proves(request: Request) -> bool:
    """Whether the request holds something that may prove who calls."""
    return "authorization" in request.headers or "x-api-key" in request.headers
