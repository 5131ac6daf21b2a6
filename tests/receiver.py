"""A subscriber's server on loopback: it notes what comes, and answers as a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Request:
    """A delivery as it arrived."""

    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def told(self) -> Any:
        """Its body."""
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """Its body, once the standard's own library has found the signature good."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """What arrived, in its order; `answer` gives status and further headers for each."""

    port: int = 0
    got: list[Request] = field(default_factory=list)
    answer: Callable[[Request], tuple[int, str]] = lambda _request: (204, "")
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    serving: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook?from=ringfence"

    def types(self, contract_id: str | None = None) -> list[str]:
        """The types of what arrived (about a contract), repetitions included."""
        return [each.told["type"] for each in self.got if contract_id in {None, each.told["data"].get("contract_id")}]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, with as many requests as come."""
        self.connections += 1
        mine = self.connections
        self.open.add(writer)
        self.serving.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                request = Request(headers, body, mine)
                self.got.append(request)
                status, more = self.answer(request)
                writer.write(f"HTTP/1.1 {status} Said\r\n{more}content-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Let a receiver listen on loopback; on its old port, where it had one."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in list(receiver.open):
            writer.close()
        await asyncio.gather(*receiver.serving)
