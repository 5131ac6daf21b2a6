"""Who calls: identities, their bounds and scopes, and the signed tokens that carry them between processes."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, OAuth2, SecurityScopes
from jose import jwk, jwt
from jose.exceptions import JOSEError

from services.kernel.errors import InsufficientScope, Unauthenticated
from services.kernel.types import Kind

ALGORITHM = "ES256"
TOKEN = re.compile(r"[\w-]{2,512}\.[\w-]{2,3200}\.[\w-]{2,512}", re.ASCII)
IDENTITY_SECONDS = 60
CLOCK_SKEW = 30


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


class Signer:
    """Signs tokens with one private key; key and issuer are fixed at start."""

    def __init__(self, pem: str, key_id: str, issuer: str) -> None:
        self.key_id, self.issuer = key_id, issuer
        self.key = jwk.construct(pem, ALGORITHM)

    def sign(self, kind: str, audience: str, subject: str, seconds: int, claims: Mapping[str, Any]) -> str:
        """A compact JWT of the given `typ`, valid for `seconds` from now."""
        now = int(time.time())
        standard = {"iss": self.issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + seconds}
        body = {**claims, **standard, "jti": str(uuid4())}
        return jwt.encode(body, self.key, ALGORITHM, headers={"typ": kind, "kid": self.key_id})

    def identity(self, caller: Caller, audience: str) -> str:
        """A short-lived signed identity, for one other service only."""
        return self.sign("identity+jwt", audience, caller.client_id, IDENTITY_SECONDS, {"caller": as_claims(caller)})


class Verifier:
    """Checks tokens against a set of public keys: each key has one algorithm and one issuer (RFC 8725)."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self.keys = {entry["kid"]: (entry["iss"], jwk.construct(dict(entry), ALGORITHM)) for entry in jwks["keys"]}

    def claims(self, token: str, kind: str, audience: str) -> dict[str, Any]:
        """The claims of a valid token; raises Unauthenticated, with the same words, for anything else.

        python-jose accepts more than the standards do, so the header, the times and the presence of every claim
        are checked here (STANDARDS.md 8).
        """
        try:
            if not TOKEN.fullmatch(token):
                raise Unauthenticated("The token is not valid.")
            header = jwt.get_unverified_header(token)
            known = self.keys.get(str(header.get("kid")))
            if set(header) != {"alg", "typ", "kid"} or header["typ"] != kind or known is None:
                raise Unauthenticated("The token is not valid.")
            issuer, key = known
            required = {f"require_{name}": True for name in ("exp", "iat", "iss", "aud", "sub", "jti")}
            claims = jwt.decode(token, key, [ALGORITHM], options=required, audience=audience, issuer=issuer)
            issued, expires = claims["iat"], claims["exp"]
            sound = type(issued) is int and type(expires) is int and issued <= time.time() + CLOCK_SKEW
            if not sound or not 0 < expires - issued <= 3600:
                raise Unauthenticated("The token is not valid.")
        except (JOSEError, ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError) as error:
            raise Unauthenticated("The token is not valid.") from error
        return dict(claims)

    def identity(self, token: str, audience: str) -> Caller:
        """The caller that another service vouches for."""
        return from_claims(self.claims(token, "identity+jwt", audience)["caller"])


def as_claims(caller: Caller) -> dict[str, Any]:
    """A caller as a JSON object."""
    return {**asdict(caller), "kind": caller.kind.value, "scopes": sorted(caller.scopes)}


def from_claims(claims: Mapping[str, Any]) -> Caller:
    """The caller that `as_claims` wrote."""
    bounds = {name: tuple(claims[name]) for name in ("regions", "la_codes", "urns")}
    known: dict[str, Any] = {name: claims[name] for name in ("client_id", "name", "organisation", "trust_uid")}
    return Caller(kind=Kind(claims["kind"]), scopes=frozenset(claims["scopes"]), **known | bounds)


def load_signer(folder: Path, name: str) -> Signer:
    """The signer of one service, from the folder that `create_key` filled."""
    entries = json.loads((folder / "jwks.json").read_text())["keys"]
    entry = [entry for entry in entries if entry["kid"].startswith(f"{name}-")][-1]
    return Signer((folder / f"{name}.pem").read_text(), entry["kid"], entry["iss"])


def load_verifier(folder: Path) -> Verifier:
    """The public keys of the installation."""
    return Verifier(json.loads((folder / "jwks.json").read_text()))


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
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        authenticate: Authenticate = request.app.state.authenticate
        caller = request.state.caller = await authenticate(request)
    for scope in scopes.scopes:
        if scope not in caller.scopes and "*" not in caller.scopes:
            raise InsufficientScope(scope)
    return caller


def require(scope: str) -> Any:
    """The route's parameter that names the scope it asks for: `caller: Annotated[Caller, require("…")]`."""
    return Security(current_caller, scopes=[scope])
