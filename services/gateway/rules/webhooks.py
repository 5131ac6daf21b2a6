"""Standard Webhooks (standardwebhooks.com): signature, schedule of retries, and what an answer means."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

SECRET_BYTES = 32
SCHEDULE = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each retry: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""
JITTER = 0.2
LONGEST_PAUSE = 86_400


class Outcome(StrEnum):
    """What the answer to an attempt means."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    GONE = "gone"


def new_secret() -> bytes:
    """A secret of 256 random bits."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as the subscriber is shown it, once."""
    return "whsec_" + base64.b64encode(secret).decode()


def signed(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each key that is valid now, separated by spaces."""
    content = f"{message_id}.{timestamp}.".encode() + body
    made = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return " ".join(f"v1,{signature}" for signature in made)


def outcome(status: int | None) -> Outcome:
    """What a response status means; None where there was no response. Redirects are not followed: they are failures."""
    if status is not None and 200 <= status < 300:
        return Outcome.ACKNOWLEDGED
    return Outcome.GONE if status == 410 else Outcome.FAILED


def pause(attempts: int, retry_after: float, chance: float) -> float | None:
    """Seconds until the next attempt after so many failed ones; None: given up.

    `retry_after` is what the receiver asked for, kept up to a day; `chance`, in [0, 1), spreads retries.
    """
    if attempts > len(SCHEDULE):
        return None
    planned = SCHEDULE[attempts - 1] * (1 - JITTER + 2 * JITTER * chance)
    return max(planned, min(retry_after, LONGEST_PAUSE))


def seconds_asked(header: str | None, now: datetime) -> float:
    """What `Retry-After` asks for, in seconds from now; 0 where it says nothing that can be read."""
    if header is None:
        return 0.0
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return 0.0
    instant = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())
