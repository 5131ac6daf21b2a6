"""Speaking to another service: HTTP under a signed identity, and clear errors when it does not answer."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from services.kernel.auth import Caller, Signer
from services.kernel.errors import BadRequest, DomainError, Unavailable


class BadGateway(Unavailable):
    """A service behind the door answered nonsense."""

    status = 502
    code = "bad_gateway"
    title = "A service behind the door gave no usable answer"


class GatewayTimeout(Unavailable):
    """A service behind the door did not answer in time; whether it acted is not known."""

    status = 504
    code = "gateway_timeout"
    title = "A service behind the door did not answer in time"


AWAY = {each.status for each in (BadGateway, Unavailable, GatewayTimeout)}
"""What a service answers when something that it needs itself is away: it may be asked again."""


class Refused(DomainError):
    """The other service refused, with a problem of its own, which is passed on as it is."""

    def __init__(self, status: int, members: Mapping[str, Any]) -> None:
        super().__init__(str(members.get("detail", "")))
        self.status = status  # type: ignore[misc]
        self.code = str(members.get("code", "refused"))  # type: ignore[misc]
        self.title = str(members.get("title", "Refused"))  # type: ignore[misc]
        self.extensions = {
            name: value for name, value in members.items() if name not in {"type", "title", "status", "detail", "code"}
        }
        self.extensions.pop("instance", None)


class Peer:
    """One other service. `client` decides how it is reached: over the network, or mounted in this process.

    `seconds` bounds a whole call, however slowly the answer comes.
    """

    seconds: ClassVar[float] = 20.0

    def __init__(self, name: str, client: httpx.AsyncClient, signer: Signer) -> None:
        self.name, self.client, self.signer = name, client, signer

    async def send(
        self, method: str, target: str, *, caller: Caller, content: bytes | None = None, headers: Mapping[str, str]
    ) -> httpx.Response:
        """One request on behalf of `caller`; raises Unavailable, GatewayTimeout or BadGateway, never httpx's own."""
        identity = {"Authorization": f"Bearer {self.signer.identity(caller, self.name)}"}
        signed = [(name.encode(), value.encode("latin-1")) for name, value in {**headers, **identity}.items()]
        try:
            async with asyncio.timeout(self.seconds):
                response = await self.client.request(method, target, content=content, headers=signed)
        except httpx.InvalidURL as error:
            raise BadRequest("The address holds signs that no address has.") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise GatewayTimeout(f"The {self.name} service did not answer in time.") from error
        except (httpx.DecodingError, httpx.RemoteProtocolError) as error:
            raise BadGateway(f"The {self.name} service gave an answer that cannot be read.") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"The {self.name} service does not answer at the moment.") from error
        if response.status_code >= 500 and response.status_code not in AWAY:
            raise BadGateway(f"The {self.name} service failed.", request_id=response.headers.get("x-request-id"))
        return response

    async def ask(self, method: str, target: str, *, caller: Caller, body: Any = None, key: str = "") -> Any:
        """One JSON request; gives the JSON answer, raises Refused with the other's own problem."""
        headers = {"Idempotency-Key": f'"{key}"'} if key else {}
        content = None
        if body is not None:
            content = httpx.Request("POST", "http://peer", json=body).content
            headers["Content-Type"] = "application/json"
        response = await self.send(method, target, caller=caller, content=content, headers=headers)
        try:
            answer = response.json()
        except ValueError as error:
            raise BadGateway(f"The {self.name} service gave an answer that is not JSON.") from error
        if response.status_code in AWAY:
            raise Unavailable(f"The {self.name} service cannot work at the moment.")
        if response.status_code >= 400:
            raise Refused(response.status_code, answer if isinstance(answer, dict) else {})
        return answer


def connect(url: str | None, app: Any, client: type[httpx.AsyncClient] = httpx.AsyncClient) -> httpx.AsyncClient:
    """A client for the service at `url`, or, when none is given, for `app` in this process."""
    timeout = httpx.Timeout(Peer.seconds, connect=3.0)
    if url:
        return client(base_url=url, timeout=timeout, follow_redirects=False)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return client(base_url="http://in-process", transport=transport, timeout=timeout)


async def next_events(source: Peer, after: tuple[int, int], caller: Caller) -> list[dict[str, Any]]:
    """The next events of a service after a place."""
    answer = await source.ask("GET", f"/internal/events?txid={after[0]}&position={after[1]}", caller=caller)
    found: list[dict[str, Any]] = answer["data"]
    return found
