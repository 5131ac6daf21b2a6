"""Signed tokens, by which callers prove themselves and services vouch for them: made and checked (RFC 8725)."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from jose import jwk, jwt

from services.kernel.auth import Caller, as_claims, from_claims
from services.kernel.errors import Unauthenticated

ALGORITHM = "ES256"
TOKEN = re.compile(r"[\w-]{2,512}\.[\w-]{2,16000}\.[\w-]{2,700}", re.ASCII)
CLOCK_SKEW = 30
NOT_VALID = "The token is not valid."


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a token is for: its `typ`, the longest that it may live, and its size. What serves one serves no other."""

    typ: str
    seconds: int
    size: int


ACCESS = Purpose("at+jwt", 600, 4096)
IDENTITY = Purpose("identity+jwt", 60, 16_384)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of one signer, for tokens of one `typ` and one algorithm; `private` only where it signs.

    It signs from `use_from` until a later one of its signer does, and is believed until `until` (Unix time).
    """

    id: str
    signer: str
    typ: str
    use_from: float
    until: float
    public: Any
    private: Any = None


Keys = Callable[[], Mapping[str, Key]]
"""The keys at this moment, by id: they change while the services run."""


def loaded(material: Mapping[str, Any] | str, algorithm: str = ALGORITHM) -> Any:
    """A key as the token library takes it, from a JWK or a private PEM; raises its own errors for what is neither."""
    return jwk.construct(material if isinstance(material, str) else dict(material), algorithm)


def demand(holds: Any) -> None:
    """Raise ValueError unless it holds."""
    if not holds:
        raise ValueError(NOT_VALID)


def opened(token: str, size: int, find: Callable[[Mapping[str, str]], tuple[Any, str]]) -> dict[str, Any]:
    """The claims of a compact JWT, with the right signature and every claim that a token must have.

    `find` gives the key for a header, and who issues tokens with it; it raises for a header that it does not know.
    Raises Unauthenticated, with the same words, whatever is wrong. Of python-jose only the bare signature check is
    used, on a key with one algorithm: it accepts more, and fails in more ways, than RFC 8725 allows.
    """
    try:
        demand(len(token) <= size and TOKEN.fullmatch(token))
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        header = strict_object(unpacked(head))
        demand(header.keys() <= {"alg", "typ", "kid"})
        key, issuer = find(header)
        demand(key.verify(signed.encode(), unpacked(signature)))
        claims = strict_object(unpacked(body))
        demand(all(type(claims[name]) is str and claims[name] for name in ("sub", "jti")))
        demand(all(type(each) is int for each in (claims["iat"], claims["exp"], claims.get("nbf", 0))))
        demand(claims["aud"] and claims["iss"] == issuer)
    except Exception as error:
        raise Unauthenticated(NOT_VALID) from error
    return claims


def unpacked(part: str) -> bytes:
    """The bytes of base64url without padding; raises ValueError for all but its one canonical form."""
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    demand(base64.urlsafe_b64encode(raw).rstrip(b"=") == part.encode())
    return raw


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON in which no name comes twice; raises ValueError for another."""
    demand(len(dict(pairs)) == len(pairs))
    return dict(pairs)


def strict_object(raw: bytes) -> dict[str, Any]:
    """A JSON object in which no name comes twice and every number is whole; raises ValueError."""
    value = json.loads(raw.decode(), object_pairs_hook=unique, parse_float=int, parse_constant=int)
    demand(isinstance(value, dict))
    return dict(value)


def lifetime(claims: Mapping[str, Any]) -> int:
    """For how many seconds a token was issued, if now is within them; else nothing."""
    now, issued, expires = time.time(), claims["iat"], claims["exp"]
    in_time = max(issued, claims.get("nbf", issued)) <= now + CLOCK_SKEW and now < expires
    return int(expires - issued) if in_time else 0


class Signer:
    """Signs tokens in one name, with the key that is in use at the time."""

    def __init__(self, keys: Keys, name: str, issuer: str | None = None) -> None:
        self.keys, self.name, self.issuer = keys, name, issuer or name

    def key(self) -> Key:
        """The latest key of this signer that is in use and may sign here."""
        now = time.time()
        mine = [each for each in self.keys().values() if each.signer == self.name and each.private is not None]
        return max((each for each in mine if each.use_from <= now), key=lambda each: (each.use_from, each.id))

    def sign(self, purpose: Purpose, audience: str, subject: str, claims: Mapping[str, Any]) -> str:
        """A compact JWT for this purpose, valid from now."""
        now, key = int(time.time()), self.key()
        standard = {"iss": self.issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + purpose.seconds}
        body = {**claims, **standard, "jti": str(uuid4())}
        return jwt.encode(body, key.private, ALGORITHM, headers={"typ": purpose.typ, "kid": key.id})

    def identity(self, caller: Caller, audience: str) -> str:
        """A short-lived signed identity, for one other service only."""
        return self.sign(IDENTITY, audience, caller.client_id, {"caller": as_claims(caller)})


class Verifier:
    """Checks tokens of the installation's own: each key has one algorithm, one signer and one purpose (RFC 8725)."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys

    def claims(self, token: str, purpose: Purpose, audience: str, issuer: str | None = None) -> dict[str, Any]:
        """The claims of a valid token; raises Unauthenticated, with the same words, for anything else.

        A token that is bound to a certificate or a key (`cnf`) is refused: no proof of these is taken here.
        """

        def find(header: Mapping[str, str]) -> tuple[Any, str]:
            key = self.keys()[header["kid"]]
            demand(header == {"alg": ALGORITHM, "typ": purpose.typ, "kid": key.id})
            demand(key.typ == purpose.typ and time.time() < key.until)
            return key.public, issuer or key.signer

        claims = opened(token, purpose.size, find)
        if claims["aud"] != audience or not 0 < lifetime(claims) <= purpose.seconds or "cnf" in claims:
            raise Unauthenticated(NOT_VALID)
        return claims

    def identity(self, token: str, audience: str) -> Caller:
        """The caller that another service vouches for."""
        try:
            return from_claims(self.claims(token, IDENTITY, audience)["caller"])
        except (LookupError, TypeError, ValueError) as error:
            raise Unauthenticated(NOT_VALID) from error
