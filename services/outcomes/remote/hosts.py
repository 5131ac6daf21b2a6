"""Which addresses may be reached: https to listed hosts, and never a private address behind a public name."""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import httpx

from services.kernel.addresses import is_public
from services.kernel.errors import Unprocessable
from services.outcomes.remote.errors import AddressForbidden

HTTPS = 443
LONGEST = 2000


class UrlNotAllowed(Unprocessable):
    """The address is not one that files may be fetched from."""

    code = "url_not_allowed"
    title = "Files are not fetched from there"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Hosts that may be reached, as `host` or `host:port`; those `inside` may also have private addresses."""

    public: frozenset[str]
    inside: frozenset[str] = frozenset()

    @classmethod
    def of(cls, public: str, inside: str = "") -> Self:
        """Hosts separated by commas."""
        return cls(
            *(frozenset(each.strip().lower() for each in one.split(",") if each.strip()) for one in (public, inside))
        )

    def check(self, address: str | httpx.URL) -> httpx.URL:
        """The address, if it may be fetched; raises UrlNotAllowed."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise UrlNotAllowed("That is not an address.") from error
        if len(str(url)) > LONGEST:
            raise UrlNotAllowed(f"The address is longer than {LONGEST} characters.")
        if url.scheme != "https" or url.userinfo:
            raise UrlNotAllowed("Give an address that begins with https:// and holds no password.")
        if name_of(url) not in self.public | self.inside:
            listed = ", ".join(sorted(self.public | self.inside)) or "none"
            raise UrlNotAllowed(f"{url.host or 'That'} is not a host that files are fetched from. These are: {listed}.")
        return url


def name_of(url: httpx.URL) -> str:
    """The host of an address as it is listed: with its port where that is an unusual one."""
    host = url.raw_host.decode().lower()
    return host if (url.port or HTTPS) == HTTPS else f"{host}:{url.port}"


async def addresses_of(host: str, port: int) -> list[str]:
    """The IP addresses of a name; raises httpx.ConnectError when it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"{host} has no address") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Guarded(httpx.AsyncBaseTransport):
    """Connects to allowed hosts only, by the very address that was found to be public.

    A name that is looked up twice can give a private address the second time, so it is looked up once.
    """

    def __init__(self, hosts: Hosts, inner: httpx.AsyncBaseTransport) -> None:
        self.hosts, self.inner = hosts, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request; raises UrlNotAllowed, AddressForbidden and what httpx raises."""
        url = self.hosts.check(request.url)
        addresses = await addresses_of(url.host, url.port or HTTPS)
        if name_of(url) not in self.hosts.inside and not all(map(is_public, addresses)):
            raise AddressForbidden(f"{url.host} leads to an address inside a private network.")
        return await self.first(request, addresses)

    async def first(self, request: httpx.Request, addresses: Iterable[str]) -> httpx.Response:
        """The answer from the first address that takes a connection; the certificate must still be the host's."""
        problem: httpx.ConnectError = httpx.ConnectError("no address")
        for address in addresses:
            sent = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
            try:
                return await self.inner.handle_async_request(sent)
            except httpx.ConnectError as error:
                problem = error
        raise problem

    async def aclose(self) -> None:
        """Give back connections."""
        await self.inner.aclose()


def client(hosts: Hosts, *, base_url: str = "") -> httpx.AsyncClient:
    """A client that reaches these hosts only, follows no redirect and waits for no answer longer than half a minute."""
    return httpx.AsyncClient(
        base_url=base_url,
        transport=Guarded(hosts, httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=4))),
        timeout=httpx.Timeout(30.0, connect=5.0),
        follow_redirects=False,
        headers={"User-Agent": "ringfence"},
    )
