"""How services reach one another: in this process, or over kept connections whose answers are parsed in C."""

import asyncio
import select
import time
from typing import Any

import httpx

from services.connection import Connection, NoHttp
from services.kernel.peers import MAX_ANSWER

CONNECT_SECONDS = 3.0
KEPT_SECONDS = 4.0
"""Servers here hang up after five seconds of silence."""


class Whole(Connection):
    """A connection that gives answers whole."""

    longest, bodiless = MAX_ANSWER, False

    def expect(self) -> None:
        """An answer begins next."""
        super().expect()
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has found a field; those behind the body, and of what follows unasked, are none of the answer."""
        if not self.status:
            super().on_header(name, value)
            self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The parser has found the end of the fields; those of an interim answer do not count."""
        super().on_headers_complete()
        if self.status < 200:
            self.fields.clear()
        elif self.bodiless:
            self.finish(reusable=False)

    def on_body(self, piece: bytes) -> None:
        """The parser has found a piece of the body."""
        if self.waiting is not None and not self.waiting.done():
            self.body.append(piece)

    def too_long(self) -> None:
        """The answer does not end."""
        self.fail(NoHttp())


class Direct(httpx.AsyncBaseTransport):
    """HTTP/1.1 without TLS to one service; httpx's own takes several times as long over small answers."""

    def __init__(self) -> None:
        self.idle: list[Whole] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request; a GET on a kept connection that turns out dead is sent again."""
        content = await request.aread()
        lines = b"".join([b"%b: %b\r\n" % field for field in request.headers.raw])
        if lines.count(b"\n") + lines.count(b"\r") != 2 * len(request.headers.raw):
            raise httpx.LocalProtocolError("A header field has several lines.")
        asked = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (request.method.encode(), request.url.raw_path, lines, content)
        connection = self.kept()
        if connection is not None:
            try:
                return await self.used(connection, asked, request.method)
            except (OSError, NoHttp) as error:
                if connection.answered or request.method != "GET":
                    raise broken(error) from error
        connection = await self.connected(request.url)
        try:
            return await self.used(connection, asked, request.method)
        except (OSError, NoHttp) as error:
            raise broken(error) from error

    def kept(self) -> Whole | None:
        """The connection that was used last, if it is still fresh."""
        oldest = time.monotonic() - KEPT_SECONDS
        while self.idle:
            connection = self.idle.pop()
            if connection.reusable and connection.used_at > oldest and silent(connection.transport):
                return connection
            connection.close()
        return None

    async def connected(self, url: httpx.URL) -> Whole:
        """A new connection."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return (await loop.create_connection(Whole, url.host, url.port or 80))[1]
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    async def used(self, connection: Whole, asked: bytes, method: str) -> httpx.Response:
        """One exchange; afterwards the connection is kept where it can be, and closed where not."""
        connection.bodiless = method == "HEAD"
        try:
            answer = await connection.exchange(asked)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            connection.used_at = time.monotonic()
            self.idle.append(connection)
        else:
            connection.close()
        return httpx.Response(answer.status, headers=connection.fields, content=b"".join(connection.body))

    async def aclose(self) -> None:
        """Give the connections back."""
        while self.idle:
            self.idle.pop().close()


def silent(transport: asyncio.Transport) -> bool:
    """Whether nothing has come on a connection in rest, not even its end, of which the loop may not have told yet."""
    if transport.is_closing():
        return False
    descriptor = transport.get_extra_info("socket").fileno()
    polled = select.poll()
    polled.register(descriptor, select.POLLIN)
    return not polled.poll(0)


def broken(error: OSError | NoHttp) -> httpx.TransportError:
    """The same in httpx's words."""
    if isinstance(error, NoHttp):
        return httpx.RemoteProtocolError("The answer was no HTTP, or broke off.")
    return httpx.ReadError(str(error))


def connect(url: str | None, app: Any, client: type[httpx.AsyncClient] = httpx.AsyncClient) -> httpx.AsyncClient:
    """A client for the service at `url`, or for `app` in this process; who calls bounds its calls."""
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    if url is None:
        inside = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return client(base_url="http://in-process", transport=inside, timeout=timeout)
    transport = Direct() if url.startswith("http://") else None
    return client(base_url=url, transport=transport, timeout=timeout, follow_redirects=False)
