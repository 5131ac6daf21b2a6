"""Every body that cannot be taken is refused as a problem (RFC 9457) that tells nothing of our insides."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from services.demo import cast
from services.gateway.models import IdempotencyKey
from services.kernel.http import create_app
from services.kernel.tokens import Verifier
from tests.wire.loopback import check_headers, check_problem
from tests.world import Actor, Json, World

JSON = {"content-type": "application/json"}
CLIENT: Json = {"name": "a reader", "kind": "dfe", "scopes": ["log:read"]}
MEGABYTE = 1_000_000
CREATING = ("/v1/clients", "/v1/contracts")
"""One door that the gateway answers itself, and one that it passes on."""
RELEASE = {"feed": "gias_groups", "release_status": "final", "published_on": "2023-01-31"}


def changed(**changes: Json) -> Json:
    """The contract of the demonstration with changes."""
    return cast.CONTRACT | changes


def with_number(body: Json, number: str) -> bytes:
    """The body as JSON with this text where it says HERE."""
    return json.dumps(body).replace('"HERE"', number).encode()


async def release(actor: Actor, content: bytes) -> httpx.Response:
    """The answer to a published file."""
    return await actor.ask("POST", "/v1/releases", data=RELEASE, files={"file": ("groups.csv", content, "text/csv")})


async def announced(actor: Actor, path: str, content_type: str, length: int) -> tuple[int, bytes]:
    """Status and text of the answer to a request that announces a long body and sends none of it."""
    url = actor.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = {**actor.headers, "Host": "here", "Content-Type": content_type, "Content-Length": str(length)}
    head |= {"Idempotency-Key": '"announced-1"', "Connection": "close"}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read(4000)
    writer.close()
    return int(answer.split()[1]), answer


async def test_a_body_that_is_no_json_is_400(dfe: Actor, subtests: pytest.Subtests) -> None:
    for body in (b"{", b'{"name": }', b"nothing", b"{'a': 1}", b'{"name": "a"} {}', b"\x00", b'{"a": "\x01"}'):
        for path in CREATING:
            with subtests.test(path=path, body=body):
                check_problem(await dfe.ask("POST", path, content=body, headers=JSON), 400)


async def test_a_body_in_another_encoding_than_utf8_is_refused(dfe: Actor, subtests: pytest.Subtests) -> None:
    latin = json.dumps(CLIENT | {"name": "café"}, ensure_ascii=False).encode("latin-1")
    for body in (latin, b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'{"name":"\xc3"}', b"\xff"):
        for path in CREATING:
            with subtests.test(path=path, body=body):
                check_problem(await dfe.ask("POST", path, content=body, headers=JSON), 400, 422)


async def test_a_body_that_is_no_object_is_422(dfe: Actor, subtests: pytest.Subtests) -> None:
    for body in (b"", b"[]", b"[{}]", b'"text"', b"1", b"null", b"true"):
        for path in CREATING:
            with subtests.test(path=path, body=body):
                found = check_problem(await dfe.ask("POST", path, content=body, headers=JSON), 422)
                assert found["errors"]


async def test_an_unknown_field_is_422_with_the_place_of_it(dfe: Actor) -> None:
    found = check_problem(await dfe.ask("POST", "/v1/clients", json=CLIENT | {"admin": True}), 422)
    assert [each["pointer"] for each in found["errors"]] == ["/admin"]
    deep = changed(term={**cast.CONTRACT["term"], "until": "2030-01-01"})
    found = check_problem(await dfe.ask("POST", "/v1/contracts", json=deep), 422)
    assert [each["pointer"] for each in found["errors"]] == ["/term/until"]


async def test_an_odd_name_of_a_field_is_escaped_in_its_json_pointer(dfe: Actor) -> None:
    found = check_problem(await dfe.ask("POST", "/v1/clients", json=CLIENT | {"a/b~c": 1}), 422)
    assert [each["pointer"] for each in found["errors"]] == ["/a~1b~0c"]


async def test_a_field_of_the_wrong_type_is_422_and_not_turned_into_another(
    dfe: Actor, subtests: pytest.Subtests
) -> None:
    for wrong in ({"fee_pence": "12000000"}, {"fee_pence": 1.5}, {"transfer_intended": "yes"}, {"title": 7}):
        with subtests.test(wrong=wrong):
            found = check_problem(await dfe.ask("POST", "/v1/contracts", json=changed(**wrong)), 422)
            assert found["errors"][0]["pointer"] == f"/{next(iter(wrong))}"


async def test_a_body_of_another_content_type_is_refused(dfe: Actor, subtests: pytest.Subtests) -> None:
    kinds = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/html", "nothing", "")
    for kind in kinds:
        for path in CREATING:
            with subtests.test(path=path, kind=kind):
                content = json.dumps(CLIENT).encode()
                answer = await dfe.ask("POST", path, content=content, headers={"content-type": kind})
                check_problem(answer, 400, 415, 422)


async def test_a_release_that_is_no_form_is_refused(dfe: Actor, subtests: pytest.Subtests) -> None:
    boundless = {"content-type": "multipart/form-data"}
    check_problem(await dfe.ask("POST", "/v1/releases", json=RELEASE), 415)
    for body in (b"", b"--x", b"nothing"):
        with subtests.test(body=body):
            check_problem(await dfe.ask("POST", "/v1/releases", content=body, headers=boundless), 400, 422)
            bounded = {"content-type": "multipart/form-data; boundary=x"}
            check_problem(await dfe.ask("POST", "/v1/releases", content=body, headers=bounded), 400, 422)


async def test_more_than_a_megabyte_of_json_is_413(wire: Actor, subtests: pytest.Subtests) -> None:
    body = json.dumps(CLIENT | {"name": "a" * MEGABYTE}).encode()

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for path in (*CREATING, "/oauth2/token"):
        with subtests.test("with a length", path=path):
            check_problem(await wire.ask("POST", path, content=body, headers=JSON), 413)
        with subtests.test("in pieces", path=path):
            check_problem(await wire.ask("POST", path, content=in_pieces(), headers=JSON), 413)


async def test_a_length_beyond_the_limit_is_413_before_anything_is_sent(wire: Actor, subtests: pytest.Subtests) -> None:
    for path in CREATING:
        with subtests.test(path=path):
            status, text = await announced(wire, path, "application/json", 10**12)
            assert status == 413, text
            assert b"application/problem+json" in text


async def test_a_string_of_ten_megabytes_is_refused(dfe: Actor) -> None:
    check_problem(await dfe.ask("POST", "/v1/contracts", json=changed(title="a" * 10 * MEGABYTE)), 413)


async def test_a_file_of_more_than_a_megabyte_gets_through_the_gateway(wire: Actor) -> None:
    answer = await release(wire, b"a,b\r\n" * 300_000)
    assert answer.status_code == 202, answer.text


async def test_a_file_of_more_than_64_mebibytes_is_413(wire: Actor) -> None:
    check_problem(await release(wire, bytes(65 * 2**20)), 413)


async def test_a_file_announced_as_too_long_is_413_before_it_is_sent(wire: Actor) -> None:
    status, text = await announced(wire, "/v1/releases", "multipart/form-data; boundary=x", 66 * 2**20)
    assert status == 413, text
    assert b"application/problem+json" in text


async def test_text_that_cannot_be_kept_is_refused(dfe: Actor, commissioner: Actor, subtests: pytest.Subtests) -> None:
    for text in ("a\x00b", "\x00", "\ud800", "a\udfff"):
        with subtests.test("a name", text=repr(text)):
            body = json.dumps(CLIENT | {"name": text}).encode()
            check_problem(await dfe.ask("POST", "/v1/clients", content=body, headers=JSON), 400, 422)
        with subtests.test("a title", text=repr(text)):
            body = json.dumps(changed(title=text)).encode()
            check_problem(await commissioner.ask("POST", "/v1/contracts", content=body, headers=JSON), 400, 422)


async def test_a_number_that_cannot_be_kept_is_refused(dfe: Actor, subtests: pytest.Subtests) -> None:
    odd = ("1e400", "NaN", "Infinity", "-Infinity", "1" * 5000, "1e-400", "1e999999999", "0x10", "01", "1.5")
    for number in (str(2**63), str(2**64), "-1", str(-(2**70)), *odd):
        with subtests.test("money", number=number[:20]):
            body = with_number(changed(fee_pence="HERE"), number)
            check_problem(await dfe.ask("POST", "/v1/contracts", content=body, headers=JSON), 400, 422)
        with subtests.test("share", number=number[:20]):
            body = with_number(changed(outcomes=[cast.CONTRACT["outcomes"][0] | {"weight": "HERE"}]), number)
            check_problem(await dfe.ask("POST", "/v1/contracts", content=body, headers=JSON), 400, 422)


async def test_json_nested_without_end_is_refused(dfe: Actor, subtests: pytest.Subtests) -> None:
    for start, end in (("[", ""), ("[", "]"), ('{"a":', ""), ('{"a":', "}")):
        for path in CREATING:
            with subtests.test(path=path, start=start, end=end):
                body = (start * 100_000 + "1" + end * 100_000).encode()
                check_problem(await dfe.ask("POST", path, content=body, headers=JSON), 400, 422)


async def test_what_nobody_foresaw_is_a_500_that_tells_nothing_but_its_request_id(world: World) -> None:
    router = APIRouter()

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("SELECT secret FROM psycopg")

    class Layer:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/layer":
                raise RuntimeError("SELECT secret FROM psycopg")
            await self.app(scope, receive, send)

    app = create_app("gateway", router, world.database("gateway"), Verifier(dict), {}, IdempotencyKey)
    app.add_middleware(Layer)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        for path in ("/broken", "/layer"):
            check_problem(await http.get(path), 500)


async def test_answers_that_are_no_problems_have_a_request_id_too(wire: Actor) -> None:
    for path in ("/health/live", "/health/ready", "/openapi.json", "/docs", "/v1/contracts", "/.well-known/jwks.json"):
        check_headers(await wire.ask("GET", path))
    mine = await wire.ask("GET", "/health/live", headers={"X-Request-Id": "mine-1"})
    assert mine.headers.get_list("x-request-id") == ["mine-1"]
    odd = await wire.ask("GET", "/health/live", headers={"X-Request-Id": "a" * 65})
    assert odd.headers["x-request-id"] != "a" * 65
