"""Suspension: what stops while a contract rests, and what follows from it (DOMAIN.md 2, pause semantics)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.contracts.rules.life import MAY, Move, NotTheirMove, Role
from services.kernel.errors import DomainError, Unprocessable


@dataclass(frozen=True, slots=True)
class Stops:
    """What a suspension stops; what it does not name goes on."""

    clock: bool
    payments: bool
    reviews: bool
    ring_fence: bool


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a contract that the clock moves by: its last day and the days of undecided milestones, by code."""

    ends_on: date
    due: dict[str, date]


class NothingStops(Unprocessable):
    """The suspension stops nothing, so it is none."""

    code = "nothing_stops"
    title = "The suspension stops nothing"


def check_stops(stops: Stops) -> None:
    """Raise NothingStops unless the suspension stops something."""
    if not (stops.clock or stops.payments or stops.reviews or stops.ring_fence):
        raise NothingStops("Say what stops: clock, payments, reviews or ring_fence.", errors=[{"pointer": "/stops"}])


class NothingWaits(DomainError):
    """No payment waits for a decision: none was stopped, the contract has not ended, or it was decided before."""

    code = "nothing_waits"
    title = "No payments wait for a decision"


def check_resolution(role: Role, *, ended: bool, stopped: bool) -> None:
    """Raise unless `role` may decide on the payments of a contract that came to its end while they were stopped."""
    if role not in MAY[Move.RESUME]:
        raise NotTheirMove(f"What a suspension held back is for the {' or '.join(sorted(MAY[Move.RESUME]))} to decide.")
    if not stopped:
        raise NothingWaits("No suspension keeps payments of this contract back.")
    if not ended:
        raise NothingWaits("The contract is suspended and has not ended: it can be resumed.")


def worked_until(since: date, last_day: date) -> date:
    """The last day for which a fee is earned, of a contract that ended while payments were stopped from `since` on."""
    return min(since - timedelta(days=1), last_day)


def resumed(dates: Dates, since: date, resumed_on: date, latest_ends_on: date) -> Dates:
    """The dates after a suspension in which the clock stood still; nothing moves past the latest possible end.

    `since` is the first day of rest and `resumed_on` the first day of work after it.
    """
    rest = timedelta(days=(resumed_on - since).days)
    ends_on = max(dates.ends_on, min(dates.ends_on + rest, latest_ends_on))
    due = {code: day if day < since else min(day + rest, ends_on) for code, day in dates.due.items()}
    return Dates(ends_on, due)


def last_day(ends_on: date, latest_ends_on: date, *, clock_stopped: bool) -> date:
    """The day after which a contract ends by the clock: a stopped clock runs into the latest possible end at most."""
    return max(ends_on, latest_ends_on) if clock_stopped else ends_on


def fence_breaks(
    past: Sequence[tuple[date, date]], since: date | None, *, fence_stopped: bool
) -> list[tuple[date, date | None]]:
    """The days, first and last, on which results are not kept apart; the last one is open while it goes on."""
    going_on: list[tuple[date, date | None]] = [(since, None)] if since is not None and fence_stopped else []
    return [*((first, last) for first, last in past), *going_on]
