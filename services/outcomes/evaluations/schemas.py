"""Bodies between contracts and outcomes: facts to draft from, contracts to judge, and verdicts."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.kernel.bodies import Body, Code
from services.outcomes.models import Evaluation
from services.outcomes.rules.agreement import Agreed, Run, TargetMode
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.ringfence import DFE_RULE, Break, Term, month_and_day
from services.outcomes.rules.series import Pooled
from services.outcomes.rules.verdict import Rag
from services.outcomes.rules.years import academic_year_from, academic_year_text
from services.outcomes.schemas import AcademicYear, BreakIn, Day, Uid, Urn


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
    school_id: str
    present_urn: int | None
    phase: str
    kind: str
    pupils: int | None
    ukprn: str | None
    religious_character: str | None
    opened_on: date | None
    closed_on: date | None
    easting: int | None
    northing: int | None
    identifiers: list[dict[str, str | None]]


class TrustFacts(BaseModel):
    """The trust as the register shows it."""

    model_config = ConfigDict(from_attributes=True)

    uid: str
    name: str
    kind: str
    status: str
    companies_house_number: str | None
    ukprn: str | None
    group_id: str | None


class Baseline(BaseModel):
    """What a school achieved before a term, in the measure's unit; `reason` where that cannot be said.

    A `disclosive` one would tell of single pupils: it is for the parties, and is not published.
    """

    value: float | None
    n: int | None
    years: list[str]
    releases: list[dict[str, Any]]
    reason: str | None
    disclosive: bool = False

    def pooled(self) -> Pooled | None:
        """The baseline as the rules see it."""
        if self.value is None or self.n is None:
            return None
        years = tuple(academic_year_from(year) for year in self.years)
        return Pooled(self.value, self.n, years, tuple(str(each["id"]) for each in self.releases))


class MeasureFacts(BaseModel):
    """A measure that can be agreed, with the school's baseline and whom it would be compared with, nearest first."""

    domain: str
    title: str
    unit: str
    direction: int
    baseline: Baseline
    comparators: list[int] | None


class FactsOut(BaseModel):
    """What is known; null for a school or trust that the register does not have."""

    school: SchoolFacts | None
    trust: TrustFacts | None
    measures: dict[str, MeasureFacts]
    method: dict[str, float | str] = Field(description="How outcomes are judged: what is fixed when one is agreed")


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
    comparators: Annotated[list[int], Field(max_length=200)] | None = None

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
            comparators=tuple(self.comparators) if self.comparators is not None else None,
        )


class FollowedIn(OutcomeIn):
    """An outcome as agreed, with the share of the way to be gone by each year."""

    trajectory: Annotated[list[float], Field(min_length=1, max_length=7)] | None = None


class ContractIn(Body):
    """Whose results are looked at, for which supplier, over which days, less those on which the ring-fence rests.

    `census` is the day that decides whose a year is, as this installation is set; whoever asks leaves it out.
    """

    contract_id: Annotated[UUID, Field(strict=False)]
    school_urn: Urn
    supplier_uid: Uid
    starts_on: Day
    ends_on: Day
    breaks: Annotated[list[BreakIn], Field(max_length=100)] = []
    academic_year: AcademicYear
    census: Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$")] = DFE_RULE.census_day

    @property
    def term(self) -> Term:
        """First and last day of the contract, its breaks, and the day of the census."""
        breaks = tuple(Break(each.starts_on, each.ends_on) for each in self.breaks)
        return Term(self.starts_on, self.ends_on, breaks, month_and_day(self.census))


class Asked(ContractIn):
    """A contract to be judged as of an academic year."""

    organisation: str
    outcomes: Annotated[list[OutcomeIn], Field(min_length=1, max_length=20)]
    run: Annotated[Run, Field(strict=False)]


class EvaluationIn(Asked):
    """A contract to be judged, and who asked for it."""

    requested_by: dict[str, Any]


class RagIn(ContractIn):
    """A contract whose outcomes are followed on their way; `agreed_until` is its last day where it ended on another."""

    outcomes: Annotated[list[FollowedIn], Field(min_length=1, max_length=20)]
    agreed_until: Day | None = None

    @property
    def agreed_term(self) -> Term:
        """The term as it was agreed, over which the usual path leads to the target."""
        return replace(self.term, ends_on=self.agreed_until or self.ends_on)


class ProgressOut(BaseModel):
    """How far an outcome is from its path, in the measure's unit; grey where `reasons` say why."""

    code: str
    measure: str
    rag: Rag
    z: float | None
    expected: float | None
    actual: float | None
    n: int | None
    se: float | None
    reasons: list[str]
    releases: list[dict[str, Any]]


class RagOut(BaseModel):
    """The outcomes of a contract on their way."""

    academic_year: str
    outcomes: list[ProgressOut]


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
    reopened_by: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: Evaluation, result: dict[str, Any]) -> Self:
        """The verdict of this row, with its result as it is seen."""
        facts = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**result | facts | {"academic_year": academic_year_text(row.academic_year)})


class EvaluationPage(BaseModel):
    """The evaluations of a contract, newest first."""

    data: list[EvaluationOut]
    paging: dict[str, None]
