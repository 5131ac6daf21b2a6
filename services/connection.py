"""One connection to a server, in HTTP/1.1: a request at a time, whose answer is parsed in C."""

import asyncio
from dataclasses import dataclass
from typing import cast

import httptools

LONGEST_HEAD, LONGEST_ANSWER = 16_384, 65_536
"""Bytes: of what comes before the body, and after which nobody waits for the end of one."""
FRAMED = frozenset({b"content-length", b"transfer-encoding"})


class NoHttp(Exception):
    """What came is no answer in HTTP/1.1, or broke off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What of an answer counts."""

    status: int
    retry_after: str | None


class Connection(asyncio.Protocol):
    """An open connection, of whose answers little counts. `answered`: something came back on the present request."""

    longest = LONGEST_ANSWER

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.waiting: asyncio.Future[Answer] | None = None
        self.answered, self.reusable, self.used_at = False, False, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport, self.reusable = cast(asyncio.Transport, transport), True

    def close(self) -> None:
        """Give it up."""
        self.reusable = False
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and read its answer, of the body only that it ends; raises NoHttp or OSError."""
        self.waiting = asyncio.get_running_loop().create_future()
        self.answered, self.reusable = False, False
        self.expect()
        self.transport.write(request)
        return await self.waiting

    def expect(self) -> None:
        """An answer begins next."""
        self.parser, self.length, self.status = httptools.HttpResponseParser(self), 0, 0
        self.retry_after: str | None = None
        self.framed = False

    def data_received(self, data: bytes) -> None:
        """Take a piece of the answer; what nobody has asked for ends the connection."""
        if self.waiting is None or self.waiting.done():
            self.close()
            return
        self.answered = True
        self.length += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail(NoHttp())
        if self.waiting.done():
            return
        if self.status and self.length > self.longest:
            self.too_long()
        elif not self.status and self.length > LONGEST_HEAD:
            self.fail(NoHttp())

    def on_message_begin(self) -> None:
        """The parser has found a beginning, which may be that of a second answer."""
        self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has found a field."""
        lower = name.lower()
        if lower == b"retry-after":
            self.retry_after = self.retry_after or value.decode("latin-1")
        self.framed = self.framed or lower in FRAMED

    def on_headers_complete(self) -> None:
        """The parser has found the beginning of the body."""
        self.status = self.parser.get_status_code()

    def on_message_complete(self) -> None:
        """The parser has found the end; after an interim answer another one follows."""
        if self.status >= 200:
            self.finish(reusable=self.parser.should_keep_alive())
        else:
            self.status, self.retry_after, self.framed = 0, None, False

    def too_long(self) -> None:
        """The answer goes on; what counts of it is there."""
        self.finish(reusable=False)

    def finish(self, *, reusable: bool) -> None:
        """The answer is there."""
        if self.waiting is not None and not self.waiting.done():
            sent = not self.transport.is_closing() and not self.transport.get_write_buffer_size()
            self.reusable = reusable and sent
            self.waiting.set_result(Answer(self.status, self.retry_after))

    def fail(self, error: Exception) -> None:
        """There is no answer."""
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(error)

    def connection_lost(self, error: Exception | None) -> None:
        """The other side has closed it, which ends an answer that does not say how long it is."""
        self.reusable = False
        if self.status >= 200 and not self.framed and error is None:
            self.finish(reusable=False)
        self.fail(error if isinstance(error, OSError) else NoHttp())
