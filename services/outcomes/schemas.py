"""Bodies of the register, as clients see them at the gateway."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.kernel.bodies import Answer, Body, Paging
from services.outcomes.models import Release
from services.outcomes.rules.measures import Domain, KeyStage, Kind, Measure
from services.outcomes.rules.releases import Stage
from services.outcomes.schools import Establishment, EstablishmentLink, Membership, Trust

Day = Annotated[date, Field(strict=False)]
Urn = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", description="Unique reference number", examples=["135816"])]
Uid = Annotated[str, Field(pattern=r"^[0-9]{1,10}$", description="GIAS group UID of a trust", examples=["2059"])]
MeasureCode = Annotated[str, Field(pattern=r"^[A-Z0-9_]{3,40}$", examples=["ABS_PA"])]
AcademicYear = Annotated[
    str, Field(pattern=r"^[0-9]{4}/[0-9]{2}$", description="Such as 2023/24", examples=["2023/24"])
]


class BreakIn(Body):
    """Days, first and last, on which the ring-fence rests; without a last one it still does."""

    starts_on: Day
    ends_on: Day | None


class TrustName(Answer):
    """A trust, named."""

    uid: str
    name: str


class IdentifierOut(Answer):
    """An identifier of a school for a time; `valid_to` is the first day on which it no longer holds."""

    scheme: str
    value: str
    valid_from: date | None
    valid_to: date | None
    source: str


class SuccessionOut(BaseModel):
    """The establishment that came before, or after, and how the register words the link."""

    urn: str
    name: str | None
    status: str | None
    kind: str
    established_on: date | None

    @classmethod
    def of(cls, urn: int, link: EstablishmentLink, other: Establishment | None) -> Self:
        """The other side of this link."""
        return cls(
            urn=str(urn),
            name=other.name if other else None,
            status=other.status if other else None,
            kind=link.kind,
            established_on=link.established_on,
        )


class MembershipOut(Answer):
    """A time in a trust; `inferred` means that a snapshot of the register showed it and no date was published."""

    trust_uid: str
    joined_on: date
    joined_inferred: bool
    left_on: date | None
    left_inferred: bool
    source: str


class SchoolSummary(BaseModel):
    """A school in a list: one legal life of it, as GIAS has it."""

    urn: str
    name: str
    status: str
    phase: str
    kind: str
    kind_group: str
    region: str
    la_code: str
    la_name: str
    trust_uid: str | None = Field(description="The trust that the school is a member of now")
    opened_on: date | None
    closed_on: date | None

    @classmethod
    def of(cls, row: Establishment, trust_uid: str | None, **more: Any) -> Self:
        """The school of this row, present member of this trust."""
        facts = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls.model_validate({**facts, "urn": str(row.urn), "trust_uid": trust_uid, **more})


class SchoolOut(SchoolSummary):
    """A school with all that the register says. A closed one leads to its successors."""

    school_id: UUID = Field(description="Stays the same when a school gets a new URN")
    establishment_number: str | None
    laestab: str | None
    ukprn: str | None
    admissions: str | None
    religious_character: str | None
    pupils: int | None
    town: str | None
    postcode: str | None
    trust: TrustName | None
    memberships: list[MembershipOut]
    predecessors: list[SuccessionOut]
    successors: list[SuccessionOut]
    identifiers: list[IdentifierOut]


class TrustSummary(Answer):
    """A trust in a list, as GIAS has it."""

    uid: str
    group_id: str | None
    name: str
    kind: str
    companies_house_number: str | None
    ukprn: str | None
    status: str
    opened_on: date | None
    closed_on: date | None


class MemberOut(BaseModel):
    """A present member of a trust; name and phase where the establishment is known."""

    urn: str
    name: str | None
    phase: str | None
    status: str | None
    joined_on: date
    joined_inferred: bool

    @classmethod
    def of(cls, row: Membership, school: Establishment | None) -> Self:
        """The member of this row."""
        return cls(
            urn=str(row.urn),
            name=school.name if school else None,
            phase=school.phase if school else None,
            status=school.status if school else None,
            joined_on=row.joined_on,
            joined_inferred=row.joined_inferred,
        )


class TrustOut(TrustSummary):
    """A trust with its present members."""

    members: list[MemberOut]

    @classmethod
    def of(cls, row: Trust, members: list[MemberOut]) -> Self:
        """The trust of this row."""
        return cls(**TrustSummary.model_validate(row).model_dump(), members=members)


class MeasureOut(Answer):
    """A measure as DfE defines it: `direction` +1 where more is better, -1 where less is."""

    code: str
    version: str
    title: str
    kind: Kind
    domain: Domain
    key_stage: KeyStage
    direction: int
    unit: str
    rounding_half_width: float

    @classmethod
    def of(cls, measure: Measure) -> Self:
        """The measure of the catalogue."""
        return cls.model_validate(measure)


class ReleaseName(BaseModel):
    """The release that an observation came from."""

    id: UUID
    number: int
    feed: str
    status: Stage = Field(description="Provisional, revised or final")
    published_on: date

    @classmethod
    def of(cls, row: Release) -> Self:
        """The release of this row."""
        facts = {name: getattr(row, name) for name in ("id", "number", "feed", "published_on")}
        return cls(status=Stage(row.release_status), **facts)


class SchoolPage(BaseModel):
    """One page of schools."""

    data: list[SchoolSummary]
    paging: Paging


class TrustPage(BaseModel):
    """One page of trusts."""

    data: list[TrustSummary]
    paging: Paging


class MeasurePage(BaseModel):
    """The whole catalogue."""

    data: list[MeasureOut]
    paging: Paging
