"""Secrets that the gateway must be able to read again are sealed before they reach the database."""

import secrets
import time
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
DAY = 86_400
NAMES = "webhooks*.key"


class Vault:
    """Seals what is kept in the database but must be read again (AES-256-GCM).

    Its keys are files that are never changed: `webhooks.key` is the first, `webhooks-<from>-<id>.key` seals from that
    time on (Unix seconds) until a later one does. All of them open, so nothing has to be sealed anew at one moment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keys(self) -> list[tuple[int, Path]]:
        """The keys with the time from which each seals, the one that seals now first, those of later on last."""
        found = [(int(path.stem.split("-")[1]) if "-" in path.stem else 0, path) for path in self.folder.glob(NAMES)]
        now = time.time()
        return sorted(found, key=lambda each: (each[0] > now, -each[0], each[1].name))

    def seal(self, secret: bytes, owner: str) -> bytes:
        """The secret as it is kept; it opens for this owner only."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + AESGCM(self.keys()[0][1].read_bytes()).encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret again; raises cryptography's InvalidTag when no key, the owner or the bytes are not right."""
        return self.opened(sealed, owner)[0]

    def renewed(self, sealed: bytes, owner: str) -> bytes:
        """The secret sealed by the key that seals now, where another one had sealed it; raises InvalidTag."""
        secret, path = self.opened(sealed, owner)
        return sealed if path == self.keys()[0][1] else self.seal(secret, owner)

    def opened(self, sealed: bytes, owner: str) -> tuple[bytes, Path]:
        """The secret, and the key that had sealed it."""
        for _since, path in self.keys():
            with suppress(InvalidTag):
                return AESGCM(path.read_bytes()).decrypt(sealed[:NONCE], sealed[NONCE:], owner.encode()), path
        raise InvalidTag

    def retire(self) -> None:
        """Remove keys in whose place another one has sealed for a day; what they sealed was sealed anew before."""
        (since, _path), *others = self.keys()
        for older, path in others:
            if older <= since <= time.time() - DAY:
                path.unlink()
