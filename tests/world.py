"""The world that tests act in: databases cloned from templates, the whole system in this process, and its callers."""

import asyncio
import base64
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from psycopg import sql

from services import ingest
from services.demo import cast
from services.demo.stage import environment
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn, KeyIn
from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES
from services.kernel.auth import service_caller
from services.kernel.db import Database, role_url
from services.kernel.tokens import ACCESS
from services.kernel.types import Kind, real_now, utc_now
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.years import academic_year_from
from services.outcomes.settings import Settings
from services.outcomes.worker import create_worker
from services.system import SAMPLE_PREFIX, System, assemble

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample"
OPERATOR = service_caller("operator")
RATES = ("RINGFENCE_RATE_CALLER", "RINGFENCE_RATE_ADDRESS", "RINGFENCE_RATE_TOKEN")
"""A test asks more in a minute than any caller would, unless it is about that."""
Json = Any
MOST_ROUNDS, MOST_SECONDS = 100, 10.0
READERS = (
    ("contracts.event", "gateway.cursor", "contracts"),
    ("outcomes.event", "gateway.cursor", "outcomes"),
    ("contracts.event", "gateway.cursor", "announce:contracts"),
    ("outcomes.event", "gateway.cursor", "announce:outcomes"),
    ("gateway.event", "gateway.cursor", "announce:gateway"),
    ("outcomes.event", "contracts.cursor", "outcomes"),
)
"""Who reads which events, and where it is kept how far."""
LEFT = f"""
WITH unread AS ({
    " UNION ALL ".join(
        f"SELECT e.txid FROM {events} e WHERE (e.txid, e.position) > coalesce((SELECT (c.txid, c.position)"
        f" FROM {cursor} c WHERE c.source = '{source}'), (0::bigint, 0::bigint))"
        for events, cursor, source in READERS
    )
}), due AS ({
    " UNION ALL ".join(
        f"SELECT FROM {schema}.job WHERE run_at <= %(now)s AND coalesce(lease_until, available_at) <= clock_timestamp()"
        for schema in ("gateway", "contracts", "outcomes")
    )
})
SELECT EXISTS (SELECT FROM due), EXISTS (SELECT FROM unread),
 EXISTS (SELECT FROM unread WHERE txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint),
 EXISTS (SELECT FROM gateway.leaf l WHERE NOT EXISTS (SELECT FROM gateway.log_entry e WHERE e.leaf_id = l.id))
"""
"""What is left to be done: jobs that are due, events unread, events that can be read, leaves without a place."""


def plain_url(url: str) -> str:
    """The address as psycopg takes it."""
    return url.replace("+psycopg", "")


def named(url: str, database: str) -> str:
    """The address of another database of the same server."""
    head, _, tail = url.partition("/ringfence?")
    return f"{head}/{database}?{tail}"


def clone(owner_url: str, template: str) -> str:
    """A new database like `template`; gives its address."""
    name = f"t_{uuid4().hex[:12]}"
    copy(owner_url, template, name)
    return named(owner_url, name)


def copy(owner_url: str, template: str, name: str) -> None:
    """A new database with this name like `template`, to which nobody may be connected."""
    with psycopg.connect(plain_url(owner_url), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(template)))


def drop(owner_url: str, database_url: str) -> None:
    """Throw a database away, also under those who are still connected."""
    name = database_url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(plain_url(owner_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def rows(database_url: str, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What the owner, who sees everything, finds in the database."""
    with psycopg.connect(plain_url(database_url)) as connection:
        return connection.execute(query, values or None).fetchall()


REWRITE_RELEASES = "ALTER TABLE outcomes.release DISABLE TRIGGER keep; UPDATE outcomes.release SET "
"""Nothing but its owner changes what came."""


def change(database_url: str, statement: str, **values: Any) -> None:
    """What the owner changes in the database."""
    with psycopg.connect(plain_url(database_url)) as connection:
        connection.execute(statement, values or None)


async def seed(database_url: str, files: tuple[cast.File, ...] = cast.FILES) -> None:
    """Ingest sample files."""
    database = Database("outcomes", role_url("outcomes", database_url))
    for file in files:
        year = academic_year_from(file.academic_year) if file.academic_year else None
        asked = ingest.Arrival(file.feed, year, Stage.FINAL, date.fromisoformat(file.published_on))
        done = await ingest.ingest_file(database, SAMPLE / file.name, asked, utc_now())
        assert not done.refused, done.words()
    worker = create_worker(database, Settings())
    while await worker.run_once(utc_now()):
        pass
    await database.close()


@contextmanager
def at(moment: str) -> Iterator[None]:
    """The clock of contracts stands at this moment, such as 2023-09-01T09:00."""
    with environment({"RINGFENCE_NOW": moment}):
        yield


def move_clock(moment: str) -> None:
    """Move the clock inside a test that has set it."""
    os.environ["RINGFENCE_NOW"] = moment if "T" in moment else f"{moment}T09:00:00"


@dataclass
class World:
    """The whole system in this process, on a database of its own."""

    system: System
    database_url: str
    http: httpx.AsyncClient

    async def client(self, kind: Kind, *, scopes: list[str] | None = None, **bounds: Any) -> "Actor":
        """A registered system with a token."""
        body = ClientIn(name=f"{kind} system", kind=kind, scopes=scopes or sorted(ALLOWED[kind]), **bounds)
        async with self.database("gateway").transaction(OPERATOR) as session:
            row, secret = await access.register_client(session, body=body, caller=OPERATOR, now=real_now())
        answer = await self.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(row.id, secret))
        return Actor(self.http, {"Authorization": f"Bearer {answer.json()['access_token']}"})

    def again(self, headers: dict[str, str]) -> "Actor":
        """Somebody who proved who they are before, with a token of the same client that has not aged."""
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if not token:
            return Actor(self.http, headers)
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        said = {name: claims[name] for name in ("client_id", "scope")}
        fresh = self.system.apps["gateway"].state.signer.sign(ACCESS, claims["aud"], claims["sub"], said)
        return Actor(self.http, {**headers, "Authorization": f"{scheme} {fresh}"})

    async def key(self, trust_uid: str, scopes: list[str] | None = None) -> "Actor":
        """A finance team with an API key."""
        body = KeyIn(trust_uid=trust_uid, scopes=scopes or sorted(KEY_SCOPES))
        async with self.database("gateway").transaction(OPERATOR) as session:
            _row, key = await access.create_key(session, body=body, caller=OPERATOR, now=real_now())
        return Actor(self.http, {"x-api-key": key})

    async def cast(self) -> dict[str, "Actor"]:
        """Everybody who takes part in the main job; the supplier is on the register."""
        actors = {
            "rsc": await self.client(Kind.COMMISSIONER, regions=[cast.REGION], organisation="rsc-north-west"),
            "dfe": await self.client(Kind.DFE),
            "mat": await self.client(Kind.SUPPLIER, trust_uid=cast.SUPPLIER),
            "body": await self.client(Kind.RESPONSIBLE_BODY, trust_uid=cast.OUTGOING),
            "finance": await self.key(cast.SUPPLIER),
        }
        await actors["mat"].register(cast.SUPPLIER)
        return actors

    def database(self, service: str) -> Database:
        """The pool of one service."""
        return next(each for each in self.system.databases if each.service == service)

    async def settle(self, rounds: int = 1, *, patient: bool = True) -> None:
        """Let the workers do what is due, until nothing is left but looking for more."""
        done = 0
        while done < rounds or (patient and done < MOST_ROUNDS and await self.more()):
            done += 1
            for worker in self.system.workers:
                if worker.begin is not None:
                    await worker.begin()
                for _ in range(20):
                    if not await worker.run_once(utc_now()):
                        break

    async def more(self) -> bool:
        """Whether work is left; waits until it can be done.

        An event is read once no older transaction is running anywhere on the server, which other tests share.
        """
        until = time.monotonic() + MOST_SECONDS
        while time.monotonic() < until:
            due, unread, readable, no_place = self.rows(LEFT, now=utc_now())[0]
            if due or readable or no_place:
                return True
            if not unread:
                return False
            await asyncio.sleep(0.01)
        return False

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the owner finds in the database."""
        return rows(self.database_url, query, **values)


@dataclass
class Actor:
    """Somebody who calls the API."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def ask(self, method: str, path: str, *, key: str | None = None, **request: Any) -> httpx.Response:
        """One request under this caller's name."""
        headers = {**self.headers, "Idempotency-Key": f'"{key or uuid4()}"', **request.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **request)

    async def get(self, path: str, **query: Any) -> Json:
        """The JSON of a path that must be there."""
        answer = await self.ask("GET", path, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Json, expect: int = 201, **request: Any) -> Json:
        """The JSON answer to a body."""
        answer = await self.ask("POST", path, json=body, **request)
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def register(self, uid: str, **changes: Json) -> Json:
        """Put a trust on the register of suppliers, or write its entry anew."""
        path = f"/v1/suppliers/{uid}"
        tag = (await self.ask("GET", path)).headers.get("ETag")
        answer = await self.ask("PUT", path, json=cast.CAPACITY | changes, headers={"If-Match": tag} if tag else {})
        assert answer.status_code == (200 if tag else 201), answer.text
        return answer.json()

    async def change(self, resource: str, action: str, body: Json = None, expect: int = 200) -> Json:
        """A move on a resource, naming the version that was read."""
        tag = (await self.ask("GET", resource)).headers.get("ETag", '"none"')
        return await self.post(f"{resource}/{action}", body, expect, headers={"If-Match": tag})


@asynccontextmanager
async def world_on(database_url: str, keys_dir: Path) -> AsyncIterator[World]:
    """The system assembled on this database."""
    given = {"RINGFENCE_DATABASE_URL": database_url, "RINGFENCE_KEYS_DIR": str(keys_dir)}
    rates = {name: os.environ.get(name, "100000") for name in RATES}
    with environment({**given, **rates, "RINGFENCE_OCID_PREFIX": SAMPLE_PREFIX}):
        system = assemble(poll_seconds=5.0)
        transport = httpx.ASGITransport(app=system.apps["gateway"], raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=60) as http:
            try:
                yield World(system, database_url, http)
            finally:
                await system.close()


async def agreed_contract(actors: dict[str, Actor], **changes: Json) -> str:
    """The path of a contract that all parties have signed."""
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT | changes)
    path = f"/v1/contracts/{made['id']}"
    await actors["rsc"].change(path, "offer")
    day = utc_now().date().isoformat()
    for name, party in (("rsc", "commissioner"), ("mat", "supplier"), ("body", "responsible_body")):
        body = {"party": party, "signed_by": "somebody", "role": "authorised", "signed_on": day}
        await actors[name].change(path, "signatures", body, 201)
    return path
