"""Who calls: identities, their bounds and scopes, and how a route asks for them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, OAuth2, SecurityScopes

from services.kernel.errors import InsufficientScope
from services.kernel.types import Kind


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven caller: who, for which organisation, bounded to which rows, with which scopes."""

    client_id: str
    name: str
    kind: Kind
    organisation: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    regions: tuple[str, ...] = ()
    la_codes: tuple[str, ...] = ()
    trust_uid: str | None = None
    urns: tuple[str, ...] = ()

    def bounds(self) -> dict[str, str]:
        """The bounds as row-level security reads them."""
        return {
            "client_id": self.client_id,
            "kind": self.kind.value,
            "organisation": self.organisation,
            "trust_uid": self.trust_uid or "",
            "urns": ",".join(self.urns),
            "regions": "|".join(self.regions),
            "la_codes": ",".join(self.la_codes),
        }

    def actor(self) -> dict[str, Any]:
        """How the record names this caller: organisations and clients, never persons."""
        return {
            "client_id": self.client_id,
            "name": self.name,
            "kind": self.kind.value,
            "organisation": self.organisation,
        }


def service_caller(service: str) -> Caller:
    """The identity under which a service's own jobs work."""
    return Caller(f"service:{service}", service, Kind.SERVICE, service, frozenset({"*"}))


def as_claims(caller: Caller) -> dict[str, Any]:
    """A caller as a JSON object."""
    return {**asdict(caller), "kind": caller.kind.value, "scopes": sorted(caller.scopes)}


def from_claims(claims: Mapping[str, Any]) -> Caller:
    """The caller that `as_claims` wrote."""
    bounds = {name: tuple(claims[name]) for name in ("regions", "la_codes", "urns")}
    known: dict[str, Any] = {name: claims[name] for name in ("client_id", "name", "organisation", "trust_uid")}
    return Caller(kind=Kind(claims["kind"]), scopes=frozenset(claims["scopes"]), **known | bounds)


Authenticate = Callable[[Request], Awaitable[Caller]]
TOKEN_SCHEME = OAuth2(
    flows={"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}},
    scheme_name="oauth2",
    description="Client credentials; the answer's access token goes into the Authorization header.",
    auto_error=False,
)
KEY_SCHEME = APIKeyHeader(
    name="x-api-key", scheme_name="apiKey", description="Key of a trust's finance team.", auto_error=False
)


async def current_caller(
    request: Request,
    scopes: SecurityScopes,
    _token: Annotated[str | None, Depends(TOKEN_SCHEME)],
    _key: Annotated[str | None, Depends(KEY_SCHEME)],
) -> Caller:
    """The proven caller of this request, with the scopes that the route asks for; else 401 or 403."""
    return await proven(request, *scopes.scopes)


async def proven(request: Request, *scopes: str) -> Caller:
    """The caller of this request, who has these scopes; raises Unauthenticated or InsufficientScope."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        authenticate: Authenticate = request.app.state.authenticate
        caller = request.state.caller = await authenticate(request)
    for scope in scopes:
        if scope not in caller.scopes and "*" not in caller.scopes:
            raise InsufficientScope(scope)
    return caller


def require(scope: str) -> Any:
    """The route's parameter that names the scope it asks for: `caller: Annotated[Caller, require("…")]`."""
    return Security(current_caller, scopes=[scope])
