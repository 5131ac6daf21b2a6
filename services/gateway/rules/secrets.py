"""API keys and client secrets: how they are made, recognised and kept (STANDARDS.md 7)."""

import hashlib
import secrets
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = "mat_live_"
RANDOM, CHECK = 30, 6


def base62(number: int, width: int) -> str:
    """A number in base 62, padded to `width` characters."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(width, "0")


def checksum(body: str) -> str:
    """Six characters by which a mistyped or invented key is refused without asking the database."""
    return base62(zlib.crc32(body.encode()), CHECK)


def new_key() -> str:
    """A key of 178 random bits with its type in front and its checksum at the end."""
    body = PREFIX + "".join(secrets.choice(BASE62) for _ in range(RANDOM))
    return body + checksum(body)


def well_formed(key: str) -> bool:
    """Whether this can be a key at all."""
    right_length = len(key) == len(PREFIX) + RANDOM + CHECK
    return right_length and key.isascii() and key.startswith(PREFIX) and key[-CHECK:] == checksum(key[:-CHECK])


def new_secret() -> str:
    """A client secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def stored(secret: str) -> str:
    """What is kept of a key or secret; a fast hash is right for secrets of full entropy."""
    return hashlib.sha256(secret.encode()).hexdigest()
