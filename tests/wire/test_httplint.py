"""Real answers, as they come over the wire, in which httplint finds nothing bad."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.kernel.types import Kind
from tests.wire.loopback import served
from tests.world import World

COMMAND = Path(sys.executable).with_name("httplint")
REQUESTS = {
    "a list": ("GET", "/v1/schools?limit=2", {}, b""),
    "the same again": ("GET", "/v1/schools?limit=2", {"If-None-Match": "*"}, b""),
    "nothing there": ("GET", "/v1/nothing", {}, b""),
    "another method": ("DELETE", "/v1/schools", {}, b""),
    "no key": ("POST", "/v1/clients", {"Content-Type": "application/json"}, b"{}"),
    "nobody": ("GET", "/v1/contracts", {"Authorization": ""}, b""),
    "keys": ("GET", "/.well-known/jwks.json", {}, b""),
    "the page": ("GET", "/docs", {}, b""),
    "health": ("GET", "/health/ready", {}, b""),
    "no token": ("POST", "/oauth2/token", {"Content-Type": "application/x-www-form-urlencoded"}, b"grant_type=x"),
    "a tangle": ("POST", "/v1/clients", {"Content-Type": "application/json"}, b"[" * 50),
}


async def answer_to(url: str, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of the answer to one request."""
    there = httpx.URL(url)
    reader, writer = await asyncio.open_connection(there.host, there.port)
    fields = {"Host": "here", "Connection": "close", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
    await writer.drain()
    async with asyncio.timeout(20):
        found = await reader.read()
    writer.close()
    return found


def linted(answer: bytes) -> bytes:
    """What httplint says of an answer."""
    return subprocess.run([COMMAND, "-n"], input=answer, capture_output=True, check=True).stdout


async def test_httplint_finds_nothing_bad(seeded_world: World, subtests: pytest.Subtests) -> None:
    reader = await seeded_world.client(Kind.DFE)
    async with served(seeded_world.system.apps["gateway"]) as url:
        for what, (method, path, headers, body) in REQUESTS.items():
            answer = await answer_to(url, method, path, {**reader.headers, **headers}, body)
            said = (await asyncio.to_thread(linted, answer)).decode()
            with subtests.test(what=what):
                assert "[GOOD]" in said, answer[:600]
                assert "[BAD]" not in said, said
