"""The system on a stage: a database of its own, all services in the background, a clock that can be moved."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from migrations import run as migrations
from services import keys, system

Found = TypeVar("Found")
PATIENCE = 30.0


class StoryBroken(RuntimeError):
    """Something went another way than the story tells."""


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables set, and afterwards as they were; the clock is moved by one of them."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


OF_THE_STAGE = frozenset({"RINGFENCE_NOW", "RINGFENCE_OCID_PREFIX"})
"""What is for demonstrations only, and refused elsewhere."""


class Stage:
    """A running installation on an owner's database address; `base` is where its gateway answers."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.keys_dir, self.port = url, folder / "keys", free_port()
        self.base = f"http://127.0.0.1:{self.port}"

    def at(self, day: str, hour: int = 9) -> None:
        """Move the clock to this hour of a day, in London."""
        os.environ["RINGFENCE_NOW"] = f"{day}T{hour:02d}:00:00"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve everything in the background until the end of the block."""
        shutil.rmtree(self.keys_dir, ignore_errors=True)
        values = {"RINGFENCE_DATABASE_URL": self.url, "RINGFENCE_KEYS_DIR": str(self.keys_dir)}
        with environment({**values, "RINGFENCE_OCID_PREFIX": system.SAMPLE_PREFIX}):
            keys.ensure(self.keys_dir)
            migrations.erase(self.url)
            migrations.upgrade(self.url)
            ready: dict[str, Any] = {}
            thread = threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True)
            thread.start()
            try:
                wait("the gateway", self.answers)
                yield
            finally:
                if "stop" in ready and not ready["loop"].is_closed():
                    ready["loop"].call_soon_threadsafe(ready["stop"].set)
                thread.join(20)

    async def serve(self, ready: dict[str, Any]) -> None:
        """All three services and their workers, until told to stop."""
        ready["loop"], ready["stop"] = asyncio.get_running_loop(), asyncio.Event()
        built = system.assemble(poll_seconds=0.1)
        await system.serve(built, "gateway", "127.0.0.1", self.port, ready["stop"])

    def answers(self) -> bool:
        """Whether the gateway can do its work."""
        try:
            return httpx.get(f"{self.base}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def commands(self, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        """Run `ringfence` commands side by side; gives what each printed."""
        env = {name: value for name, value in os.environ.items() if name not in OF_THE_STAGE}
        program = str(Path(sys.executable).with_name("ringfence"))

        def run(arguments: tuple[str, ...]) -> str:
            done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                raise StoryBroken(f"ringfence {' '.join(arguments)}: {done.stderr or done.stdout}")
            return done.stdout

        with ThreadPoolExecutor(max_workers=2) as pool:
            return dict(zip(wanted, pool.map(run, wanted.values()), strict=True))


def wait(what: str, look: Callable[[], Found | None]) -> Found:
    """Look again and again until there is something; raises StoryBroken when nothing comes."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise StoryBroken(f"Waited {PATIENCE:.0f} seconds for {what}; nothing came.")


class Actor:
    """Somebody who calls the API: a system with a client's token, or a finance team with an API key."""

    def __init__(self, base: str, *, client: tuple[str, str] | None = None, key: str | None = None) -> None:
        self.http = httpx.Client(base_url=base, timeout=60)
        if client:
            answer = self.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=client)
            self.http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        elif key:
            self.http.headers["x-api-key"] = key

    def ask(self, method: str, path: str, *, expect: int = 200, key: str | None = None, **request: Any) -> Any:
        """One request; gives the JSON answer, raises StoryBroken for another status than the expected one."""
        headers = {"Idempotency-Key": f'"{key or uuid4()}"'} | request.pop("headers", {})
        answer = self.http.request(method, path, headers=headers, **request)
        if answer.status_code != expect:
            raise StoryBroken(f"{method} {path} was answered {answer.status_code}: {answer.text[:600]}")
        return answer.json() if answer.content else None

    def get(self, path: str, **query: str) -> Any:
        """What stands at a path."""
        return self.ask("GET", path, params=query or None)

    def change(self, resource: str, action: str, body: Any = None, expect: int = 200) -> Any:
        """A move on a resource, naming the version that was read."""
        tag = self.http.get(resource).headers.get("ETag", "")
        return self.ask("POST", f"{resource}/{action}", expect=expect, json=body, headers={"If-Match": tag})
