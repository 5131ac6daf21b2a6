"""Bodies of ring-fences, full memberships and trusts' performance tables."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_serializer, model_validator

from services.kernel.bodies import Answer, Body, Paging
from services.outcomes.models import RingFence
from services.outcomes.rules.measures import MEASURES, KeyStage
from services.outcomes.rules.performance import Cell, Placed, Table, View, shown
from services.outcomes.rules.ringfence import (
    DFE_RULE,
    ContractRole,
    Rule,
    Term,
    TrustRole,
    assessed_on,
    breaks_of,
    contract_role,
)
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import BreakIn, Day, TrustName, Uid

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
        term = Term(row.starts_on, row.ends_on, breaks_of(row.breaks))
        return found.model_copy(update={"series": [SeriesOut.of(term, each, year, rule) for each in JUDGED]})


class RingFencePage(BaseModel):
    """One page of ring-fences."""

    data: list[RingFenceOut]
    paging: Paging


class PooledOut(BaseModel):
    """A measure over all pupils of the schools that have it, with its 95% interval, or in `state` why there is none."""

    measure: str
    title: str
    unit: str
    state: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    schools: int
    left_out: int = Field(description="Schools whose result is not in the total, since it would tell of single pupils")


class ResultOut(BaseModel):
    """One school's result as published, or in `state` why there is none; `n_is_proxy`: pupils by the census."""

    state: ValueState
    value: float | None
    n: int | None
    n_is_proxy: bool

    @classmethod
    def of(cls, cell: Cell) -> Self:
        """The result as it may be shown."""
        return cls(state=cell.state, value=cell.value, n=cell.n, n_is_proxy=cell.n_is_proxy)


class MemberOut(BaseModel):
    """A school in a view, with its own results."""

    urn: str
    name: str
    contract_id: UUID | None
    results: dict[str, ResultOut]


class ViewOut(BaseModel):
    """A table made from the schools named in it and from no other."""

    title: str
    schools: int
    measures: list[PooledOut]
    members: list[MemberOut]


class PlaceOut(BaseModel):
    """Where one school's results of the year count for the trust, and why."""

    urn: str
    name: str
    role: TrustRole
    counts_in: list[View]
    reason: str
    contract_id: UUID | None


class RuleOut(Answer):
    """Which results count for the trust: DfE's rule as far as it is published, and matters of policy."""

    version: str
    census: str = Field(description="Month and day on which membership is asked for", examples=["09-12"])
    full_years: int
    schools: int = Field(description="So many are needed for the view of DfE")
    time_weighting: str
    count_contract_years: bool
    carry_over: bool = Field(
        description="Whether exams after the end of a contract, up to 31 August, are kept apart too"
    )

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """The rule as it is shown."""
        return cls.model_validate({**asdict(rule), "census": f"{rule.census[0]:02}-{rule.census[1]:02}"})


class PerformanceOut(BaseModel):
    """A trust's results of one year, in views that share no contracted school, and the place of every school."""

    trust: TrustName
    academic_year: str
    key_stage: KeyStage
    census_on: date
    assessed_on: date
    rule: RuleOut
    views: dict[View, ViewOut]
    reconciliation: list[PlaceOut]
    releases: list[dict[str, Any]]


TITLES = {
    View.DFE: "As DfE counts: three full years in the trust, three schools at least",
    View.PLATFORM: "All full members",
    View.CONTRACTS: "Under contract: kept apart from the other views",
}


def view_out(table: Table) -> ViewOut:
    """A view with its measures and members."""
    measures = []
    for code, pooled in table.measures.items():
        facts = {name: getattr(pooled, name) for name in ("state", "value", "low", "high", "schools")}
        n = pooled.n if pooled.value is not None else None
        facts |= {"title": MEASURES[code].title, "unit": MEASURES[code].unit, "left_out": table.left_out[code]}
        measures.append(PooledOut(measure=code, n=n, **facts))
    members = [
        MemberOut(
            urn=str(each.school.urn),
            name=each.school.name,
            contract_id=each.contract_id,
            results={code: ResultOut.of(shown(each.school, code)) for code in table.measures},
        )
        for each in table.schools
    ]
    return ViewOut(title=TITLES[table.view], schools=len(members), measures=measures, members=members)


def performance_out(
    trust: dict[str, Any],
    key_stage: KeyStage,
    year: int,
    places: list[Placed],
    tables: dict[View, Table],
    releases: list[dict[str, Any]],
    rule: Rule,
) -> PerformanceOut:
    """The tables as they are shown."""
    return PerformanceOut(
        trust=TrustName(uid=trust["uid"], name=trust["name"]),
        academic_year=academic_year_text(year),
        key_stage=key_stage,
        census_on=rule.census_on(year),
        assessed_on=assessed_on(key_stage, year),
        rule=RuleOut.of(rule),
        views={view: view_out(table) for view, table in tables.items()},
        reconciliation=[
            PlaceOut(
                urn=str(each.school.urn),
                name=each.school.name,
                role=each.role,
                counts_in=list(each.counts_in),
                reason=each.reason,
                contract_id=each.contract_id,
            )
            for each in places
        ],
        releases=releases,
    )
