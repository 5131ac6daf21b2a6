"""Secrets that the gateway must be able to read again are sealed before they reach the database."""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class Vault:
    """Seals what is kept in the database but must be read again (AES-256-GCM), with the key `webhooks.key`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "webhooks.key"

    def seal(self, secret: bytes, owner: str) -> bytes:
        """The secret as it is kept; it opens for this owner only."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + AESGCM(self.file.read_bytes()).encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret again; raises cryptography's InvalidTag when key, owner or bytes are not the right ones."""
        return AESGCM(self.file.read_bytes()).decrypt(sealed[:NONCE], sealed[NONCE:], owner.encode())
