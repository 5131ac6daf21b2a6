"""Time, identifiers and canonical JSON: the same everywhere."""

import json
import os
import secrets
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from enum import Enum, StrEnum
from threading import Lock
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Kind(StrEnum):
    """What sort of organisation a caller speaks for."""

    COMMISSIONER = "commissioner"
    DFE = "dfe"
    SUPPLIER = "supplier"
    RESPONSIBLE_BODY = "responsible_body"
    SERVICE = "service"


def utc_now() -> datetime:
    """The present instant, in UTC; `RINGFENCE_NOW` (ISO 8601) moves it for demonstrations.

    Only the edges (routes, jobs, commands) call this; everything below takes time as an argument.
    """
    moved = os.environ.get("RINGFENCE_NOW")
    if moved:
        instant = datetime.fromisoformat(moved)
        return (instant if instant.tzinfo else instant.replace(tzinfo=LONDON)).astimezone(UTC)
    return real_now()


def real_now() -> datetime:
    """The present instant, in UTC, which nothing moves: for tokens, keys, and the days of real publications."""
    return datetime.now(UTC)


def london_date(instant: datetime) -> date:
    """The civil date in London at this instant."""
    return instant.astimezone(LONDON).date()


def start_of_day(day: date) -> datetime:
    """The instant at which this date begins in London, in UTC."""
    return datetime.combine(day, clock_time(0), LONDON).astimezone(UTC)


def day_after(day: date) -> date:
    """The following date: turns a last day into the open end of a half-open period."""
    return day + timedelta(days=1)


class Ids:
    """Time-ordered identifiers (RFC 9562, version 7), each greater than all that this process made before.

    Those of one millisecond begin at random and are counted on (6.2, method 2), which asks the system for chance once.
    A clock that is set back holds the time still until it has caught up, unless that is longer than a minute.
    """

    def __init__(self) -> None:
        self.lock, self.millisecond, self.tail = Lock(), 0, 0

    def next(self) -> UUID:
        """The next one."""
        now = time.time_ns() // 1_000_000
        with self.lock:
            self.tail += 1
            if not 0 <= self.millisecond - now < SET_BACK:
                self.millisecond, self.tail = now, secrets.randbits(TAIL - 1)
            return UUID(int=self.millisecond << 80 | 7 << 76 | self.tail >> 62 << 64 | 2 << 62 | self.tail & LOW)


# Milliseconds that a clock may be set back; bits of an identifier that are chance or count.
SET_BACK, TAIL, LOW = 60_000, 74, (1 << 62) - 1
IDS = Ids()
os.register_at_fork(after_in_child=IDS.__init__)  # type: ignore[misc]
uuid7 = IDS.next


def plain(value: Any) -> Any:
    """A value as JSON can carry it: dates and identifiers as text, decimals as numbers, enums as their value."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        found = [plain(item) for item in value]
        return found if isinstance(value, list | tuple) else sorted(found, key=str)
    if isinstance(value, date):
        moment = value.astimezone(UTC) if isinstance(value, datetime) else value
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return float(value) if isinstance(value, Decimal) else value


PLAIN = frozenset({str, int, float, bool, type(None)})
"""What JSON carries as it is."""


def canonical_json(value: Any) -> bytes:
    """One byte form of a JSON value whose keys are texts: sorted, no spaces, UTF-8; RFC 8785's for all but floats.

    Floats are written as Python does (`1.0`, `1e-07`); what is hashed for others holds none.
    """
    return CANONICAL.encode(value).encode()


CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=plain)
