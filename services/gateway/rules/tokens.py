"""Tokens and the assertions by which clients prove themselves: lifetimes, audiences, and the name of the issuer."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

AUDIENCE = "ringfence"
ASSERTION_SECONDS = 300
ASSERTION_SIZE = 4096
ASSERTION_TYPES = frozenset({None, "JWT", "client-authentication+jwt"})
"""What may stand as `typ` of a client's assertion: RFC 7523 asks for none, its revision for the last."""
CLOCK_SKEW = 30


class TokenRefused(Exception):
    """The token endpoint's own errors (RFC 6749, section 5.2): status, and what its answer says."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.body = status, {"error": error, "error_description": description}


def bad_request(description: str) -> TokenRefused:
    """The request is not one that the endpoint can read."""
    return TokenRefused(400, "invalid_request", description)


def invalid_client(
    description: str = "The client is not known, or does not prove itself as it should.",
) -> TokenRefused:
    """The client does not prove itself."""
    return TokenRefused(401, "invalid_client", description)


def check_assertion(claims: Mapping[str, Any], *, client_id: str, audiences: Collection[str], now: float) -> None:
    """Raise TokenRefused unless the client speaks of itself, to us, now (RFC 7523, section 3).

    `claims` have passed the checks of form: texts are texts, times whole numbers.
    """
    issued, expires, audience = claims["iat"], claims["exp"], claims["aud"]
    meant = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if claims["iss"] != client_id or claims["sub"] != client_id:
        raise invalid_client("iss and sub of the assertion must both be the client_id.")
    if not isinstance(meant, str) or meant not in audiences:
        raise invalid_client(f"aud of the assertion must be one of {' '.join(sorted(audiences))}")
    if expires <= now:
        raise invalid_client("The assertion has expired.")
    if max(issued, claims.get("nbf", issued)) > now + CLOCK_SKEW:
        raise invalid_client("The assertion is not yet valid: iat or nbf lies ahead. Look at the clock.")
    if expires - issued > ASSERTION_SECONDS or expires > now + ASSERTION_SECONDS + CLOCK_SKEW:
        raise invalid_client(
            f"exp of the assertion may be at most {ASSERTION_SECONDS} seconds after iat: some libraries set an hour."
        )
    if len(claims["jti"]) > 200:
        raise invalid_client("jti of the assertion may have 200 characters at most.")


def issuer_of(text: str) -> str:
    """The issuer's name as RFC 8414 wants it: https, without query, fragment or a slash at the end; else ValueError."""
    parts = urlsplit(text)
    plain = parts.scheme == "https" and parts.hostname and not (parts.username or "?" in text or "#" in text)
    if not plain or text.endswith("/") or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("RINGFENCE_ISSUER must be an https address without query, fragment and a slash at its end.")
    return text
