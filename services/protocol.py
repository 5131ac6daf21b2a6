"""How apps are served: uvicorn, with a problem for what is no HTTP at all."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from services.kernel.errors import problem_members
from services.kernel.http import SECURITY_HEADERS
from services.kernel.openapi import PROBLEM_JSON
from services.kernel.types import canonical_json

ALLOCATIONS = 20_000
"""So many new objects before garbage is looked for: a thousand records a request are more than Python's own 700."""


class Joining:
    """A transport that writes in one piece what is written in one go: head and body of an answer are one call."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport, self.pieces = transport, list[bytes]()

    def write(self, piece: bytes) -> None:
        """Keep a piece until the loop comes round."""
        if not self.pieces:
            asyncio.get_running_loop().call_soon(self.flush)
        self.pieces.append(piece)

    def flush(self) -> None:
        """Write all that is kept."""
        if self.pieces:
            whole, self.pieces = b"".join(self.pieces), []
            self.transport.write(whole)

    def close(self) -> None:
        """Write all that is kept, and hang up."""
        self.flush()
        self.transport.close()

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's."""
        return getattr(self.transport, name)


class Protocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """The server's protocol, whose own refusal of unreadable bytes is RFC 9457's and not plain text."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Keep the way to the caller."""
        super().connection_made(Joining(transport))

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read as a request, and hang up."""
        words = ("The bytes are no HTTP request", f"{msg.rstrip('.')}.")
        body = canonical_json(problem_members(400, "bad_request", *words, "/"))
        kind = (b"content-type", PROBLEM_JSON.encode())
        fields = [kind, (b"content-length", str(len(body)).encode()), (b"connection", b"close"), *SECURITY_HEADERS]
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + body)
        self.transport.close()


def server(app: ASGIApp, **places: Any) -> uvicorn.Server:
    """A server for an app, at a place or on sockets that are given to it later."""
    quiet: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off", "server_header": False}
    plain: dict[str, Any] = {"http": Protocol, "proxy_headers": False, "timeout_keep_alive": 30}
    return uvicorn.Server(uvicorn.Config(app, **plain, **quiet, **places))


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a program in the server's own event loop: uvloop, where there is one.

    What it was built of stays until the end, so that looking for garbage need not go through it again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 20, 50)
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(work)
