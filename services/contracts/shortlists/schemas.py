"""Bodies of shortlists."""

from datetime import date
from typing import Self

from pydantic import BaseModel, Field

from services.contracts.calls import Beside
from services.contracts.rules.parties import School
from services.contracts.rules.shortlist import Ranked
from services.contracts.rules.suppliers import Phase
from services.kernel.bodies import Answer, Paging


class SchoolInNeed(BaseModel):
    """The school that needs help, as the register shows it now."""

    urn: str
    name: str
    status: str
    region: str
    la_code: str
    la_name: str
    phase: str | None = Field(description="In the words of GIAS")
    phase_code: Phase | None = Field(description="In the words of suppliers; null where GIAS does not say")
    pupils: int | None
    trust_uid: str | None
    trust_name: str | None

    @classmethod
    def of(cls, school: School, found: Beside) -> Self:
        """The school, and its phase."""
        alike = cls.model_fields.keys() - {"urn", "phase_code"}
        return cls(urn=str(school.urn), phase_code=found.phase, **{name: getattr(school, name) for name in alike})


class PartOut(Answer):
    """One part of a score: its value between 0 and 1, its weight, and the figures behind it."""

    value: float
    weight: float
    figures: dict[str, float | int | str | None]


class EntryOut(BaseModel):
    """A supplier that could be offered a contract; `score` is the weighed sum of the parts, between 0 and 1."""

    rank: int
    uid: str
    name: str
    score: float
    parts: dict[str, PartOut]
    reasons: list[str]

    @classmethod
    def of(cls, entry: Ranked) -> Self:
        """The supplier of this place."""
        trust, parts = entry.candidate.trust, entry.parts
        return cls(
            rank=entry.rank,
            uid=trust.uid,
            name=trust.name,
            score=entry.score,
            parts={name: PartOut.model_validate(part) for name, part in parts.items()},
            reasons=[part.reason for part in parts.values()],
        )


class ReasonOut(Answer):
    """Why a supplier could not be offered a contract."""

    code: str
    text: str


class ExcludedOut(Answer):
    """A supplier on the register that could not be offered a contract now, with every reason."""

    uid: str
    name: str
    reasons: list[ReasonOut]


class TermAsked(Answer):
    """First and last day of the contract that is thought of."""

    starts_on: date
    ends_on: date


class Shortlist(BaseModel):
    """A page of suppliers for a school, best first, and all who are left out."""

    school: SchoolInNeed
    term: TermAsked
    excluded: list[ExcludedOut]
    data: list[EntryOut]
    paging: Paging
