"""Bodies of ring-fences and full memberships."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_serializer, model_validator

from services.kernel.bodies import Answer, Body, Paging
from services.outcomes.models import RingFence
from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.ringfence import DFE_RULE, ContractRole, Rule, Term, assessed_on, breaks_of, contract_role
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import BreakIn, Day, Uid

JUDGED = (KeyStage.KS2, KeyStage.KS4, KeyStage.ABSENCE)
UrnNumber = Annotated[int, Field(ge=100_000, le=999_999)]


class RingFenceIn(Body):
    """A contract's school, supplier and days; both days belong to the term, and breaks do not count."""

    school_urn: UrnNumber
    supplier_uid: Uid
    organisation: Annotated[str, Field(max_length=100)]
    starts_on: Day
    ends_on: Day
    breaks: Annotated[list[BreakIn], Field(max_length=100)] = []


class FullMembershipIn(Body):
    """A school that joins a trust on a day; `new_urn` and `new_laestab` where it goes on under others."""

    transfer_id: Annotated[UUID, Field(strict=False)]
    contract_id: Annotated[UUID, Field(strict=False)]
    school_urn: UrnNumber
    trust_uid: Uid
    effective_on: Day
    new_urn: UrnNumber | None = None
    new_laestab: Annotated[str, Field(pattern=r"^[0-9]{7}$", description="DfE number")] | None = None

    @model_validator(mode="after")
    def another(self) -> Self:
        """A new URN is another one than the old."""
        if self.new_urn == self.school_urn:
            raise ValueError("new_urn must not be the present URN")
        return self


class FullMembershipOut(BaseModel):
    """What the transfer led to: the academic years from which results count for the trust."""

    transfer_id: UUID
    contract_id: UUID
    urn: str
    trust_uid: str
    effective_on: date
    first_platform_year: str
    first_dfe_year: str


class SeriesOut(BaseModel):
    """The results of one key stage in one year, and what they are to the contract and to the supplier's tables.

    A part of a year is kept apart, but neither rated nor paid.
    """

    academic_year: str
    key_stage: KeyStage
    census_on: date
    assessed_on: date = Field(description="The day that decides: first day of tests or exams, last day of absence")
    contract_role: ContractRole
    kept_apart: bool = Field(description="Whether they count in no table of the supplier but that of its contracts")

    @classmethod
    def of(cls, term: Term, key_stage: KeyStage, year: int, rule: Rule) -> Self:
        """The series of a year under a contract of this term."""
        census, assessed = rule.census_on(year), assessed_on(key_stage, year)
        role = contract_role(term, census, assessed)
        return cls(
            academic_year=academic_year_text(year),
            key_stage=key_stage,
            census_on=census,
            assessed_on=assessed,
            contract_role=role,
            kept_apart=rule.keeps_apart(term, assessed),
        )


class RingFenceOut(Answer):
    """A term during which a school's results are kept apart from the supplier's tables; both days belong to it.

    With an academic year asked for, `series` says of each key stage what its results are.
    """

    contract_id: UUID
    school_urn: int
    supplier_uid: str
    starts_on: date
    ends_on: date
    breaks: list[dict[str, date | None]] = Field(description="Days, first and last, on which the ring-fence rests")
    opened_at: datetime
    closed_on: date | None
    closed_reason: str | None
    series: list[SeriesOut] | None = None

    @field_serializer("school_urn")
    def urn(self, value: int) -> str:
        """A URN is a name, so it is text on the wire."""
        return str(value)

    @classmethod
    def of(cls, row: RingFence, year: int | None = None, rule: Rule = DFE_RULE) -> Self:
        """The ring-fence of this row, with its series of an academic year where one is asked for."""
        found = cls.model_validate(row)
        if year is None:
            return found
        term = Term(row.starts_on, row.ends_on, breaks_of(row.breaks), rule.census)
        return found.model_copy(update={"series": [SeriesOut.of(term, each, year, rule) for each in JUDGED]})


class RingFencePage(BaseModel):
    """One page of ring-fences."""

    data: list[RingFenceOut]
    paging: Paging
