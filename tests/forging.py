"""Tokens put together by hand, right and wrong, to be refused."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwt

from services.kernel.auth import Caller, as_claims, service_caller
from services.kernel.tokens import ALGORITHM, Key, Signer, loaded
from services.keys import NEVER, private_pem


def everything(service: str) -> Caller:
    """A caller who may do anything, if somebody believes it."""
    return service_caller(service)


def packed(part: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def by_hand(header: Any, claims: Any, signature: str = "") -> str:
    """A token put together without any library; texts stand as they are."""
    parts = (packed(part.encode() if isinstance(part, str) else json.dumps(part).encode()) for part in (header, claims))
    return ".".join((*parts, signature))


def signed_by_hand(key: Any, header: Any, claims: Any) -> str:
    """The same with a right signature under a private key of the token library."""
    unsigned = by_hand(header, claims)[:-1]
    return f"{unsigned}.{packed(key.sign(unsigned.encode()))}"


def signed(key: Any, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token signed by the library."""
    return jwt.encode(dict(claims), key, ALGORITHM, headers=dict(header))


def stranger(name: str, key_id: str, typ: str = "identity+jwt") -> Signer:
    """A signer with a key of its own, under any name."""
    private = private_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    key = Key(key_id, name, typ, 0, NEVER, None, loaded(private))
    return Signer(lambda: {key_id: key}, name)


def identity_claims(audience: str, **changes: Any) -> dict[str, Any]:
    """The claims of a good identity, with changes."""
    now = int(time.time())
    times = {"iss": "gateway", "aud": audience, "sub": "service:gateway", "iat": now, "exp": now + 60}
    return {**times, "jti": str(uuid4()), "caller": as_claims(everything("gateway")), **changes}
