"""When the day of a transfer can be carried out, and which act of the system comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.gateway.rules.steps import MEMBERSHIP, Section
from services.gateway.rules.transfer import Route


@dataclass(frozen=True, slots=True)
class Listed:
    """A step as it stands; `answer` holds identifiers where it asks for them."""

    key: str
    section: str
    status: str
    gate: bool
    optional: bool
    answer: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Day:
    """A transfer on its day: what it waits for, as a reason code, and the act that is due (None: none)."""

    reason_code: str | None
    act: str | None


def identifiers(steps: Sequence[Listed]) -> dict[str, str]:
    """The new identifiers that the steps were answered with."""
    names = ("new_urn", "new_laestab")
    return {name: each.answer[name] for each in steps for name in names if name in each.answer}


def due(
    steps: Sequence[Listed], unmet: Sequence[str], route: Route, effective_on: date, confirmed: bool, today: date
) -> Day:
    """What the system does now: one act after another, once the day has come, is confirmed, and nothing is open.

    Once the membership has been opened there is no waiting any more. `unmet` are consents and conditions of consents.
    """
    acts = [each.key for each in steps if each.section == Section.THE_DAY and each.status == "open"]
    if not acts or effective_on > today:
        return Day(None, None)
    joined = any(each.key == MEMBERSHIP and each.status == "done" for each in steps)
    waits = [] if joined else waiting(steps, unmet, route, confirmed)
    return Day(f"waiting_for_{waits[0]}", None) if waits else Day(None, acts[0])


def waiting(steps: Sequence[Listed], unmet: Sequence[str], route: Route, confirmed: bool) -> list[str]:
    """What holds the day back, the first first: mandatory steps and gates before it, the date, consents, a new URN."""
    before = [each for each in steps if each.section not in {Section.THE_DAY, Section.AFTER}]
    open_ones = [each.key for each in before if each.status == "open" and (each.gate or not each.optional)]
    gates_first = sorted(open_ones, key=lambda key: not next(each.gate for each in before if each.key == key))
    found = [*gates_first, *([] if confirmed else ["confirmed_date"]), *unmet]
    if route is Route.CONVERSION and "new_urn" not in identifiers(steps):
        found.append("new_urn")
    return found
