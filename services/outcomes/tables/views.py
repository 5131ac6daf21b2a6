"""Trusts' performance tables as they are shown: three views side by side, and where every school counts."""

from dataclasses import asdict
from datetime import date
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.kernel.bodies import Answer
from services.outcomes.rules.measures import MEASURES, KeyStage
from services.outcomes.rules.performance import Cell, Placed, Table, View, shown
from services.outcomes.rules.ringfence import Rule, TrustRole, assessed_on
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import TrustName


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


class InViewOut(BaseModel):
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
    members: list[InViewOut]


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
        return cls.model_validate({**asdict(rule), "census": rule.census_day})


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
        InViewOut(
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
