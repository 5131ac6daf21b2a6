"""Bodies of the register of suppliers."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.contracts.register import Supplier, SupplierMatter
from services.contracts.rules.suppliers import MatterKind, Phase, SupplierStatus
from services.contracts.rules.track_record import INTERVAL, Records, TrackRecord
from services.contracts.schemas import Day, Urn
from services.kernel.bodies import Answer, Body, Code, LongText, Paging, Text


def each_once(values: list[Any]) -> list[Any]:
    """Raise ValueError for a list that names something twice."""
    names = [getattr(value, "code", value) for value in values]
    if len(set(names)) < len(names):
        raise ValueError("each of them once")
    return values


class ProvenMethod(Body):
    """Something that the supplier does to improve a school, under the code that contracts name it by."""

    code: Code
    title: Text
    description: LongText | None = None


class SupplierIn(Body):
    """What a trust can carry at once, for which schools, and how it works; who it is comes from GIAS."""

    max_contracts: Annotated[int, Field(ge=0, le=1000, description="At most so many contracts on one day")]
    max_pupils: Annotated[int, Field(ge=0, le=1_000_000, description="At most so many pupils in their schools")]
    phases: Annotated[
        list[Annotated[Phase, Field(strict=False)]],
        Field(min_length=1, max_length=len(Phase)),
        AfterValidator(each_once),
    ]
    interventions: Annotated[list[ProvenMethod], Field(max_length=50), AfterValidator(each_once)] = []


class MatterIn(Body):
    """Something that stands against a supplier; a conflict of interest may be about one school only."""

    kind: Annotated[MatterKind, Field(strict=False)]
    school_urn: Urn | None = None
    details: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
    raised_on: Day

    @model_validator(mode="after")
    def about_a_school(self) -> Self:
        """A concern is about the trust as a whole."""
        if self.school_urn is not None and self.kind is MatterKind.CONCERN:
            raise ValueError("only a conflict is about one school")
        return self


class ResolutionIn(Body):
    """How a matter was resolved, and when."""

    resolution: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
    resolved_on: Day


class PriorOut(Answer):
    """What is expected of a supplier of whom nothing is known."""

    mean: float = Field(description="Share of contracts met, over all suppliers")
    strength: float = Field(description="Worth so many contracts")


class TrackRecordOut(Answer):
    """Contracts by verdict, and the share of success that they let expect: the more verdicts, the narrower."""

    contracts: int = Field(description="All that were agreed, whatever became of them")
    met: int
    partly_met: int
    not_met: int
    not_measurable: int
    running: int
    estimate: float = Field(description="Expected share of contracts met, a part met counting half")
    low: float
    high: float
    interval: float = Field(description="The probability that lies between low and high")
    prior: PriorOut

    @classmethod
    def of(cls, record: TrackRecord) -> Self:
        """The record of the rules, to four places."""
        counts = ("contracts", "met", "partly_met", "not_met", "not_measurable", "running")
        figures = {name: round(getattr(record, name), 4) for name in ("estimate", "low", "high")}
        return cls(
            **{name: getattr(record.tally, name) for name in counts},
            **figures,
            interval=INTERVAL,
            prior=PriorOut(mean=round(record.prior.mean, 4), strength=record.prior.strength),
        )


class ProvenMethodOut(BaseModel):
    """A method, with what became of the supplier's contracts that named it."""

    code: str
    title: str
    description: str | None
    evidence: TrackRecordOut


class SuspensionOut(Answer):
    """Why a supplier is kept from new contracts, and since when."""

    reason: str
    since: date


class SupplierOut(BaseModel):
    """A trust on the register: who it is, what it can carry, how it works, and what it has achieved."""

    uid: str
    id: UUID
    version: int
    status: SupplierStatus
    suspension: SuspensionOut | None
    name: str
    group_id: str | None
    ukprn: str | None
    companies_house_number: str | None
    max_contracts: int
    max_pupils: int
    phases: list[Phase]
    interventions: list[ProvenMethodOut]
    track_record: TrackRecordOut
    registered_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Supplier, records: Records) -> Self:
        """The entry of this row, with what all records say of it."""
        alike = cls.model_fields.keys() - {"interventions", "track_record"}
        methods = [
            ProvenMethodOut(**each, evidence=TrackRecordOut.of(records.of(row.uid, each["code"])))
            for each in row.interventions
        ]
        return cls(
            **{name: getattr(row, name) for name in alike},
            interventions=methods,
            track_record=TrackRecordOut.of(records.of(row.uid)),
        )


class SupplierPage(BaseModel):
    """A page of the register."""

    data: list[SupplierOut]
    paging: Paging


class MatterOut(BaseModel):
    """A matter and what became of it."""

    id: UUID
    supplier_uid: str
    kind: MatterKind
    school_urn: str | None
    details: str
    raised_on: date
    raised_by: dict[str, Any]
    resolved_on: date | None
    resolution: str | None
    resolved_by: dict[str, Any] | None

    @classmethod
    def of(cls, row: SupplierMatter) -> Self:
        """The matter of this row."""
        urn = None if row.school_urn is None else str(row.school_urn)
        alike = cls.model_fields.keys() - {"school_urn"}
        return cls(**{name: getattr(row, name) for name in alike}, school_urn=urn)


class MatterPage(BaseModel):
    """A page of matters, oldest first."""

    data: list[MatterOut]
    paging: Paging
