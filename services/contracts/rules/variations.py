"""Variations: what the parties may change, and never what has already happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from services.contracts.rules.life import MoveNotAllowed, NotTheirMove, Role
from services.kernel.errors import DomainError, Unprocessable


class VariationKind(StrEnum):
    """What a variation is for: other terms, or an earlier end by agreement."""

    CHANGE = "change"
    TERMINATION = "termination"


class VariationStatus(StrEnum):
    """Where a variation stands."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    OVERTAKEN = "overtaken"


class VariationMove(StrEnum):
    """What can happen to a variation."""

    AGREE = "agree"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    TAKE_EFFECT = "take_effect"
    OVERTAKE = "overtake"


TABLE: dict[VariationStatus, dict[VariationMove, VariationStatus]] = {
    VariationStatus.PROPOSED: {
        VariationMove.AGREE: VariationStatus.AGREED,
        VariationMove.REFUSE: VariationStatus.REFUSED,
        VariationMove.WITHDRAW: VariationStatus.WITHDRAWN,
        VariationMove.LAPSE: VariationStatus.LAPSED,
    },
    VariationStatus.AGREED: {
        VariationMove.TAKE_EFFECT: VariationStatus.IN_FORCE,
        VariationMove.OVERTAKE: VariationStatus.OVERTAKEN,
        VariationMove.LAPSE: VariationStatus.LAPSED,
    },
    VariationStatus.IN_FORCE: {},
    VariationStatus.REFUSED: {},
    VariationStatus.WITHDRAWN: {},
    VariationStatus.LAPSED: {},
    VariationStatus.OVERTAKEN: {},
}
OPEN = frozenset(status for status, moves in TABLE.items() if moves)
"""Statuses in which a variation may still take effect; a contract has one of them at a time."""


class TouchesThePast(Unprocessable):
    """The variation would change what has already happened."""

    code = "touches_the_past"
    title = "What has happened cannot be varied"


class BeyondLatestEnd(Unprocessable):
    """An extension stays inside the latest possible end that was agreed at the start."""

    code = "beyond_latest_end"
    title = "Later than the latest possible end"


class NothingChanges(Unprocessable):
    """The variation leaves every term as it is."""

    code = "nothing_changes"
    title = "Nothing would change"


class VariationOpen(DomainError):
    """Another variation waits for signatures or for its day."""

    code = "variation_open"
    title = "One variation at a time"


class Overtaken(DomainError):
    """Between signature and effect something happened that the variation would undo."""

    code = "variation_overtaken"
    title = "The variation was overtaken"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a variation may not touch, on the day on which it is looked at.

    `milestones` are the promises as they stand, by code; `decided` the codes that have been decided.
    """

    latest_ends_on: date
    ends_on: date
    fee_pence: int
    outcomes: Mapping[str, Mapping[str, Any]]
    milestones: Mapping[str, Mapping[str, Any]]
    decided: frozenset[str]
    fee_earned: bool
    judged: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """The terms as they would stand: last day, fee in pence, outcomes and milestones by code."""

    ends_on: date
    fee_pence: int
    outcomes: Mapping[str, Mapping[str, Any]]
    milestones: Mapping[str, Mapping[str, Any]]


def moved(status: VariationStatus, move: VariationMove) -> VariationStatus:
    """The status after `move`; raises MoveNotAllowed."""
    target = TABLE[status].get(move)
    if target is None:
        words = move.value.replace("_", " ")
        raise MoveNotAllowed(f"A variation that is {status.replace('_', ' ')} cannot {words}.", status_now=status.value)
    return target


def check_closer(move: VariationMove, role: Role, proposed_by: Role) -> None:
    """Raise unless the proposer withdraws, or another party refuses."""
    own = role is proposed_by
    if move is VariationMove.WITHDRAW and not own:
        raise NotTheirMove(f"Only the {proposed_by} that proposed it withdraws it; another party refuses.")
    if move is VariationMove.REFUSE and own:
        raise NotTheirMove("Who proposed a variation withdraws it; the other parties refuse.")


def check_day(effective_on: date, today: date, ends_on: date) -> None:
    """Raise unless a variation takes effect today or later, within the term as it stands."""
    pointer = [{"pointer": "/effective_on"}]
    if effective_on < today:
        raise TouchesThePast("A variation takes effect today or later.", errors=pointer)
    if effective_on > ends_on:
        raise TouchesThePast(f"The contract ends on {ends_on}, before the variation would begin.", errors=pointer)


def check_change(now: Standing, wanted: Wanted, effective_on: date) -> None:
    """Raise unless these terms change only what lies ahead of the day on which they take effect."""
    if wanted.ends_on < effective_on:
        words = "The term would end before the variation takes effect; that is a termination."
        raise TouchesThePast(words, errors=[{"pointer": "/changes/ends_on"}])
    if wanted.ends_on > now.latest_ends_on:
        words = f"The contract may be extended until {now.latest_ends_on} at most."
        raise BeyondLatestEnd(words, errors=[{"pointer": "/changes/ends_on"}])
    if now.fee_earned and wanted.fee_pence < now.fee_pence:
        raise TouchesThePast("The fee has been earned; it can only rise.", errors=[{"pointer": "/changes/fee_pence"}])
    if now.judged and dict(wanted.outcomes) != dict(now.outcomes):
        words = "A final evaluation has been made of these outcomes."
        raise TouchesThePast(words, errors=[{"pointer": "/changes/outcomes"}])
    for code in sorted({*now.milestones, *wanted.milestones}):
        check_milestone(code, now, wanted, effective_on)


def check_milestone(code: str, now: Standing, wanted: Wanted, effective_on: date) -> None:
    """Raise when a decided milestone would change, or a promise would fall due before it was made."""
    before, after = now.milestones.get(code), wanted.milestones.get(code)
    if before == after:
        return
    pointer = [{"pointer": "/changes/milestones"}]
    if code in now.decided:
        raise TouchesThePast(f"Milestone {code} has been decided.", errors=pointer)
    due = after["due_on"] if after is not None else None
    if due is not None and due < effective_on and (before is None or due != before["due_on"]):
        raise TouchesThePast(f"Milestone {code} would be due before the variation takes effect.", errors=pointer)
