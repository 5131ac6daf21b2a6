"""Leaves of the log: canonical JSON without personal data, hashed as RFC 6962 says."""

import hashlib
from typing import Any

from services.kernel.types import canonical_json


def leaf_data(kind: str, subject: str, facts: dict[str, Any]) -> bytes:
    """The bytes of a leaf: canonical JSON of what happened to which subject."""
    return canonical_json({"type": kind, "subject": subject, "facts": facts})


def leaf_hash(data: bytes) -> str:
    """SHA-256 of a zero byte and the leaf (RFC 6962, section 2.1), in hexadecimal."""
    return hashlib.sha256(b"\x00" + data).hexdigest()


def redacted(value: Any, salt: str) -> str | None:
    """What a leaf holds of what is personal: its salted hash, which tells nothing once the salt is erased.

    A text is hashed as it is, anything else as canonical JSON.
    """
    if value is None:
        return None
    held = value.encode() if isinstance(value, str) else canonical_json(value)
    return hashlib.sha256(salt.encode() + b"\n" + held).hexdigest()


def with_hashes(facts: dict[str, Any], private: dict[str, Any], salt: str) -> dict[str, Any]:
    """The facts of a leaf: `private` values stand in it as salted hashes, each under its name with `_hash`."""
    return facts | {f"{name}_hash": redacted(value, salt) for name, value in private.items()}
