"""Tokens that were proven before: whose signature was right, and whom they stood for when that was last asked."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.beliefs import Belief
from services.gateway.rules.tokens import AUDIENCE
from services.kernel.auth import Caller
from services.kernel.errors import Unauthenticated
from services.kernel.tokens import ACCESS, Verifier
from services.kernel.types import Kind

REMEMBERED = 4096
"""How many tokens are remembered; the oldest makes room."""
LOOKED = 0.001
"""Seconds for which keys are not looked at again: of requests that come together one looks."""


@dataclass(slots=True)
class Verified:
    """A token whose signature was found right: that signature, what the token says, and whom it stood for last."""

    signature: str
    claims: dict[str, Any]
    belief: Belief | None = None

    def stands(self, standing: dict[str, Any] | None) -> Caller:
        """Whom the token stands for while its client stands so: with the scopes that both have.

        Raises Unauthenticated where the token or its client stands no more.
        """
        if standing is None:
            self.belief = None
            raise Unauthenticated("The token is not valid.")
        if self.belief is None or self.belief.standing != standing:
            scopes = frozenset(self.claims["scope"].split()).intersection(standing["scopes"])
            caller = caller_of_client(standing, scopes)
            self.belief = Belief(caller, self.claims["client_id"], self.claims["jti"], standing)
        return self.belief.caller


def caller_of_client(standing: Mapping[str, Any], scopes: frozenset[str]) -> Caller:
    """The caller that a client is, with these scopes."""
    return Caller(
        client_id=standing["id"],
        name=standing["name"],
        kind=Kind(standing["kind"]),
        organisation=standing["organisation"],
        scopes=scopes,
        regions=tuple(standing["regions"]),
        la_codes=tuple(standing["la_codes"]),
        trust_uid=standing["trust_uid"],
        urns=tuple(standing["urns"]),
    )


class Tokens:
    """Checks access tokens, and remembers which signatures were right while their tokens and keys last.

    A token is known by what was signed, its `jti` included, and believed only with the very signature that was
    checked: another one for the same words, right or wrong, is checked by itself.
    """

    def __init__(self, verifier: Verifier, issuer: str) -> None:
        self.verifier, self.issuer = verifier, issuer
        self.keys, self.look = verifier.keys(), 0.0
        self.known: dict[bytes, Verified] = {}

    def verified(self, token: str) -> Verified:
        """A valid token; raises Unauthenticated."""
        found = self.remembered(token)
        if found:
            return found
        claims = self.verifier.claims(token, ACCESS, AUDIENCE, self.issuer)
        if claims.get("client_id") != claims["sub"] or not isinstance(claims.get("scope"), str):
            raise Unauthenticated("The token is not valid.")
        if len(self.known) >= REMEMBERED:
            del self.known[next(iter(self.known))]
        name, signature = parts(token)
        found = self.known[name] = Verified(signature, claims)
        return found

    def remembered(self, token: str) -> Verified | None:
        """A token that was found valid before and has not expired."""
        now = time.monotonic()
        if now >= self.look:
            self.look = now + LOOKED
            if self.verifier.keys() is not self.keys:
                self.keys = self.verifier.keys()
                self.known.clear()
        name, signature = parts(token)
        found = self.known.get(name)
        if found is None or not hmac.compare_digest(found.signature.encode(), signature.encode()):
            return None
        if time.time() < found.claims["exp"]:
            return found
        del self.known[name]
        return None


def parts(token: str) -> tuple[bytes, str]:
    """What a token is known by, and its signature."""
    signed, _, signature = token.rpartition(".")
    return hashlib.sha256(signed.encode()).digest(), signature
