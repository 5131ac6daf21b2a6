"""API keys and client secrets: how they are made, recognised and kept."""

import hashlib
import re
import secrets
import string
import zlib
from enum import StrEnum

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECK, SHOWN = 30, 6, 8


class Environment(StrEnum):
    """What a key is for: the work itself, or trying a system out, which touches nothing that is real."""

    LIVE = "live"
    TEST = "test"


KEY = re.compile(r"mat_(live|test)_[0-9A-Za-z]{36}", re.ASCII)
"""The shape of a key, wherever it may turn up."""


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


def new_key(environment: Environment = Environment.LIVE) -> str:
    """A key of 178 random bits with its type in front and its checksum at the end."""
    body = f"mat_{environment.value}_" + "".join(secrets.choice(BASE62) for _ in range(RANDOM))
    return body + checksum(body)


def shown_start(key: str) -> str:
    """The first characters of a key, by which people tell one from another."""
    return key[: -(RANDOM + CHECK) + SHOWN]


def well_formed(key: str) -> bool:
    """Whether this can be a key at all."""
    return KEY.fullmatch(key) is not None and key[-CHECK:] == checksum(key[:-CHECK])


def environment_of(key: str) -> Environment:
    """What a well-formed key is for, as its prefix says."""
    return Environment(key.split("_")[1])


def new_secret() -> str:
    """A client secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def stored(secret: str) -> str:
    """What is kept of a key or secret; a fast hash is right for secrets of full entropy."""
    return hashlib.sha256(secret.encode()).hexdigest()
