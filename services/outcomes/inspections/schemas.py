"""What callers see of inspections, and of what DfE reckoned of trusts."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.kernel.bodies import Paging
from services.outcomes.evidence import TrustObservation
from services.outcomes.models import Release
from services.outcomes.rules import inspection as rules
from services.outcomes.rules.grades import Area, Scale
from services.outcomes.rules.ringfence import ContractRole
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import ReleaseName


class JudgementOut(BaseModel):
    """What an inspection said of an area: `ordinal` is 1 to 4, 1 the best, on `old4`; 1 to 5, 5 the best, on `new5`.

    Grades of the two scales cannot be compared with one another.
    """

    area: Area
    scale: Scale
    grade_code: str
    grade: str = Field(description="In Ofsted's words")
    ordinal: int | None


class InspectionOut(BaseModel):
    """An inspection, and what it is to trust and contract: it belongs to the period in which it started."""

    urn: str = Field(description="Of the legal life of the school that was inspected")
    number: str | None
    kind: str | None
    started_on: date
    published_on: date | None
    framework: rules.Framework
    category_of_concern: rules.Concern | None = Field(description="Null where the source does not say")
    safeguarding: rules.Safeguarding
    outcome: str | None
    judgements: list[JudgementOut]
    below_good: bool | None = Field(description=f"By rule {rules.BELOW_GOOD_VERSION}; null where nothing was graded")
    trust_uid: str | None = Field(description="The school's trust on the day it started")
    contract_id: UUID | None
    contract_role: ContractRole
    release: ReleaseName


class StandingOut(BaseModel):
    """Where inspections leave a school; see `InspectionsOut` for the words."""

    urn: str
    stuck: bool | None
    concern: rules.Concern | None
    strong: bool | None
    latest_on: date | None = Field(description="The day on which the latest inspection started")


class InspectionsOut(BaseModel):
    """The inspections of a school through all of its lives, the latest first."""

    urn: str
    stuck: bool | None = Field(
        description="Requires improvement, or equivalent, after below Good; null without two graded inspections"
    )
    concern: rules.Concern | None
    safeguarding: rules.Safeguarding | None
    strong: bool | None = Field(
        description="Of no concern, and led to the expected standard (old scale: Good): what joining a trust asks for"
    )
    data: list[InspectionOut]


class TrustObservationOut(BaseModel):
    """A figure of a trust that DfE reckoned itself, or the reason why there is none."""

    trust_uid: str
    measure: str
    pupil_group: str
    academic_year: str
    state: ValueState
    value: float | None
    lower: float | None
    upper: float | None
    raw: str
    pupils: int | None
    urns: list[str] = Field(description="The schools that the figure speaks of")
    release: ReleaseName

    @classmethod
    def of(cls, row: TrustObservation, release: Release) -> Self:
        """The figure of this row."""
        told = row.model_dump(exclude={"release_id", "academic_year", "urns"})
        return cls(
            **told | {"state": ValueState(row.state)},
            academic_year=academic_year_text(row.academic_year),
            urns=[str(each) for each in row.urns],
            release=ReleaseName.of(release),
        )


class TrustObservationPage(BaseModel):
    """Figures by academic year, measure and group of pupils."""

    data: list[TrustObservationOut]
    paging: Paging
