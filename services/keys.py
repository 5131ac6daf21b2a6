"""Signing keys of an installation: a private key for each service that signs, and one public set for all."""

import base64
import json
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from services.kernel.auth import Signer

SIGNERS = ("gateway", "contracts")
LOG_KEY = "log.pem"


def coordinate(number: int) -> str:
    """A coordinate of a point on P-256 as a JWK writes it (RFC 7518, section 6.2.1)."""
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    """The private key as it is kept."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def throwaway_signer() -> Signer:
    """A signer whose key nobody knows, for descriptions that are made without an installation."""
    return Signer(private_pem(ec.generate_private_key(ec.SECP256R1())).decode(), "throwaway", "throwaway")


def ensure(folder: Path) -> None:
    """Make the keys that are missing; `jwks.json` may be copied to other machines, the `.pem` files stay."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
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
        keep(private, key)
        public.write_text(json.dumps({"keys": keys}, indent=2) + "\n")
    if not (folder / LOG_KEY).exists():
        keep(folder / LOG_KEY, Ed25519PrivateKey.generate())


def keep(path: Path, key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> None:
    """Write a private key where only its owner reads it."""
    path.touch(mode=0o600)
    path.write_bytes(private_pem(key))


def load_log_key(folder: Path) -> Ed25519PrivateKey:
    """The key under which the log signs its checkpoints."""
    key = load_pem_private_key((folder / LOG_KEY).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{LOG_KEY} holds no Ed25519 key.")
    return key
