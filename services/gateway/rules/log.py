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


def redacted(text: str | None, salt: str) -> str | None:
    """What a leaf holds of a free text: its salted hash, so that the text itself can be erased."""
    return None if text is None else hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()
