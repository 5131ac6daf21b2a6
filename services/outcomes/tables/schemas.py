"""Bodies of ring-fences, full memberships and trusts' performance tables."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_serializer

from services.kernel.bodies import Answer, Body, Paging
from services.outcomes.models import RingFence
from services.outcomes.rules.measures import MEASURES, KeyStage
from services.outcomes.rules.performance import Cell, Placed, Table, View, shown
from services.outcomes.rules.ringfence import TrustRole, assessed_on, census_on
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import BreakIn, Day, TrustName, Uid

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
    """A school that joins a trust on a day; `new_urn` where it reopens under another URN."""

    contract_id: Annotated[UUID, Field(strict=False)]
    school_urn: UrnNumber
    trust_uid: Uid
    effective_on: Day
    new_urn: UrnNumber | None = None


class FullMembershipOut(BaseModel):
    """What the transfer led to: the academic years from which results count for the trust."""

    transfer_id: UUID
    contract_id: UUID
    urn: str
    trust_uid: str
    effective_on: date
    first_platform_year: str
    first_dfe_year: str


class RingFenceOut(Answer):
    """A term during which a school's results are kept apart from the supplier's tables; both days belong to it."""

    contract_id: UUID
    school_urn: int
    supplier_uid: str
    starts_on: date
    ends_on: date
    breaks: list[dict[str, date | None]] = Field(description="Days, first and last, on which the ring-fence rests")
    opened_at: datetime
    closed_on: date | None
    closed_reason: str | None

    @field_serializer("school_urn")
    def urn(self, value: int) -> str:
        """A URN is a name, so it is text on the wire."""
        return str(value)

    @classmethod
    def of(cls, row: RingFence) -> Self:
        """The ring-fence of this row."""
        return cls.model_validate(row)


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


class ResultOut(BaseModel):
    """One school's result as published, or in `state` why there is none; `n_is_proxy`: pupils by the census."""

    state: ValueState
    value: float | None
    n: int | None
    n_is_proxy: bool

    @classmethod
    def of(cls, cell: Cell | None) -> Self:
        """The result as it may be shown."""
        found = shown(cell)
        return cls(state=found.state, value=found.value, n=found.n, n_is_proxy=found.n_is_proxy)


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


class PerformanceOut(BaseModel):
    """A trust's results of one year, in views that share no contracted school, and the place of every school."""

    trust: TrustName
    academic_year: str
    key_stage: KeyStage
    census_on: date
    assessed_on: date
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
        measures.append(PooledOut(measure=code, title=MEASURES[code].title, unit=MEASURES[code].unit, n=n, **facts))
    members = [
        MemberOut(
            urn=str(each.school.urn),
            name=each.school.name,
            contract_id=each.contract_id,
            results={code: ResultOut.of(each.school.results.get(code)) for code in table.measures},
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
) -> PerformanceOut:
    """The tables as they are shown."""
    return PerformanceOut(
        trust=TrustName(uid=trust["uid"], name=trust["name"]),
        academic_year=academic_year_text(year),
        key_stage=key_stage,
        census_on=census_on(year),
        assessed_on=assessed_on(key_stage, year),
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
