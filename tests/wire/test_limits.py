"""Limits at the door: how many requests, how long, how large, how slow; told as problems, and shared by replicas."""

import asyncio
import base64
import hashlib
import html
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import http_sf
import httpx
import psycopg
import pytest
from starlette.requests import Request

from services import descriptions
from services.demo.stage import environment
from services.gateway.pages import STYLE
from services.gateway.rates import Rates
from services.gateway.settings import Settings
from services.kernel.types import Kind
from tests.wire.loopback import check_problem, served
from tests.world import Actor, Json, World, world_on

FORM = {"grant_type": "client_credentials"}
JSON = {"content-type": "application/json"}


@asynccontextmanager
async def limited_to(database_url: str, keys_dir: Path, **settings: str) -> AsyncIterator[World]:
    """A replica on this database whose limits are these."""
    given = {f"RINGFENCE_{name.upper()}": value for name, value in settings.items()}
    with environment(given):
        async with world_on(database_url, keys_dir) as world:
            yield world


async def fresh_minute() -> None:
    """Wait where a minute is about to end, so that a test lies within one."""
    if (left := 60 - time.time() % 60) < 5:
        await asyncio.sleep(left + 0.05)


def standing(answer: httpx.Response) -> tuple[str, int, int]:
    """What a caller is counted by, what remains, and the seconds until more."""
    stands: Json = http_sf.parse(answer.headers["ratelimit"].encode(), tltype="list")
    policy: Json = http_sf.parse(answer.headers["ratelimit-policy"].encode(), tltype="list")
    [(name, found)] = stands
    assert policy[0][0] == name
    return name, found["r"], found["t"]


async def test_replicas_share_a_callers_limit(database_url: str, keys_dir: Path) -> None:
    await fresh_minute()
    async with (
        limited_to(database_url, keys_dir, rate_caller="30") as one,
        limited_to(database_url, keys_dir, rate_caller="30") as other,
    ):
        reader = await one.client(Kind.DFE)
        there = Actor(other.http, reader.headers)
        answers = await asyncio.gather(
            *(actor.ask("GET", "/v1/clients") for _ in range(25) for actor in (reader, there))
        )
        passed = [each for each in answers if each.status_code == 200]
        assert 28 <= len(passed) <= 30  # a block of two may lie unused at each
        for each in answers:
            name, remaining, seconds = standing(each)
            assert (name, 0 <= remaining < 30, 1 <= seconds <= 60) == ("caller", True, True)
            if each.status_code != 200:
                check_problem(each, 429)
                assert (remaining, each.headers["retry-after"]) == (0, str(seconds))
        assert (await one.http.get("/health/live")).status_code == 200
        another = await one.client(Kind.DFE)
        assert (await another.ask("GET", "/v1/clients")).status_code == 200
        assert standing(await another.ask("GET", "/v1/clients"))[:2] == ("caller", 28)
        assert standing(await another.ask("GET", "/v1/nothing"))[0] == "address"


async def test_who_proves_nothing_is_counted_by_address(database_url: str, keys_dir: Path) -> None:
    await fresh_minute()
    async with limited_to(database_url, keys_dir, rate_address="5", rate_token="4") as world:
        reader = await world.client(Kind.DFE)
        refused = [await world.http.get("/v1/contracts") for _ in range(4)]
        assert [check_problem(each, 401)["code"] for each in refused] == ["invalid_token"] * 4
        forged = {"Authorization": "Bearer a.b.c"}
        check_problem(await world.http.get("/v1/contracts", headers=forged), 401)
        for path in ("/v1/contracts", "/v1/nothing", "/v1/ocds/releases", "/openapi.json"):
            for headers in ({}, forged):
                answer = await world.http.get(path, headers=headers)
                check_problem(answer, 404 if path == "/v1/nothing" and headers else 429)
                assert standing(answer)[:2] == ("address", 0)
        assert (await reader.ask("GET", "/v1/contracts")).status_code == 200
        for _ in range(3):
            answer = await world.http.post("/oauth2/token", data=FORM, auth=("nobody", "nothing"))
            assert answer.status_code == 401
        check_problem(await world.http.post("/oauth2/token", data=FORM, auth=("nobody", "nothing")), 429)
        assert (await world.http.get("/health/ready")).status_code == 200


async def test_without_the_database_nobody_is_refused_for_being_many() -> None:
    rates = Rates(descriptions.nowhere(), Settings(rate_address=20))
    request = Request({"type": "http", "client": ("192.0.2.7", 1), "state": {}, "headers": []})
    await rates.charge_address(request, rates.address)
    assert request.state.standing.policy.name == "address"
    await rates.database.close()


async def test_addresses_and_fields_beyond_the_limit(wire: Actor) -> None:
    check_problem(await wire.ask("GET", "/v1/contracts", params={"cursor": "a" * 9000}), 414)
    check_problem(await wire.ask("GET", "/v1/contracts", headers={"x-long": "a" * 40_000}), 431)


async def test_compressed_bodies_are_not_taken(dfe: Actor) -> None:
    for encoding in ("gzip", "br", "deflate", "GZIP", "identity, gzip"):
        headers = JSON | {"content-encoding": encoding}
        check_problem(await dfe.ask("POST", "/v1/clients", content=b"{}", headers=headers), 415)


async def test_a_tangle_is_refused_in_a_moment(dfe: Actor) -> None:
    started = time.perf_counter()
    for body in (b"[" * 900_000, b'{"a":' * 33 + b"1" + b"}" * 33, b"[" + b"0," * 400_000 + b"0]"):
        check_problem(await dfe.ask("POST", "/v1/contracts", content=body, headers=JSON), 400)
    assert time.perf_counter() - started < 2
    odd = b"{" + b",".join(b'"a%d":1' % n for n in range(50_000)) + b"}"
    found = check_problem(await dfe.ask("POST", "/v1/clients", content=odd, headers=JSON), 422)
    assert len(found["errors"]) == 100


async def raw(url: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What is answered to these bytes, sent one after another."""
    there = httpx.URL(url)
    reader, writer = await asyncio.open_connection(there.host, there.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)
    async with asyncio.timeout(10):
        answer = await reader.read(8000)
    writer.close()
    return answer


HEAD = (
    b"POST /v1/clients HTTP/1.1\r\nHost: here\r\nContent-Type: %s\r\nContent-Length: 1000\r\nAuthorization: %s\r\n\r\n"
)


async def test_a_body_that_comes_too_slowly_is_cut_off(database_url: str, keys_dir: Path) -> None:
    async with limited_to(database_url, keys_dir, body_seconds="0.5") as world:
        token = (await world.client(Kind.DFE)).headers["Authorization"].encode()
        async with served(world.system.apps["gateway"]) as url:
            for kind in (b"application/json", b"multipart/form-data; boundary=x"):
                for pieces in ([HEAD % (kind, token)], [HEAD % (kind, token), *[b" "] * 3]):
                    started = time.perf_counter()
                    answer = await raw(url, *pieces, pause=0.2)
                    assert b" 408 " in answer.partition(b"\r\n")[0], answer
                    assert b"application/problem+json" in answer
                    assert b"connection: close" in answer.lower()
                    assert time.perf_counter() - started < 5


async def test_a_request_that_takes_too_long_is_given_up(database_url: str, keys_dir: Path) -> None:
    async with limited_to(database_url, keys_dir, request_seconds="0.5") as world:
        reader = await world.client(Kind.DFE)
        plain = world.database_url.replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(plain) as other:
            await other.execute("LOCK TABLE gateway.client IN ACCESS EXCLUSIVE MODE")
            answer = await reader.ask("GET", "/v1/clients")
            assert check_problem(answer, 503)["code"] == "overtime"
            assert int(answer.headers["retry-after"]) > 0
        assert (await reader.ask("GET", "/v1/clients")).status_code == 200


async def test_what_is_no_http_is_a_problem_too(world: World) -> None:
    async with served(world.system.apps["gateway"]) as url:
        for piece in (b"NONSENSE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n"):
            answer = await raw(url, piece)
            assert answer.startswith(b"HTTP/1.1 400"), answer
            assert b"application/problem+json" in answer, answer


async def test_no_other_site_may_call_from_a_browser(dfe: Actor) -> None:
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    check_problem(await dfe.ask("OPTIONS", "/v1/contracts", headers=origin), 405)
    answer = await dfe.ask("GET", "/v1/contracts", headers=origin)
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_head_is_get_without_a_body(wire: Actor) -> None:
    for path in ("/v1/contracts", "/health/live", "/v1/clients"):
        got, head = await wire.ask("GET", path), await wire.ask("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
        assert head.headers.get("etag") == got.headers.get("etag")
    assert (await wire.ask("HEAD", "/v1/nothing")).status_code == 404


async def test_whatever_is_read_has_a_tag_and_is_not_sent_twice(seeded_world: World, subtests: pytest.Subtests) -> None:
    reader = await seeded_world.client(Kind.DFE)
    for path in ("/v1/schools", "/v1/schools/100052", "/v1/trusts", "/v1/measures", "/v1/clients", "/openapi.json"):
        with subtests.test(path=path):
            first = await reader.ask("GET", path)
            if first.status_code == 404:
                continue
            tag = first.headers["etag"]
            assert tag.startswith('"')
            for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
                again = await reader.ask("GET", path, headers={"If-None-Match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert (await reader.ask("GET", path, headers={"If-None-Match": '"other"'})).json() == first.json()


async def test_answers_are_kept_by_nobody_and_framed_nowhere(dfe: Actor) -> None:
    answer = await dfe.ask("GET", "/v1/clients")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    public = await dfe.ask("GET", "/.well-known/jwks.json")
    assert public.headers.get_list("cache-control") == ["public, max-age=300"]


async def test_the_page_for_readers_loads_nothing(dfe: Actor) -> None:
    answer = await dfe.ask("GET", "/docs")
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert answer.headers["content-security-policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    text, whole = answer.text, (await dfe.ask("GET", "/openapi.json")).json()
    assert f"<style>{STYLE}</style>" in text
    assert not [word for word in ("<script", "src=", "http-equiv", "@import", "url(") if word in text]
    for path, item in whole["paths"].items():
        assert text.count(f"<code>{html.escape(path)}</code>") >= len(item)


class Lines:
    """Access-log lines as they were written."""

    def __init__(self) -> None:
        self.written: list[Json] = []

    def info(self, event: str, **facts: Json) -> None:
        """Take one line."""
        self.written.append({"event": event, **facts})

    debug = info


async def test_the_access_log_names_routes_and_callers_and_nothing_else(
    seeded_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Lines()
    monkeypatch.setattr("services.kernel.http.log", lines)
    reader = await seeded_world.client(Kind.DFE)
    finance = await seeded_world.key("2061")
    secrets = [reader.headers["Authorization"], finance.headers["x-api-key"]]
    for actor in (reader, finance):
        await actor.ask("GET", "/v1/schools", params={"q": "Jane Marple"}, headers={"x-correlation-id": "mine-7"})
    await reader.ask("POST", "/v1/clients", json={"name": "Jane Marple", "kind": "dfe", "scopes": ["log:read"]})
    await reader.ask("GET", "/v1/Jane%20Marple")
    assert len(lines.written) >= 5
    told = str(lines.written)
    for word in (*secrets, *(each.rpartition(" ")[2] for each in secrets), "Jane", "Marple", "client_secret"):
        assert word not in told
    asked = [each for each in lines.written if each["request_id"] == "mine-7"]
    assert {each["service"] for each in asked} >= {"gateway"}
    assert {"gateway", "outcomes"} == {each["service"] for each in asked if each["route"] == "/v1/schools"}
    for each in lines.written:
        assert each.keys() == {"event", "service", "request_id", "method", "route", "status", "caller", "ms"}
    callers = {each["caller"] for each in asked if each["status"] == 200}
    assert len(callers) >= 1
    assert None not in callers
