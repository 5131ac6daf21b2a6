"""Public keys by which a client signs its assertions: what is taken (RFC 7517, RFC 7518), and what is refused."""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.errors import Unprocessable

AT_MOST = 4
ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}
"""The one algorithm of each type of key; python-jose has no PS256."""
MEMBERS = {"EC": ("crv", "x", "y"), "RSA": ("n", "e")}
SECRETS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
RSA_BITS = range(2048, 4097)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
"""P-256: y² = x³ - 3x + B modulo P (FIPS 186-5)."""


class UnusableKeys(Unprocessable):
    """A key set that no client can prove itself by."""

    code = "unusable_keys"
    title = "The keys cannot be used"


def usable(keys: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The keys, with the members that matter and each with its one algorithm; raises UnusableKeys."""
    if not 1 <= len(keys) <= AT_MOST:
        raise UnusableKeys(f"Give one to {AT_MOST} keys.")
    found = [usable_key(key) for key in keys]
    if len({key["kid"] for key in found}) < len(found):
        raise UnusableKeys("Give each key a kid of its own.")
    return found


def usable_key(key: Mapping[str, Any]) -> dict[str, str]:
    """One key with the members that matter; raises UnusableKeys."""
    kid, kty = key.get("kid"), key.get("kty")
    if SECRETS & key.keys():
        raise UnusableKeys("Give public keys only. A private key that was sent is not a secret any more: make another.")
    if not isinstance(kty, str) or kty not in ALGORITHMS:
        raise UnusableKeys(f"A key is of the type {' or '.join(ALGORITHMS)}.")
    if not isinstance(kid, str) or not 0 < len(kid) <= 100:
        raise UnusableKeys("Give every key a kid of 1 to 100 characters.")
    if key.get("alg", ALGORITHMS[kty]) != ALGORITHMS[kty] or key.get("use", "sig") != "sig":
        raise UnusableKeys(f"A key of the type {kty} is used for signatures with {ALGORITHMS[kty]} only.")
    numbers = {name: number(key.get(name)) for name in MEMBERS[kty] if name != "crv"}
    if kty == "EC":
        check_point(key, numbers)
    else:
        check_modulus(numbers)
    return {"kty": kty, "kid": kid, "alg": ALGORITHMS[kty], **{name: str(key[name]) for name in MEMBERS[kty]}}


def number(text: Any) -> int:
    """A number in base64url; raises UnusableKeys."""
    try:
        return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), "big")
    except (TypeError, ValueError, binascii.Error) as error:
        raise UnusableKeys("A number of a key is not base64url without padding.") from error


def check_point(key: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
    """Raise UnusableKeys unless it is a point of P-256."""
    x, y = numbers["x"], numbers["y"]
    right_size = len(key["x"]) == len(key["y"]) == 43
    if key.get("crv") != "P-256" or not right_size or max(x, y) >= P or (y * y - x * x * x + 3 * x - B) % P:
        raise UnusableKeys("An EC key is a point of P-256.")


def check_modulus(numbers: Mapping[str, int]) -> None:
    """Raise UnusableKeys for an RSA key that is weak, or so large that checking it would cost too much."""
    n, e = numbers["n"], numbers["e"]
    if n.bit_length() not in RSA_BITS or n % 2 == 0 or math.gcd(n, SMALL_PRIMES) > 1:
        raise UnusableKeys("An RSA key has 2048 to 4096 bits, and a modulus without small factors.")
    if e % 2 == 0 or not 65_537 <= e < 2**32:
        raise UnusableKeys("The exponent of an RSA key is odd and at least 65537, as 65537 itself.")


SMALL_PRIMES = math.prod(each for each in range(3, 750) if all(each % d for d in range(2, int(each**0.5) + 1)))
