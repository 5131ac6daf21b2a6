"""Rows 41 and 42: a page of contracts, the first and the last, with a thousand of them and with a million."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import inf
from statistics import median
from time import perf_counter
from typing import Any

import httpx
import psycopg
from psycopg.sql import SQL

from bench.contest import Goal, Measured, Result
from bench.ground import VAR, Ground, plain
from bench.population import BODY, REGIONS, SUPPLIER, populate
from bench.reading import commissioner, drafted
from bench.senders import OPERATOR, token
from bench.serving import ringfence
from services.demo import cast
from services.gateway.access import service as access
from services.gateway.access.schemas import ClientIn
from services.kernel.bodies import encode_cursor
from services.kernel.db import Database, role_url
from services.kernel.types import Kind, real_now

COUNTS = (1_000, 100_000, 1_000_000)
PAGE, EACH = 100, 3
REGION, RSC = REGIONS[4], "rsc-north-west"
FILTERS = {"status": "active", "region": REGION, "supplier_uid": SUPPLIER, "ends_before": "2025-01-01"}
CALLERS: dict[str, dict[str, Any]] = {
    "dfe": {"kind": Kind.DFE},
    "rsc": {"kind": Kind.COMMISSIONER, "organisation": RSC, "regions": [REGION]},
    "supplier": {"kind": Kind.SUPPLIER, "trust_uid": SUPPLIER},
    "body": {"kind": Kind.RESPONSIBLE_BODY, "trust_uid": BODY},
}
SEES = {
    "dfe": SQL("true"),
    "rsc": SQL("organisation = {}").format(RSC),
    "supplier": SQL("supplier_uid = {} AND status <> 'draft'").format(SUPPLIER),
    "body": SQL("responsible_body ->> 'uid' = {} AND status <> 'draft'").format(BODY),
}
WANTED = {
    "status": SQL("status = %(status)s"),
    "region": SQL("region = %(region)s"),
    "supplier_uid": SQL("supplier_uid = %(supplier_uid)s"),
    "ends_before": SQL("ends_on < %(ends_before)s"),
}
"""What each caller sees, and what each filter asks for, as the owner finds it."""
GROWTH = 1.2
MILESTONES = [cast.milestone(f"M{n}", "A step", "delivery", f"2031-0{n}-28", 1_000_000) for n in (1, 2)]


class NotAlike(RuntimeError):
    """Pages that should be compared hold unlike numbers of contracts."""


@dataclass(frozen=True, slots=True)
class Served:
    """The product on a database with so many contracts, and everybody's way in."""

    url: str
    http: httpx.Client
    known: dict[str, tuple[str, str]]
    tokens: dict[str, str] = field(default_factory=dict)

    def page(self, caller: str, path: str) -> httpx.Response:
        """One page as this caller gets it."""
        proof = {"Authorization": f"Bearer {self.tokens[caller]}"}
        return self.http.get(path, headers=proof).raise_for_status()


def renewed(served: Sequence[Served]) -> None:
    """Everybody gets a new token: measuring takes longer than one lasts."""
    for each in served:
        port = each.http.base_url.port or 0
        each.tokens.update({name: token(port, *proof) for name, proof in each.known.items()})


def places(url: str, caller: str, asked: Mapping[str, str]) -> list[list[Any]]:
    """Every place in a list, in its order, as its cursor would name it, by what the owner finds."""
    key = SQL("ends_on, id" if "ends_before" in asked else "id")
    wanted = [SEES[caller], *(WANTED[name] for name in asked)]
    query = SQL("SELECT {0} FROM contracts.contract WHERE {1} ORDER BY {0}").format(key, SQL(" AND ").join(wanted))
    with psycopg.connect(plain(url)) as connection:
        return [list(row) for row in connection.execute(query, asked).fetchall()]


def asking() -> list[dict[str, str]]:
    """The filters together in every way."""
    some = [names for n in range(len(FILTERS) + 1) for names in itertools.combinations(FILTERS, n)]
    return [{name: FILTERS[name] for name in names} for names in some]


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The rows that are wanted."""
    rows = sorted(wanted & {41, 42})
    if not rows:
        return
    with ExitStack() as stack:
        counts = [max(COUNTS[0], int(count * ground.size.scale)) for count in COUNTS]
        served = [stack.enter_context(populated(ground, count)) for count in counts]
        for row in rows:
            yield pages(ground, served, row, last=row == 42)


@contextmanager
def populated(ground: Ground, count: int) -> Iterator[Served]:
    """The product on a database with so many contracts."""
    url = ground.database(ground.migrated())
    try:
        caller, secret = asyncio.run(commissioner(url))
        with ringfence(url, ground.keys_dir, VAR / "log" / "drafting") as (port, *_):
            drafted(port, token(port, caller.client_id, secret), milestones=MILESTONES)
        populate(url, count)
        known = asyncio.run(registered(url))
        with (
            ringfence(url, ground.keys_dir, VAR / "log" / f"lists-{count}") as served,
            httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=60) as http,
        ):
            yield Served(url, http, known)
    finally:
        ground.drop(url)


async def registered(url: str) -> dict[str, tuple[str, str]]:
    """Who reads, by name: client and secret."""
    database, found = Database("gateway", role_url("gateway", url)), {}
    async with database.transaction(OPERATOR) as session:
        for name, bounds in CALLERS.items():
            body = ClientIn(name=name, scopes=["contracts:read"], **bounds)
            row, secret = await access.register_client(session, body=body, caller=OPERATOR, now=real_now())
            found[name] = (row.id, secret or "")
    await database.close()
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of one list, as a caller asks for it: where it begins in each database."""

    name: str
    caller: str
    paths: list[str]


def listed(served: Sequence[Served], *, last: bool) -> Iterator[Listed]:
    """Every list that the API offers, the filters together in every way; raises NotAlike for a page of other rows.

    A page is as long as the smallest database can fill it, so that all have the same to give.
    """
    for asked, caller in itertools.product(asking(), CALLERS):
        rows = [places(each.url, caller, asked) for each in served]
        if not (limit := min(PAGE, *map(len, rows))):
            continue
        paths = []
        for each, found in zip(served, rows, strict=True):
            begins = len(found) - limit if last else 0
            more = {"cursor": encode_cursor(found[begins - 1])} if begins else {}
            paths.append(str(httpx.URL("/v1/contracts", params={**asked, "limit": limit, **more})))
            ids = [row["id"] for row in each.page(caller, paths[-1]).json()["data"]]
            if ids != [str(place[-1]) for place in found[begins : begins + limit]]:
                raise NotAlike(f"{caller} {paths[-1]}")
        yield Listed(f"{caller}: {', '.join(asked) or 'all'}", caller, paths)


def pages(ground: Ground, served: Sequence[Served], row: int, *, last: bool) -> Result:
    """The pages of all lists, each asked of every database in turn; how a single one grows goes by its fastest runs."""
    renewed(served)
    lists = list(listed(served, last=last))
    runs: list[list[list[float]]] = [[[] for _ in served] for _ in lists]
    least: list[list[float]] = [[inf for _ in served] for _ in lists]
    for turn in range(ground.times + 1):
        renewed(served)
        for each, times, fastest in zip(lists, runs, least, strict=True):
            for at, (place, path) in enumerate(zip(served, each.paths, strict=True)):
                took = [timed(place, each.caller, path) * 1e3 for _ in range(EACH)]
                if turn:
                    times[at].append(median(took))
                    fastest[at] = min(fastest[at], *took)
    few, some, many = (Measured.of([sum(turn) for turn in zip(*each, strict=True)]) for each in zip(*runs, strict=True))
    growth = {each.name: fastest[-1] / fastest[0] for each, fastest in zip(lists, least, strict=True)}
    detail = {"a hundred thousand, times a thousand": some.median / few.median, "of any list": max(growth.values())}
    words = (
        f"The {'last' if last else 'first'} page of {len(lists)} lists of a million contracts, as four callers see them"
    )
    goal = Goal(to_limit=GROWTH)
    return Result(row, words, "ms", many, {}, few, "itself, with a thousand", goal, detail | growth)


def timed(place: Served, caller: str, path: str) -> float:
    """The seconds until a page has come."""
    begun = perf_counter()
    place.page(caller, path)
    return perf_counter() - begun
