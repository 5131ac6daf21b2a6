"""Services speak over kept connections; what breaks off, lies or does not end is told in httpx's words."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from services import transport
from services.transport import connect

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[bool]]
"""Answers one request on a connection, of which the number is told; whether it stays open."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Said: a\r\n\r\nok"


@asynccontextmanager
async def served(serve: Serve, *, whole: bool = True) -> AsyncIterator[tuple[httpx.AsyncClient, list[bytes]]]:
    """A client of a server that answers like this, and the requests as they came, with their bodies if `whole`."""
    came: list[bytes] = []
    connections: list[asyncio.Task[None] | None] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        number, open_ = len(connections), True
        while open_:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            came.append(head + (await reader.readexactly(int(length)) if length and whole else b""))
            open_ = await serve(reader, writer, number)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    client = connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None)
    try:
        yield client, came
    finally:
        await client.aclose()
        server.close()
        await asyncio.gather(*filter(None, connections))


def saying(*answers: bytes, last: bool = False) -> Serve:
    """Each connection gives these answers, one to a request; after the last it is closed if that is `last`."""
    given: dict[int, int] = {}

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        at = given[number] = given.get(number, -1) + 1
        writer.write(answers[min(at, len(answers) - 1)])
        await writer.drain()
        return not (last and at + 1 >= len(answers))

    return serve


async def test_a_request_is_sent_as_it_is_and_the_connection_is_kept() -> None:
    chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    async with served(saying(OK, chunked, early)) as (client, came):
        first = await client.get("/a?b=c", headers={"Accept": "text/csv"})
        second = await client.post("/d", content=b"{}")
        third = await client.get("/e")
    assert (first.status_code, first.content, first.headers["x-said"]) == (200, b"ok", "a")
    assert (second.status_code, second.content) == (201, b"abcde")
    assert (third.status_code, third.content, third.headers["etag"]) == (304, b"", '"1"')
    assert "link" not in third.headers, "what an interim answer says is no part of the one that counts"
    assert came[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Accept: text/csv\r\n" in came[0]
    assert came[1].endswith(b"Content-Length: 2\r\n\r\n{}")


async def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    async with served(saying(OK, last=True)) as (client, came):
        for _ in range(3):
            assert (await client.get("/")).content == b"ok"
            await asyncio.sleep(0.01)
    assert len(came) == 3


async def test_only_what_may_be_asked_twice_is_asked_twice() -> None:
    """The other side hangs up on the second request of a connection, without an answer."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        if came.count(came[-1]) == 1 and len(came) > 1 and number == 1:
            return False
        writer.write(OK)
        return True

    async with served(serve) as (client, came):
        assert (await client.get("/first")).content == b"ok"
        assert (await client.get("/again")).content == b"ok"
    assert [each.split()[1] for each in came] == [b"/first", b"/again", b"/again"]
    async with served(serve) as (client, came):
        assert (await client.post("/first", content=b"1")).content == b"ok"
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/again", content=b"2")
    assert [each.split()[1] for each in came] == [b"/first", b"/again"]


@pytest.mark.parametrize(
    "answer", [b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"HTTP/1.1 200", b""]
)
async def test_what_breaks_off_is_no_answer(answer: bytes) -> None:
    async with served(saying(answer, last=True)) as (client, came):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")
    assert len(came) == 1


async def test_an_answer_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.Whole, "longest", 100_000)
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000
    async with served(saying(endless)) as (client, _came):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")


async def test_an_answer_may_end_with_its_connection() -> None:
    async with served(saying(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", last=True)) as (client, _came):
        assert (await client.get("/")).content == b"until the end"


async def test_who_gives_up_leaves_no_connection_behind() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        if number > 1:
            writer.write(OK)
        return True

    async with served(serve) as (client, came):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get("/slow")
        assert (await client.get("/after")).content == b"ok"
    assert len(came) == 2


async def test_nobody_listens() -> None:
    async with served(saying(OK)) as (client, _came):
        pass
    client = connect(str(client.base_url), None)
    with pytest.raises(httpx.ConnectError):
        await client.get("/")
    assert isinstance(connect("https://contracts.internal", None)._transport, httpx.AsyncHTTPTransport)


@pytest.mark.parametrize("value", [b"a\r\nX-More: b", b"a\nb", b"a\rb"])
async def test_a_field_never_becomes_two(value: bytes) -> None:
    async with served(saying(OK)) as (client, came):
        with pytest.raises(httpx.LocalProtocolError):
            await client.get("/", headers=[(b"X-Said", value)])
    assert came == []


async def test_an_answer_to_head_has_no_body_whatever_it_says() -> None:
    async with served(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as (client, came):
        async with asyncio.timeout(2):
            for _ in range(2):
                found = await client.head("/")
                assert (found.status_code, found.content, found.headers["content-length"]) == (200, b"", "9")
    assert len(came) == 2


async def test_what_comes_unasked_is_no_part_of_an_answer() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: b\r\n\r\n"
    more = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-More: c\r\n\r\nmore"
    async with served(saying(chunked + more)) as (client, came):
        for _ in range(2):
            found = await client.get("/")
            assert found.content == b"ok"
            assert not {"x-more", "x-trailer"} & set(found.headers)
    assert len(came) == 2


async def test_an_answer_before_all_was_sent_counts_but_its_connection_is_not_used_again() -> None:
    """The other side refuses a body of which it has read the beginning, and reads none of the rest for a while."""
    given = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        writer.write(OK)
        if number == 1:
            await given.wait()
        return number > 1

    async with served(serve, whole=False) as (client, came), asyncio.timeout(5):
        assert (await client.post("/large", content=bytes(16 * 2**20))).content == b"ok"
        assert (await client.post("/small", content=b"1")).content == b"ok"
        given.set()
    assert [each.split()[1] for each in came] == [b"/large", b"/small"]


async def test_a_server_that_hangs_up_after_each_answer_is_asked_anew_each_time() -> None:
    """Its end has come before the next request, though the loop may not have told of it yet."""
    async with served(saying(OK, last=True)) as (client, came):
        for _ in range(20):
            assert (await client.post("/", content=b"1")).content == b"ok"
            time.sleep(0.001)  # noqa: ASYNC251
    assert len(came) == 20


async def test_a_connection_that_is_being_closed_is_not_used() -> None:
    async with served(saying(OK)) as (client, came):
        await client.get("/first")
        direct = client._transport
        assert isinstance(direct, transport.Direct)
        direct.idle[0].transport.close()
        assert (await client.post("/second", content=b"1")).content == b"ok"
    assert len(came) == 2
