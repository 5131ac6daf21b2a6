"""Bodies of assessments and findings."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.contracts.rules.performance import Basis, FindingKind, Rating
from services.contracts.schemas import ContractOut, Day
from services.kernel.bodies import Answer, Body, LongText, Paging


class AssessmentIn(Body):
    """An assessment where no results can be had; its rating is `other`, and it says why."""

    period_starts_on: Day
    period_ends_on: Day
    explanation: LongText


class AssessmentOut(Answer):
    """How the supplier did against the key performance indicators over a period."""

    number: int
    assessed_on: date
    period_starts_on: date
    period_ends_on: date
    rating: Rating
    explanation: str | None
    basis: Basis = Field(description="By statute, or because this system keeps to it as policy")
    measures: list[dict[str, Any]]
    evaluation_id: UUID | None


class OpportunityIn(Body):
    """A chance to improve: what must get better, and by when."""

    opened_on: Day
    closes_on: Day
    details: LongText


class FoundIn(Body):
    """A finding of poor performance, after an opportunity to improve that was not taken."""

    found_on: Day
    opportunity: Annotated[int, Field(ge=1, description="The number of the opportunity")]
    details: LongText


class FindingOut(Answer):
    """An opportunity to improve, or a finding of poor performance."""

    number: int
    kind: FindingKind
    opened_on: date
    closes_on: date | None
    opportunity: int | None
    details: str


class AssessmentPage(BaseModel):
    """The assessments of a contract."""

    data: list[AssessmentOut]
    paging: Paging


class FindingPage(BaseModel):
    """The findings of a contract."""

    data: list[FindingOut]
    paging: Paging


class ConcernOut(BaseModel):
    """Something that is open: a matter about the supplier, a finding, a dispute; in words that name nobody."""

    kind: str
    detail: str


class GroundOut(BaseModel):
    """A contract and what is open about it."""

    contract: ContractOut
    open: list[ConcernOut]
