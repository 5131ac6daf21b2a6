"""What can go wrong when something is fetched; `passing` says whether the same request may succeed later."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import ClassVar

import httpx

from services.kernel.errors import DomainError
from services.kernel.types import real_now

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT = 600.0


class FetchFailed(DomainError):
    """It could not be fetched; `retry_after` are seconds that the other side asked to wait."""

    status = 502
    code = "fetch_failed"
    title = "The file could not be fetched"
    passing: ClassVar[bool] = False
    retry_after: float | None = None


class Unreachable(FetchFailed):
    """Nobody answers, or the connection broke."""

    code = "fetch_unreachable"
    passing = True


class TimedOut(FetchFailed):
    """The answer took too long."""

    status = 504
    code = "fetch_timeout"
    passing = True


class Busy(FetchFailed):
    """The other side cannot answer now, or was asked too often."""

    code = "fetch_unavailable"
    passing = True


class NotServed(FetchFailed):
    """The other side has no such thing, or does not give it."""

    code = "fetch_not_served"


class TooLarge(FetchFailed):
    """It is larger than what is taken in."""

    code = "fetch_too_large"


class AddressForbidden(FetchFailed):
    """The address, or one that it leads to, may not be reached from here."""

    code = "fetch_address_forbidden"


def failure(response: httpx.Response) -> FetchFailed:
    """The error that a status of 300 or more stands for."""
    host, status = response.request.url.host, response.status_code
    if status not in PASSING:
        return NotServed(f"{host} answered {status} {response.reason_phrase}.".replace(" .", "."))
    error = Busy(f"{host} answered {status}; it may work later.")
    error.retry_after = wait_asked(response.headers)
    return error


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """The seconds of Retry-After, written as a number or as a date; None where it is neither. Ten minutes at most."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(text) - real_now()).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
