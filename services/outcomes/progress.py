"""How far the taking in of a file has come: looked at from outside, so that the work itself takes no longer."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """What is being done with a file, and in which unit it is counted."""

    FETCHING = "fetching"
    READING = "reading file"
    PARSING = "parsing"
    STORING = "storing"
    SETTLING = "settling"

    @property
    def unit(self) -> str:
        """What is counted."""
        return "rows" if self is Phase.STORING else "bytes"


@dataclass(slots=True)
class Step:
    """One phase: how much is done, of how much where that is known; `look` reads it off the work where it can."""

    phase: Phase
    total: int | None = None
    counted: int = 0
    look: Callable[[], int] | None = None

    @property
    def done(self) -> int:
        """How much is done."""
        return self.look() if self.look else self.counted

    def end(self) -> None:
        """The phase is over; nothing of the work is held any longer."""
        self.counted, self.look = self.done, None


@dataclass(slots=True)
class Progress:
    """The phases so far, the last one under way."""

    steps: list[Step] = field(default_factory=list)

    def begin(self, phase: Phase, total: int | None) -> None:
        """Go on to a phase."""
        self.end()
        self.steps.append(Step(phase, total))

    def end(self) -> None:
        """The phase under way is over."""
        if self.steps:
            self.steps[-1].end()


WATCHED: ContextVar[Progress | None] = ContextVar("progress", default=None)
"""Where somebody looks: work that is done for them finds it here, also in threads."""


def begin(phase: Phase, total: int | None = None) -> None:
    """Say that a phase begins."""
    watched = WATCHED.get()
    if watched is not None:
        watched.begin(phase, total)


def add(amount: int) -> None:
    """Say that more is done."""
    watched = WATCHED.get()
    if watched is not None and watched.steps:
        watched.steps[-1].counted += amount


def follow(look: Callable[[], int], total: int) -> None:
    """Say where it can be read off how much of the phase under way is done."""
    watched = WATCHED.get()
    if watched is not None and watched.steps:
        watched.steps[-1].look, watched.steps[-1].total = look, total


def reached(done: int, total: int | None) -> None:
    """Say how much of the phase under way is done, of how much."""
    watched = WATCHED.get()
    if watched is not None and watched.steps:
        watched.steps[-1].counted, watched.steps[-1].total = done, total
