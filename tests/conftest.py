"""One embedded PostgreSQL for all tests, started once; every test that needs a database gets a clone of its own."""

import asyncio
import fcntl
import gc
import logging
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from migrations import run as migrations
from services import embedded, keys
from services.cli import log_from
from tests.world import World, clone, copy, drop, named, rows, seed, world_on

MIGRATED, SEEDED = "migrated", "seeded"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""Tests that crash the database start one of their own, with durable settings."""


def pytest_configure(config: pytest.Config) -> None:
    """In the process that leads, start the server that all share; workers are told where it is."""
    log_from(logging.ERROR)
    if hasattr(config, "workerinput") or all("tests/unit" in str(arg) for arg in config.args):
        return
    folder = Path(tempfile.mkdtemp(prefix="ringfence-tests-"))
    server = embedded.start(folder / "postgres", settings=FAST)
    config.shared = {"url": server.url, "folder": str(folder)}  # type: ignore[attr-defined]

    def stop() -> None:
        server.stop()
        embedded.remove(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(stop)


def pytest_collection_finish() -> None:
    """Have what was imported, which stays, not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the server is."""
    node.workerinput["shared"] = getattr(node.config, "shared", None)


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where the server is, and a folder that all workers see."""
    config: Any = request.config
    found: dict[str, str] = config.workerinput["shared"] if hasattr(config, "workerinput") else config.shared
    return found


@pytest.fixture(scope="session")
def owner_url(shared: dict[str, str]) -> str:
    """The address of the server's own database, for making others."""
    return shared["url"]


@pytest.fixture(scope="session")
def keys_dir(shared: dict[str, str]) -> Path:
    """Signing keys for all tests."""
    folder = Path(shared["folder"]) / "keys"
    with locked(shared):
        keys.ensure(folder)
    return folder


class locked:  # noqa: N801
    """One worker at a time."""

    def __init__(self, shared: dict[str, str]) -> None:
        self.path = Path(shared["folder"]) / "lock"

    def __enter__(self) -> None:
        self.handle = self.path.open("w")
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.handle.close()


def exists(owner_url: str, name: str) -> bool:
    """Whether the server has a database with this name."""
    return bool(rows(owner_url, "SELECT 1 FROM pg_database WHERE datname = %(name)s", name=name))


@pytest.fixture(scope="session")
def migrated(shared: dict[str, str], owner_url: str) -> str:
    """The name of a template database with all tables and no rows."""
    with locked(shared):
        if not exists(owner_url, MIGRATED):
            copy(owner_url, "template0", "making_migrated")
            migrations.upgrade(named(owner_url, "making_migrated"))
            copy(owner_url, "making_migrated", MIGRATED)
    return MIGRATED


@pytest.fixture(scope="session")
def seeded(shared: dict[str, str], owner_url: str, migrated: str) -> str:
    """The name of a template database into which the sample was ingested."""
    with locked(shared):
        if not exists(owner_url, SEEDED):
            copy(owner_url, migrated, "making_seeded")
            asyncio.run(seed(named(owner_url, "making_seeded")))
            copy(owner_url, "making_seeded", SEEDED)
    return SEEDED


@pytest.fixture
def database_url(owner_url: str, migrated: str) -> Iterator[str]:
    """A migrated database without rows."""
    url = clone(owner_url, migrated)
    yield url
    drop(owner_url, url)


@pytest.fixture
def seeded_url(owner_url: str, seeded: str) -> Iterator[str]:
    """A database with the sample in it."""
    url = clone(owner_url, seeded)
    yield url
    drop(owner_url, url)


@pytest.fixture
async def world(database_url: str, keys_dir: Path) -> AsyncIterator[World]:
    """The system on a database without rows."""
    async with world_on(database_url, keys_dir) as found:
        yield found


@pytest.fixture
async def seeded_world(seeded_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The system with the sample, in June 2023."""
    monkeypatch.setenv("RINGFENCE_NOW", "2023-06-20T09:00:00")
    async with world_on(seeded_url, keys_dir) as found:
        yield found


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches beyond this machine."""
    real = socket.socket.connect

    def connect(own: socket.socket, address: Any) -> None:
        if own.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address}")
        real(own, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
