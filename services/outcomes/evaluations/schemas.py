"""Bodies between contracts and outcomes: facts to draft from, contracts to judge, and verdicts."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.kernel.bodies import Body, Code
from services.outcomes.models import Evaluation
from services.outcomes.rules.evaluation import Agreed, Run, TargetMode
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import Pooled
from services.outcomes.rules.years import academic_year_from, academic_year_text
from services.outcomes.schemas import AcademicYear, Uid, Urn

Day = Annotated[date, Field(strict=False)]


class FactsIn(Body):
    """A contract to be drafted or signed: who, with whom, on which measures, from when."""

    urn: Urn
    trust_uid: Uid
    measures: Annotated[list[str], Field(max_length=20)]
    starts_on: Day


class SchoolFacts(BaseModel):
    """The school as the register shows it."""

    urn: int
    name: str
    status: str
    region: str
    la_code: str
    la_name: str
    kind_group: str
    trust_uid: str | None
    trust_name: str | None


class TrustFacts(BaseModel):
    """The trust as the register shows it."""

    model_config = ConfigDict(from_attributes=True)

    uid: str
    name: str
    kind: str
    status: str
    companies_house_number: str | None
    ukprn: str | None


class Baseline(BaseModel):
    """What a school achieved before a term, in the measure's unit; `reason` where that cannot be said."""

    value: float | None
    n: int | None
    years: list[str]
    releases: list[dict[str, Any]]
    reason: str | None

    def pooled(self) -> Pooled | None:
        """The baseline as the rules see it."""
        if self.value is None or self.n is None:
            return None
        years = tuple(academic_year_from(year) for year in self.years)
        return Pooled(self.value, self.n, years, tuple(str(each["id"]) for each in self.releases))


class MeasureFacts(BaseModel):
    """A measure that can be agreed, with the school's baseline."""

    domain: str
    baseline: Baseline


class FactsOut(BaseModel):
    """What is known; null for a school or trust that the register does not have."""

    school: SchoolFacts | None
    trust: TrustFacts | None
    measures: dict[str, MeasureFacts]


class TargetIn(Body):
    """The target as agreed, in the measure's unit."""

    mode: Annotated[TargetMode, Field(strict=False)]
    value: float


class OutcomeIn(Body):
    """An outcome as agreed and frozen."""

    code: Code
    measure: str
    weight: float
    critical: bool
    target: TargetIn
    baseline: Baseline

    def agreed(self) -> Agreed:
        """The outcome as the rules see it; raises KeyError for a measure that the catalogue lacks."""
        return Agreed(
            code=self.code,
            measure=MEASURES[self.measure],
            weight=self.weight,
            critical=self.critical,
            mode=self.target.mode,
            target=self.target.value,
            baseline=self.baseline.pooled(),
        )


class EvaluationIn(Body):
    """A contract to be judged as of an academic year."""

    contract_id: Annotated[UUID, Field(strict=False)]
    school_urn: Urn
    supplier_uid: Uid
    organisation: str
    starts_on: Day
    ends_on: Day
    outcomes: Annotated[list[OutcomeIn], Field(min_length=1, max_length=20)]
    academic_year: AcademicYear
    run: Annotated[Run, Field(strict=False)]
    requested_by: dict[str, Any]

    @property
    def term(self) -> Term:
        """First and last day of the contract."""
        return Term(self.starts_on, self.ends_on)


class EvaluationOut(BaseModel):
    """A verdict with its reasons, figures and releases."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    contract_id: UUID
    academic_year: str
    run: Run
    overall: str
    method_version: str
    inputs_hash: str
    supersedes_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: Evaluation) -> Self:
        """The verdict of this row."""
        facts = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**row.result | facts | {"academic_year": academic_year_text(row.academic_year)})


class EvaluationPage(BaseModel):
    """The evaluations of a contract, newest first."""

    data: list[EvaluationOut]
    paging: dict[str, None]
