"""Signing keys of an installation: a private key for each service that signs, and one public set for all."""

import base64
import json
import secrets
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.kernel.auth import Signer

SIGNERS = ("gateway", "contracts")


def coordinate(number: int) -> str:
    """A coordinate of a point on P-256 as a JWK writes it (RFC 7518, section 6.2.1)."""
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key as it is kept."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def throwaway_signer() -> Signer:
    """A signer whose key nobody knows, for descriptions that are made without an installation."""
    return Signer(private_pem(ec.generate_private_key(ec.SECP256R1())).decode(), "throwaway", "throwaway")


def ensure(folder: Path) -> None:
    """Make the keys that are missing; `jwks.json` may be copied to other machines, all else to its own service only.

    `webhooks.key` seals the secrets of subscriptions: without it nothing can be signed for them any more.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealing = folder / "webhooks.key"
    if not sealing.exists():
        sealing.touch(mode=0o600)
        sealing.write_bytes(secrets.token_bytes(32))
    public = folder / "jwks.json"
    keys = json.loads(public.read_text())["keys"] if public.exists() else []
    for name in SIGNERS:
        private = folder / f"{name}.pem"
        if private.exists():
            continue
        key = ec.generate_private_key(ec.SECP256R1())
        point = key.public_key().public_numbers()
        keys.append(
            {
                "kty": "EC",
                "crv": "P-256",
                "x": coordinate(point.x),
                "y": coordinate(point.y),
                "kid": f"{name}-{uuid4().hex[:8]}",
                "use": "sig",
                "alg": "ES256",
                "iss": name,
            }
        )
        private.touch(mode=0o600)
        private.write_bytes(private_pem(key))
        public.write_text(json.dumps({"keys": keys}, indent=2) + "\n")
