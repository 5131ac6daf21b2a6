"""Which public keys a client may prove itself by."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import KeySet

from services.gateway.rules.client_keys import SMALL_PRIMES, UnusableKeys, usable
from services.keys import jwk_of

EC = {**jwk_of(ec.generate_private_key(ec.SECP256R1())), "kid": "one"}


def spelt(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")


def rsa_key(bits: int = 2048, exponent: int = 65_537) -> dict[str, str]:
    numbers = rsa.generate_private_key(exponent, bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": "two", "n": spelt(numbers.n), "e": spelt(numbers.e)}


RSA = rsa_key()
N = int.from_bytes(base64.urlsafe_b64decode(RSA["n"] + "=="), "big")


def test_both_types_are_taken_with_the_members_that_matter_and_one_algorithm_each() -> None:
    more = {"use": "sig", "alg": "ES256", "x5u": "https://example.org/", "key_ops": ["verify"], "note": 1}
    found = usable([EC | more, RSA])
    assert found == [EC | {"alg": "ES256"}, RSA | {"alg": "RS256"}]
    known: Any = {"keys": found}
    assert [key.key_type for key in KeySet.import_key_set(known).keys] == ["EC", "RSA"]


def test_up_to_four_keys_each_with_a_name_of_its_own() -> None:
    four = [EC | {"kid": str(n)} for n in range(4)]
    assert len(usable(four)) == 4
    for wrong in ([], [*four, EC], [EC, RSA | {"kid": "one"}]):
        with pytest.raises(UnusableKeys):
            usable(wrong)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a private EC key": (EC | {"d": EC["x"]}, "private key"),
    "a private RSA key": (RSA | {"d": "AQAB"}, "private key"),
    "part of a private RSA key": (RSA | {"qi": "AQAB"}, "private key"),
    "a symmetric key": ({"kty": "oct", "kid": "x", "k": "c2VjcmV0"}, "public keys only"),
    "a symmetric key without its secret": ({"kty": "oct", "kid": "x"}, "EC or RSA"),
    "an Edwards curve": ({"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": EC["x"]}, "EC or RSA"),
    "no type": ({"kid": "x"}, "EC or RSA"),
    "a type that is no text": ({"kid": "x", "kty": ["EC"]}, "EC or RSA"),
    "no name": ({k: v for k, v in EC.items() if k != "kid"}, "kid"),
    "an empty name": (EC | {"kid": ""}, "kid"),
    "a long name": (EC | {"kid": "x" * 101}, "kid"),
    "a name that is no text": (EC | {"kid": 1}, "kid"),
    "another algorithm": (EC | {"alg": "HS256"}, "ES256 only"),
    "an RSA key for another algorithm": (RSA | {"alg": "PS256"}, "RS256 only"),
    "a key to encrypt by": (EC | {"use": "enc"}, "signatures"),
    "another curve": (EC | {"crv": "P-384"}, "P-256"),
    "a point beside the curve": (EC | {"x": EC["y"], "y": EC["x"]}, "P-256"),
    "no point at all": (EC | {"x": "A" * 43, "y": "A" * 43}, "P-256"),
    "a short coordinate": (EC | {"x": EC["x"][:20]}, "P-256"),
    "a coordinate beyond the field": (EC | {"x": "_" * 42 + "8"}, "P-256"),
    "a coordinate that is no text": (EC | {"x": 5}, "base64url"),
    "a missing coordinate": ({k: v for k, v in EC.items() if k != "y"}, "base64url"),
    "a coordinate that is no base64url": (EC | {"x": "é" * 43}, "base64url"),
    "a weak RSA key": (RSA | {"n": spelt(N >> 1024)}, "2048"),
    "an RSA key of 8192 bits": (RSA | {"n": spelt((1 << 8191) + 1)}, "4096"),
    "an even modulus": (RSA | {"n": spelt(N & ~1)}, "small factors"),
    "a modulus with a small factor": (
        RSA | {"n": spelt(N // 3 * 3 if N // 3 % 2 else (N // 3 + 1) * 3)},
        "small factors",
    ),
    "exponent 3": (RSA | {"e": spelt(3)}, "65537"),
    "an even exponent": (RSA | {"e": spelt(65_538)}, "65537"),
    "a huge exponent": (RSA | {"e": spelt((1 << 40) + 1)}, "65537"),
    "exponent 1": (RSA | {"e": "AQ"}, "65537"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_trusted_is_refused_with_the_reason(what: str) -> None:
    key, reason = REFUSED[what]
    with pytest.raises(UnusableKeys, match=reason) as found:
        usable([key])
    assert found.value.status == 422


def test_small_primes_are_primes() -> None:
    assert all(SMALL_PRIMES % prime == 0 for prime in (3, 5, 7, 743))
    assert SMALL_PRIMES % 2
    assert SMALL_PRIMES % 9
