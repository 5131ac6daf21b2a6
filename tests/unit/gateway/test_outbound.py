"""Sending to loopback servers that behave well and badly, and to names whose addresses change."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.gateway import outbound
from services.gateway.outbound import Outbound, Reach, Unreached, resolve
from services.gateway.rules.addresses import TargetNotAllowed
from services.gateway.settings import Settings
from services.keys import private_pem
from tests.receiver import Receiver, receiving

HERE = Reach(allowed_hosts=frozenset({"127.0.0.1"}))
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def saying(*addresses: str) -> Callable[[str, int], object]:
    """A resolver that knows these addresses, one more each time it is asked."""
    left = list(addresses)

    async def answer(_host: str, _port: int) -> list[str]:
        return [left.pop(0) if len(left) > 1 else left[0]]

    return answer


@asynccontextmanager
async def answering(answer: bytes, *, close: bool = False) -> AsyncIterator[str]:
    """A server that says this to every request; gives its url."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536):
                writer.write(answer)
                await writer.drain()
                if close:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await asyncio.sleep(0.01)


async def test_connections_are_used_again() -> None:
    async with receiving(Receiver()) as receiver:
        sender = Outbound(HERE)
        for _ in range(5):
            assert (await sender.post(receiver.url, {"webhook-id": "x"}, b"{}")).status == 204
        assert receiver.connections == 1
        assert receiver.got[0].headers["host"] == f"127.0.0.1:{receiver.port}"
        sender.close()


async def test_a_connection_that_the_other_side_has_closed_is_replaced() -> None:
    sender, receiver = Outbound(HERE), Receiver()
    for _ in range(2):
        async with receiving(receiver):
            assert (await sender.post(receiver.url, {}, b"{}")).status == 204
    assert receiver.connections == 2
    sender.close()


async def test_connections_that_nobody_uses_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(Receiver()) as receiver:
        sender = Outbound(HERE)
        for kept, seconds in ((1, 30.0), (0, 0.0)):
            await sender.post(receiver.url, {}, b"{}")
            monkeypatch.setattr(outbound, "KEPT_SECONDS", seconds)
            sender.sweep()
            assert sum(len(each) for each in sender.kept.values()) == kept
        assert receiver.connections == 1


async def test_redirects_are_not_followed() -> None:
    async with answering(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n") as url:
        sender = Outbound(HERE)
        assert (await sender.post(url, {}, b"{}")).status == 302
        sender.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK, 200),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200),
        (b"HTTP/1.1 204 No\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 503 No\r\nretry-after: 7\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno", 503),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 200_000, 200),
    ],
    ids=["plain", "continue", "no content", "chunked", "close", "endless"],
)
async def test_answers_are_read_as_far_as_they_count(answer: bytes, expected: int) -> None:
    async with answering(answer) as url:
        sender = Outbound(HERE)
        found = await sender.post(url, {}, b"{}")
        assert found.status == expected
        assert found.retry_after == ("7" if expected == 503 else None)
        sender.close()


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000, b"HTTP/1.1"])
async def test_what_is_not_http_is_no_answer(answer: bytes) -> None:
    async with answering(answer, close=True) as url:
        with pytest.raises(Unreached):
            await Outbound(HERE).post(url, {}, b"{}")


@pytest.mark.parametrize(
    ("answer", "close", "status"),
    [(b"HTTP/1.1 200 OK\r\n\r\nuntil it ends", True, 200), (OK + b"HTTP/1.1 500 No\r\n\r\n", False, 200)],
    ids=["ends with the connection", "says more than it was asked"],
)
async def test_after_some_answers_a_connection_is_not_used_again(answer: bytes, close: bool, status: int) -> None:
    async with answering(answer, close=close) as url:
        sender = Outbound(HERE)
        for _ in range(2):
            assert (await sender.post(url, {}, b"{}")).status == status
            assert not any(sender.kept.values())


async def test_an_answer_that_breaks_off_is_none() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal", close=True) as url:
        with pytest.raises(Unreached, match="broke off"):
            await Outbound(HERE).post(url, {}, b"{}")


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.1)
    async with answering(b"") as url:
        with pytest.raises(Unreached, match="no answer"):
            await Outbound(HERE).post(url, {}, b"{}")


async def test_nobody_listens() -> None:
    async with answering(OK) as url:
        pass
    with pytest.raises(Unreached, match="connection failed"):
        await Outbound(HERE).post(url, {}, b"{}")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
async def test_a_name_that_changes_its_address_after_registration_reaches_nothing(address: str) -> None:
    reach = Reach(resolve=saying("93.184.216.34", address))
    await reach.check("https://hooks.example.org/")
    with pytest.raises(Unreached, match="not public"):
        await Outbound(reach).post("https://hooks.example.org/", {}, b"{}")


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []

    async def connecting(_made: object, host: str, port: int, **secured: object) -> None:
        reached.append((host, port, secured["server_hostname"]))
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connecting)
    reach = Reach(resolve=saying("93.184.216.34", "127.0.0.1"))
    with pytest.raises(Unreached, match="refused"):
        await Outbound(reach).post("https://hooks.example.org:8443/", {}, b"{}")
    assert reached == [("93.184.216.34", 8443, "hooks.example.org")]


async def test_the_machines_resolver_is_asked_and_may_know_nothing() -> None:
    assert "127.0.0.1" in await resolve("localhost", 443)
    for disguise in ("2130706433", "0x7f.1", "0177.0.0.1", "127.1"):
        with pytest.raises(TargetNotAllowed, match="not public"):
            await Reach().check(f"https://{disguise}/")
    with pytest.raises(TargetNotAllowed):
        await Reach().check("https://localhost/")


def test_settings_say_where_webhooks_may_go() -> None:
    assert outbound.reach_of(Settings(webhook_ports="443", webhook_allow="localhost,127.0.0.1")) == Reach(
        frozenset({443}), frozenset({"localhost", "127.0.0.1"})
    )
    assert outbound.reach_of(Settings()) == Reach()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for a name that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(private_pem(key))
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize(("name", "trusted"), [("localhost", True), ("localhost", False), ("other.example", True)])
async def test_tls_is_verified_against_the_name(tmp_path: Path, name: str, trusted: bool) -> None:
    cert, key = certificate(tmp_path, name)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(cert, key)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=served)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
    context = ssl.create_default_context(cafile=str(cert) if trusted else None)
    sender = Outbound(Reach(allowed_hosts=frozenset({"localhost"}), resolve=saying("127.0.0.1")), context)
    if trusted and name == "localhost":
        assert (await sender.post(url, {}, b"{}")).status == 204
    else:
        with pytest.raises(Unreached, match="TLS failed"):
            await sender.post(url, {}, b"{}")
    sender.close()
    server.close()
    await asyncio.gather(*receiver.serving)
