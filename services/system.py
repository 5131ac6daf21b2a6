"""The services put together: all in one process, or one of several, from the same code."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql

from services import embedded, keys, protocol
from services.contracts import app as contracts_app
from services.contracts import worker as contracts_worker
from services.contracts.settings import Settings as ContractsSettings
from services.gateway import app as gateway_app
from services.gateway import worker as gateway_worker
from services.gateway.courier import Courier
from services.gateway.settings import Settings as GatewaySettings
from services.kernel.db import Database
from services.kernel.http import Service
from services.kernel.jobs import Worker
from services.kernel.peers import SECONDS, Peer
from services.metrics import Metrics
from services.outcomes import app as outcomes_app
from services.outcomes import worker as outcomes_worker
from services.outcomes.settings import Settings as OutcomesSettings
from services.transport import connect

if find_spec("sniffio") is None:
    # httpx looks for it at every call within the process; to find it missing takes longer than all the rest of that.
    sys.modules["sniffio"] = None  # type: ignore[assignment]
SERVICES = ("gateway", "contracts", "outcomes")
VAR = Path("var")
DOOR_SECONDS = SECONDS + 10
"""How long a call from the door may take: contracts can say itself that outcomes hangs, and is not blamed for it."""
METRICS_HOST = os.environ.get("RINGFENCE_METRICS_HOST", "127.0.0.1")
SAMPLE_PREFIX = "ocds-213czf"
"""The example of the Open Contracting Data Standard: for the embedded database and tests, never for the public."""


class ClockNotMovable(RuntimeError):
    """RINGFENCE_NOW is for demonstrations on the embedded database only."""


class SamplePrefix(RuntimeError):
    """Contracts are published under a prefix of one's own, which the Open Contracting Partnership gives out."""


@dataclass
class System:
    """What runs in this process."""

    apps: dict[str, Service] = field(default_factory=dict)
    workers: list[Worker | Courier] = field(default_factory=list)
    databases: list[Database] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)

    def __post_init__(self) -> None:
        """What is measured of it all."""
        self.metrics = Metrics(self.databases, self.peers)

    async def close(self) -> None:
        """Finish what is being noted, and give back connections."""
        if "gateway" in self.apps:
            await self.apps["gateway"].state.uses.settle()
            await self.apps["gateway"].state.wire.close()
        for worker in self.workers:
            if isinstance(worker, Courier):
                worker.outbound.close()
        for peer in self.peers:
            await peer.client.aclose()
        for database in self.databases:
            await database.close()


def assemble(services: Sequence[str] = SERVICES, *, poll_seconds: float | None = None) -> System:
    """Build the named services on the database of the environment; the others are reached by their addresses."""
    system = System()
    timing: dict[str, Any] = {} if poll_seconds is None else {"poll_seconds": poll_seconds}
    gateway, contracts, outcomes = GatewaySettings(**timing), ContractsSettings(**timing), OutcomesSettings(**timing)
    if poll_seconds is not None:
        gateway.pull_seconds = gateway.integrate_seconds = contracts.hear_seconds = poll_seconds
    folder, client = keys.Folder(gateway.keys_dir), client_class()
    verifier = keys.Recognising(folder)

    def database(name: str) -> Database:
        made = Database(name, pool_size=gateway.pool_size)
        system.databases.append(made)
        return made

    def peer(name: str, url: str | None, signer: str, seconds: float = SECONDS) -> Peer:
        made = Peer(name, connect(url, system.apps.get(name), client), keys.Vouching(folder, signer), seconds)
        system.peers.append(made)
        return made

    if "outcomes" in services:
        own = database("outcomes")
        system.apps["outcomes"] = outcomes_app.build(own, database("tables"), verifier, outcomes)
        system.workers.append(outcomes_worker.create_worker(own, outcomes))
    if "contracts" in services:
        own, evidence = database("contracts"), peer("outcomes", contracts.outcomes_url, "contracts")
        system.apps["contracts"] = contracts_app.build(own, verifier, evidence, contracts)
        system.workers.append(contracts_worker.create_worker(own, evidence, contracts))
    if "gateway" in services:
        own = database("gateway")
        commitments = peer("contracts", gateway.contracts_url, "gateway", DOOR_SECONDS)
        evidence = peer("outcomes", gateway.outcomes_url, "gateway", DOOR_SECONDS)
        proofs = gateway_app.Credentials(folder, folder.published, gateway.issuer, gateway.proxies())
        system.apps["gateway"] = gateway_app.build(own, proofs, commitments, evidence, gateway)
        rotate = partial(keys.rotate_due, folder.path, gateway.signing_days)
        system.workers.append(gateway_worker.create_worker(own, commitments, evidence, gateway, rotate))
        system.workers.append(gateway_worker.create_log_worker(own, keys.load_log_key(folder.path), gateway))
        system.workers.append(gateway_worker.create_courier(own, gateway))
    for app in system.apps.values():
        app.count = system.metrics.count
    if traced():
        wires = [app.state.wire for app in system.apps.values() if hasattr(app.state, "wire")]
        import_module("services.tracing").trace_statements(system.databases, wires)
    return system


def traced() -> bool:
    """Whether the environment says where traces go."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def client_class() -> type[httpx.AsyncClient]:
    """What services are called with: traced where traces are wanted, which loads nothing otherwise."""
    found: type[httpx.AsyncClient] = import_module("services.tracing").TracedClient if traced() else httpx.AsyncClient
    return found


def here() -> list[str]:
    """The services that have no address elsewhere, so they run in this process."""
    settings = GatewaySettings()
    elsewhere = {"contracts": settings.contracts_url, "outcomes": settings.outcomes_url}
    return [name for name in SERVICES if not elsewhere.get(name)]


def keys_folder(var: Path = VAR) -> Path:
    """Where the signing keys are: in `var` unless the environment names another place."""
    return Path(os.environ.setdefault("RINGFENCE_KEYS_DIR", str((var / "keys").resolve())))


@contextmanager
def installation(var: Path = VAR) -> Iterator[str]:
    """Database and keys, ready to use: the embedded ones in `var` unless the environment names others.

    Gives the owner's address of the database. Raises ClockNotMovable when RINGFENCE_NOW is set for another one.
    """
    given = os.environ.get("RINGFENCE_DATABASE_URL")
    if given and os.environ.get("RINGFENCE_OCID_PREFIX") == SAMPLE_PREFIX:
        raise SamplePrefix(f"{SAMPLE_PREFIX} is the standard's example; set RINGFENCE_OCID_PREFIX to your own.")
    if given and os.environ.get("RINGFENCE_NOW"):
        raise ClockNotMovable("RINGFENCE_NOW moves the clock of the embedded database only; unset one of the two.")
    keys.ensure(keys_folder(var))
    if given:
        yield given
        return
    os.environ.setdefault("RINGFENCE_OCID_PREFIX", SAMPLE_PREFIX)
    with embedded.running(var / "postgres") as server:
        os.environ["RINGFENCE_DATABASE_URL"] = server.url
        try:
            yield server.url
        finally:
            del os.environ["RINGFENCE_DATABASE_URL"]


@contextmanager
def throwaway() -> Iterator[str]:
    """An embedded database that is gone afterwards; gives the owner's address."""
    with tempfile.TemporaryDirectory(prefix="ringfence-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "postgres"
        with embedded.running(place) as server:
            yield server.url
        embedded.remove(place)


def waiting_jobs(url: str) -> list[tuple[Any, ...]]:
    """Background work that has failed at least once, by service."""
    found: list[tuple[Any, ...]] = []
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for name in SERVICES:
            failed = sql.SQL(
                "SELECT {name}, kind, key, attempts, available_at, last_error FROM {table}"
                " WHERE last_error IS NOT NULL ORDER BY run_at"
            ).format(name=sql.Literal(name), table=sql.Identifier(name, "job"))
            found += connection.execute(failed).fetchall()
    return found


def prune(url: str, delivery_days: int) -> dict[str, int]:
    """Throw away what nobody needs any more, as the workers do hourly; gives how many rows of each sort."""
    pruned, step = {}, None
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for name in SERVICES:
            forget = sql.SQL("SELECT {}()").format(sql.Identifier(name, "forget_expired"))
            (pruned[f"{name}: expired"],) = connection.execute(forget).fetchone() or (0,)
        pruned["gateway: deliveries"] = 0
        while step != 0:
            asked = connection.execute("SELECT gateway.prune_deliveries(%s)", [delivery_days])
            (step,) = asked.fetchone() or (0,)
            pruned["gateway: deliveries"] += step
    return pruned


async def serve(system: System, app: str, host: str, port: int, stop: asyncio.Event | None = None) -> None:
    """Serve one app on a port and run all workers until told to stop."""
    stop = stop or asyncio.Event()
    server = protocol.server(system.apps[app], host=host, port=port)
    if traced():
        import_module("services.tracing").export()
    workers = [asyncio.create_task(worker.run(stop)) for worker in system.workers]
    place = os.environ.get("RINGFENCE_METRICS_PORT")
    watching = protocol.server(system.metrics, host=METRICS_HOST, port=int(place)) if place else None
    watched = asyncio.create_task(watching.serve()) if watching else None
    waiting = asyncio.create_task(stop.wait())
    serving = asyncio.create_task(server.serve())
    await asyncio.wait([serving, waiting, *workers], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stop.set()
    await serving
    if watching and watched:
        watching.should_exit = True
        await watched
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*workers)
    await system.close()


async def work(system: System) -> None:
    """Run workers only, until the process is told to end."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await asyncio.gather(*(worker.run(stop) for worker in system.workers))
    await system.close()
