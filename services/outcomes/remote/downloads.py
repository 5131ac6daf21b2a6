"""Downloading a file whole: from where it broke off, or not at all when it has not changed."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.outcomes.remote.errors import (
    AddressForbidden,
    NotServed,
    TimedOut,
    TooLarge,
    Unreachable,
    failure,
)
from services.outcomes.remote.hosts import UrlNotAllowed
from services.outcomes.remote.patience import Patience

MAX_FILE = 64 * 2**20
MAX_SECONDS = 300.0
REDIRECTS = 3
RANGE = re.compile(r"bytes ([0-9]+)-[0-9]+/([0-9]+|\*)", re.ASCII)
PLAIN = {"", "identity", "gzip"}
"""Encodings of answers that feeds can read as they are."""
Told = Callable[[int, int | None], None]
"""Hears how many bytes have come, of how many where that is known."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file, and by what its publisher tells this state of it from others."""

    content: bytes
    etag: str | None


@dataclass(slots=True)
class Part:
    """What has come of a file so far, and how to ask for the rest of the very same one."""

    content: bytearray = field(default_factory=bytearray)
    validator: str | None = None
    etag: str | None = None

    def headers(self, known: str | None) -> dict[str, str]:
        """The conditions of the next request; `known` is the tag of a file that is held already."""
        asked = {"Accept-Encoding": "identity"}
        if self.content and self.validator:
            return asked | {"Range": f"bytes={len(self.content)}-", "If-Range": self.validator}
        return asked | ({"If-None-Match": known} if known else {})

    def begin(self, response: httpx.Response) -> int | None:
        """Go on where it broke off, or from the start when the other side sends it all; gives the size of the file.

        None where it is not told. An answer to a range may be shorter than what was asked for.
        """
        partial = response.status_code == httpx.codes.PARTIAL_CONTENT
        said = RANGE.fullmatch(response.headers.get("content-range", "")) if partial else None
        if self.content and said and int(said[1]) == len(self.content):
            return int(said[2]) if said[2].isdecimal() else None
        self.content.clear()
        self.etag = response.headers.get("etag")
        strong = self.etag if self.etag and not self.etag.startswith("W/") else None
        self.validator = strong or response.headers.get("last-modified")
        if partial:
            raise Unreachable("The other side sent another part of the file than was asked for.")
        length = response.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None


@asynccontextmanager
async def exchange(client: httpx.AsyncClient, method: str, url: str, **asked: Any) -> AsyncIterator[httpx.Response]:
    """One request, its answer to be read inside; raises FetchFailed, never httpx's own errors."""
    host = "the other side"
    try:
        request = client.build_request(method, url, **asked)
        host = request.url.host
        response = await client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()
    except httpx.TimeoutException as error:
        raise TimedOut(f"{host} did not answer in time.") from error
    except UrlNotAllowed as error:
        raise AddressForbidden(error.detail) from error
    except httpx.InvalidURL as error:
        raise AddressForbidden("The file is at an address that is none.") from error
    except httpx.HTTPError as error:
        raise Unreachable(f"The connection to {host} failed.") from error


async def download(
    client: httpx.AsyncClient,
    url: str,
    *,
    known: str | None = None,
    most: int = MAX_FILE,
    patience: Patience | None = None,
    told: Told | None = None,
) -> Downloaded | None:
    """The file at an address, None when it is still the `known` one; raises FetchFailed."""
    part = Part()

    async def go_on() -> bool:
        return await fetch(client, url, part, known, most, told or ignore)

    try:
        async with asyncio.timeout(MAX_SECONDS):
            changed = await (patience or Patience()).of(go_on)
    except TimeoutError as error:
        raise TimedOut(f"The file did not come within {MAX_SECONDS:.0f} seconds.") from error
    return Downloaded(bytes(part.content), part.etag) if changed else None


def ignore(_came: int, _of: int | None) -> None:
    """For those who do not want to hear."""


async def fetch(client: httpx.AsyncClient, url: str, part: Part, known: str | None, most: int, told: Told) -> bool:
    """Add what comes to the part until it is whole; False when the file is still the known one."""
    for _hop in range(REDIRECTS + 1):
        async with exchange(client, "GET", url, headers=part.headers(known)) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED and known:
                return False
            if not response.has_redirect_location:
                await take(response, part, most, told)
                return True
            url = str(response.request.url.join(response.headers["location"]))
    raise NotServed(f"The address leads on more than {REDIRECTS} times.")


async def take(response: httpx.Response, part: Part, most: int, told: Told) -> None:
    """Read an answer to its end, within the limit of bytes."""
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.content.clear()
        raise Unreachable("The rest of the file is not to be had; it must be fetched from its start.")
    if response.status_code >= 300:
        raise failure(response)
    encoding = response.headers.get("content-encoding", "").lower()
    if encoding not in PLAIN:
        raise NotServed(f"The file came packed as {encoding[:20]}, which nobody asked for.")
    whole = part.begin(response)
    if whole is not None and whole > most:
        raise TooLarge(f"The file is larger than {most >> 20} MiB.")
    async for piece in response.aiter_raw():
        part.content += piece
        if len(part.content) > most:
            raise TooLarge(f"The file is larger than {most >> 20} MiB.")
        told(len(part.content), whole)
    if whole is not None and len(part.content) != whole:
        raise Unreachable(f"{len(part.content)} of {whole} bytes of the file came.")
