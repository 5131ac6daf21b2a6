"""Bodies of reviews, in the words of DfE's reviews of schools that get targeted support."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.contracts.rules.reviews import Rag
from services.contracts.schemas import Day
from services.kernel.bodies import Answer, Body, Code, LongText, Paging, Text

RAG = (
    "Green: on track, change is likely. Amber: at risk, achievable with timely action. Red: off track, unlikely without"
    " a major intervention. Grey: the figures do not say."
)


class ObjectiveIn(Body):
    """A judgement of one agreed outcome; without `rag`, that of the figures stands."""

    code: Code
    rag: Annotated[Rag | None, Field(strict=False, description=RAG)] = None
    reason: Annotated[Text | None, Field(description="Why the rating is not that of the figures")] = None
    details: LongText | None = None


class ReviewIn(Body):
    """A review of all agreed outcomes on the results of a year."""

    reviewed_on: Day
    academic_year: Annotated[str, Field(pattern=r"^20[0-9]{2}/[0-9]{2}$", examples=["2023/24"])]
    reviewer: Text
    next_review_on: Day | None = None
    summary: LongText | None = None
    objectives: Annotated[list[ObjectiveIn], Field(max_length=20)] = []


class ObjectiveOut(BaseModel):
    """How an outcome was rated: by the figures, with the distance from its path, and in the end."""

    code: str
    rag: Rag = Field(description=RAG)
    figures: Rag
    z: float | None = Field(description="Standard errors above its path, in the better direction")
    expected: float | None
    actual: float | None
    n: int | None
    reasons: list[str]
    releases: list[dict[str, Any]]
    reason: str | None
    details: str | None
    red_review: bool = Field(description="Two ambers in a row, the second further off: look again, as if it were red")


class ReviewOut(Answer):
    """A review."""

    number: int
    reviewed_on: date
    academic_year: str
    reviewer: str
    next_review_on: date | None
    summary: str | None
    objectives: list[ObjectiveOut]


class ReviewPage(BaseModel):
    """A contract's reviews."""

    data: list[ReviewOut]
    paging: Paging
