"""An app served over real HTTP on this machine, and what every answer of it must have."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services import protocol

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "instance", "code"}
HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
SECRETS = ("traceback", 'file "', "sqlalchemy", "psycopg", "select ", "insert ", "sqlstate", "pydantic", ".py")
"""Words that tell of our insides."""


def listening() -> tuple[socket.socket, str]:
    """A socket on which nobody answers yet, and its address."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made, f"http://127.0.0.1:{made.getsockname()[1]}"


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The address of the app, served as `ringfence up` serves it."""
    door, url = listening()
    server = protocol.server(app, timeout_graceful_shutdown=2)
    running = asyncio.create_task(server.serve(sockets=[door]))
    try:
        yield url
    finally:
        server.should_exit = True
        await running


def check_headers(answer: httpx.Response) -> None:
    """Raise unless the answer has a request id and the security headers."""
    assert answer.headers.get("x-request-id"), f"no request id on {answer.status_code} {answer.text[:200]}"
    for name, value in HEADERS.items():
        assert answer.headers.get(name) == value, f"no {name} on {answer.status_code}"
    assert "max-age=" in answer.headers.get("strict-transport-security", "")


def check_problem(answer: httpx.Response, *statuses: int) -> Any:
    """Raise unless the answer is a problem (RFC 9457) with one of these statuses that tells nothing of our insides."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == PROBLEM, answer.headers
    found = answer.json()
    assert found.keys() >= MEMBERS, found
    assert found["status"] == answer.status_code
    assert found["type"].startswith("https://")
    assert found["type"].endswith(found["code"])
    assert found["instance"] == httpx.URL(str(answer.request.url)).path, found
    assert all(isinstance(found[name], str) and found[name] for name in MEMBERS - {"status"}), found
    said = answer.text.lower()
    assert not [word for word in SECRETS if word in said], answer.text[:500]
    check_headers(answer)
    return found
