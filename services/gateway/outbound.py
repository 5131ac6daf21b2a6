"""Sending to addresses that others gave us: to checked addresses only, without redirects, proxies or long answers.

The name is resolved here and the connection goes to the address that was checked, so that a name which changes its
address in between (DNS rebinding) reaches nothing. TLS is still verified against the name.
"""

import asyncio
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.connection import Answer, Connection, NoHttp
from services.gateway.rules.addresses import Target, TargetNotAllowed, check_addresses, target_of
from services.gateway.settings import Settings

SECONDS = 10.0
RESOLVE_SECONDS = 5.0
KEPT_SECONDS = 30.0
KEPT_CONNECTIONS = 256
"""Of one origin, which may receive for many subscriptions."""
TARGETS = 1024
"""So many addresses whose parts are remembered."""
Origin = tuple[bool, str, int]
"""Whether by TLS, the host, and the port."""
Resolve = Callable[[str, int], Awaitable[list[str]]]


class Unreached(Exception):
    """No answer came; the words say why, without anything that the other side sent."""


async def resolve(host: str, port: int) -> list[str]:
    """All IP addresses of a host, as the machine's resolver knows them; none when it knows none."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return []
    return [str(each[4][0]) for each in found]


@dataclass(frozen=True)
class Reach:
    """Where webhooks may go."""

    ports: frozenset[int] = frozenset({443, 8443})
    allowed_hosts: frozenset[str] = frozenset()
    resolve: Resolve = resolve

    async def check(self, url: str) -> None:
        """Raise TargetNotAllowed unless webhooks may be sent to this url, as its name resolves now."""
        await self.addresses(self.target(url))

    @lru_cache(TARGETS)  # noqa: B019
    def target(self, url: str) -> Target:
        """The parts of a url; raises TargetNotAllowed."""
        return target_of(url, ports=self.ports, allowed_hosts=self.allowed_hosts)

    async def addresses(self, target: Target) -> list[str]:
        """The addresses of a target, all of them checked; raises TargetNotAllowed."""
        found = await self.resolve(target.host, target.port)
        check_addresses(target.host, found, allowed_hosts=self.allowed_hosts)
        return found


def reach_of(settings: Settings) -> Reach:
    """Where webhooks of this installation may go."""
    ports = frozenset(int(port) for port in settings.webhook_ports.split(","))
    return Reach(ports, frozenset(filter(None, settings.webhook_allow.split(","))))


class Outbound:
    """Posts to targets within reach, over connections that are kept for the next request."""

    def __init__(self, reach: Reach, context: ssl.SSLContext | None = None) -> None:
        self.reach, self.context = reach, context or ssl.create_default_context()
        self.kept: dict[Origin, list[Connection]] = defaultdict(list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body within ten seconds; raises Unreached when no answer came."""
        try:
            target = self.reach.target(url)
            async with asyncio.timeout(SECONDS):
                return await self.through(target, headers, body)
        except TargetNotAllowed as error:
            raise Unreached(error.detail) from error
        except TimeoutError as error:
            raise Unreached(f"no answer within {SECONDS:.0f} seconds") from error
        except ssl.SSLError as error:
            raise Unreached(f"TLS failed: {error.reason or type(error).__name__}") from error
        except OSError as error:
            raise Unreached(f"connection failed: {error.strerror or type(error).__name__}") from error
        except NoHttp as error:
            raise Unreached("the answer was not HTTP/1.1, or broke off") from error

    async def through(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request over a kept connection, or a new one; a kept one that turns out dead is replaced once."""
        named = {"Host": target.authority, "Content-Length": str(len(body)), **headers}
        fields = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        request = f"POST {target.path} HTTP/1.1\r\n{fields}\r\n".encode("ascii") + body
        origin = (target.secure, target.host, target.port)
        connection = self.take(origin)
        if connection is not None:
            try:
                return await self.used(origin, connection, request)
            except (OSError, NoHttp):
                if connection.answered:
                    raise
        return await self.used(origin, await self.connect(target), request)

    async def used(self, origin: Origin, connection: Connection, request: bytes) -> Answer:
        """One exchange; afterwards the connection is kept where it can be, and closed where not."""
        try:
            answer = await connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        if connection.reusable and len(self.kept[origin]) < KEPT_CONNECTIONS:
            connection.used_at = time.monotonic()
            self.kept[origin].append(connection)
        else:
            connection.close()
        return answer

    def take(self, origin: Origin) -> Connection | None:
        """The kept connection that was used last, if any can be used."""
        while kept := self.kept[origin]:
            connection = kept.pop()
            if connection.reusable:
                return connection
            connection.close()
        return None

    def sweep(self) -> None:
        """Close connections that nobody has used for a while, or that the other side has closed."""
        oldest = time.monotonic() - KEPT_SECONDS
        for origin, connections in list(self.kept.items()):
            fresh = [each for each in connections if each.reusable and each.used_at > oldest]
            for each in set(connections) - set(fresh):
                each.close()
            if fresh:
                self.kept[origin] = fresh
            else:
                del self.kept[origin]

    async def connect(self, target: Target) -> Connection:
        """A new connection to the first address that answers, of those that were checked just now."""
        loop = asyncio.get_running_loop()
        failure: OSError | None = None
        secured: dict[str, Any] = {"ssl": self.context, "server_hostname": target.host} if target.secure else {}
        for address in await self.reach.addresses(target):
            try:
                return (await loop.create_connection(Connection, address, target.port, **secured))[1]
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
        raise failure or OSError("no address")

    def close(self) -> None:
        """Give all kept connections back."""
        for connections in self.kept.values():
            for connection in connections:
                connection.close()
        self.kept.clear()
