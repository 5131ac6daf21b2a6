"""What sort of school it is, in the register's words."""

from enum import StrEnum

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
