"""A circuit breaker: a service that does not answer is left alone for a while, then tried by one request at a time."""

from dataclasses import dataclass, replace
from enum import StrEnum

FAILURES = 5
PAUSE_SECONDS = 5.0


class State(StrEnum):
    """Closed lets everything through, open nothing, half-open one request to try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row, and the instant (seconds of any steady clock) until which nothing is let through."""

    failures: int = 0
    until: float = 0.0

    def state(self, now: float) -> State:
        """What the breaker lets through now."""
        if self.failures < FAILURES:
            return State.CLOSED
        return State.OPEN if now < self.until else State.HALF_OPEN

    def wait(self, now: float) -> float:
        """Seconds until a request may pass; 0: it may pass now."""
        return self.until - now if self.state(now) is State.OPEN else 0.0

    def passed(self, now: float) -> "Breaker":
        """After a request was let through: one that tries keeps the others out meanwhile."""
        return replace(self, until=now + PAUSE_SECONDS) if self.state(now) is State.HALF_OPEN else self

    def failed(self, now: float) -> "Breaker":
        """After no answer came."""
        return Breaker(self.failures + 1, now + PAUSE_SECONDS)

    def answered(self) -> "Breaker":
        """After an answer came: all is well again."""
        return Breaker()
