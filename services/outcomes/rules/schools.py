"""What sort of school it is, in the register's words."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

STATE_FUNDED = frozenset({"academies", "free schools", "local authority maintained schools"})
APART = ("special", "alternative provision", "pupil referral", "secure", "16 to 19", "16-19")
"""Kinds of establishment that DfE keeps out of trusts' tables and similar schools (METHOD.md 2.1, 3.3)."""


def mainstream(kind: str, kind_group: str) -> bool:
    """Whether it is a mainstream state-funded school: maintained, academy, free school, studio school or UTC."""
    words = kind.lower()
    return kind_group.lower() in STATE_FUNDED and not any(word in words for word in APART)


def selective(admissions: str | None) -> bool:
    """Whether the school chooses its pupils by ability."""
    return (admissions or "").strip().lower() == "selective"


CLOSED = "closed"
"""The status of a school that is no more, in the register's word."""


class Lifetime(NamedTuple):
    """Whether a school is open, and since when until when. `guessed`: no file of the register has told its status."""

    status: str
    opened_on: date | None
    closed_on: date | None
    guessed: bool = False


def lifetime(
    known: Lifetime | None, opened_on: date | None, closed_on: date | None, succeeded_on: date | None, on: date
) -> Lifetime:
    """That of a school of which a file of this day tells no status: as it was told before, else guessed anew.

    The days are those that the file tells, and the one on which another had succeeded it as links have it. A day of
    closing that was told and has come tells the status as well.
    """
    opened = opened_on or (known.opened_on if known else None)
    if known is not None and not known.guessed:
        return Lifetime(known.status, opened, closed_on or known.closed_on)
    closes = closed_on or (known.closed_on if known and known.status != CLOSED else None)
    if closes is not None and closes <= on:
        return Lifetime(CLOSED, opened, closes)
    if succeeded_on is not None and closes is None:
        return Lifetime(CLOSED, opened, succeeded_on, guessed=True)
    ahead = opened is not None and opened > on
    return Lifetime("proposed_to_open" if ahead else "open", opened, closes, guessed=True)


class PhaseCode(StrEnum):
    """What a school is for, as a supplier offers it: GIAS's phase, and apart from it what is kept out of phases."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    ALL_THROUGH = "all_through"
    SPECIAL = "special"
    ALTERNATIVE_PROVISION = "alternative_provision"
    POST_16 = "16_plus"


BY_KIND = {
    "special": PhaseCode.SPECIAL,
    "alternative provision": PhaseCode.ALTERNATIVE_PROVISION,
    "pupil referral": PhaseCode.ALTERNATIVE_PROVISION,
    "16 to 19": PhaseCode.POST_16,
    "16-19": PhaseCode.POST_16,
    "sixth form centre": PhaseCode.POST_16,
}
"""Kinds of establishment that go before the phase: for most of them GIAS says `Not applicable` there."""
BY_PHASE = {
    "nursery": PhaseCode.PRIMARY,
    "primary": PhaseCode.PRIMARY,
    "middle deemed primary": PhaseCode.PRIMARY,
    "secondary": PhaseCode.SECONDARY,
    "middle deemed secondary": PhaseCode.SECONDARY,
    "all-through": PhaseCode.ALL_THROUGH,
    "16 plus": PhaseCode.POST_16,
}


def phase_code(phase: str, kind: str) -> PhaseCode | None:
    """The phase of a school as a supplier offers it; None where the register's words do not say."""
    words = kind.lower()
    special = next((code for word, code in BY_KIND.items() if word in words), None)
    return special or BY_PHASE.get(phase.lower())
