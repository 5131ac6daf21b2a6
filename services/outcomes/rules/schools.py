"""What sort of school it is, in the register's words."""

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
