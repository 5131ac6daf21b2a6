"""A trust's performance table for one academic year, three views side by side, and where each school counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

import numpy as np

from services.outcomes.rules.measures import MEASURES, KeyStage, Measure
from services.outcomes.rules.ringfence import (
    DFE_RULE,
    Membership,
    Rule,
    Term,
    TrustRole,
    assessed_on,
    full_years,
    trust_role,
)
from services.outcomes.rules.series import last_place, recovered
from services.outcomes.rules.suppression import Count, fit, poolable
from services.outcomes.rules.tables import PLAIN, Member, TrustMeasure, counted_together, pool_trust
from services.outcomes.rules.values import ValueState


class View(StrEnum):
    """Which schools a table is made from."""

    DFE = "dfe"
    PLATFORM = "platform"
    CONTRACTS = "contracts"


COUNTS_IN: dict[TrustRole, tuple[View, ...]] = {
    TrustRole.RINGFENCED: (View.CONTRACTS,),
    TrustRole.TRANSITION: (),
    TrustRole.NOT_MEMBER: (),
    TrustRole.DFE_ELIGIBLE: (View.DFE, View.PLATFORM),
    TrustRole.LOCAL_ONLY: (View.PLATFORM,),
}
"""No result is in the contracts view and in another view of the same trust (METHOD.md 2.2)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One school's result as published: a value in the measure's unit over `n` pupils, or why there is none.

    `decimals` are the places after the point to which it was published, None where the catalogue says it.
    """

    state: ValueState
    value: float | None
    n: int | None
    n_is_proxy: bool
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class School:
    """A school that is or was in the trust, or that the trust is contracted for."""

    urn: int
    name: str
    mainstream: bool
    memberships: tuple[Membership, ...]
    contracts: tuple[tuple[UUID, Term], ...]
    results: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a school's results of the year count, and why."""

    school: School
    role: TrustRole
    counts_in: tuple[View, ...]
    reason: str
    contract_id: UUID | None
    full_years: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """One view: the schools in it, each measure pooled over their pupils, and how many results are in no total."""

    view: View
    schools: tuple[Placed, ...]
    measures: Mapping[str, TrustMeasure]
    left_out: Mapping[str, int]


def measures_of(key_stage: KeyStage) -> tuple[str, ...]:
    """The measures of a key stage's table, in the order of the catalogue."""
    return tuple(code for code, measure in MEASURES.items() if measure.key_stage is key_stage)


def membership_on(memberships: Iterable[Membership], day: date) -> Membership | None:
    """The membership that had begun by a day, the last of several."""
    begun = [each for each in memberships if each.joined_on <= day]
    return max(begun, key=lambda each: each.joined_on, default=None)


def placed(school: School, key_stage: KeyStage, year: int, rule: Rule = DFE_RULE) -> Placed:
    """Where the school's results of the academic year starting in `year` count for the trust."""
    census, assessed = rule.census_on(year), assessed_on(key_stage, year)
    membership = membership_on(school.memberships, assessed)
    terms = tuple(term for _id, term in school.contracts)
    role = trust_role(membership, terms, census, assessed, rule)
    contract_id, years = None, 0
    if role is TrustRole.RINGFENCED:
        contract_id, term = next(each for each in school.contracts if rule.keeps_apart(each[1], assessed))
        reason = f"Under contract from {term.starts_on} to {term.ends_on}; assessed on {assessed}."
    elif membership is None or role is TrustRole.NOT_MEMBER:
        left = membership.left_on if membership else None
        reason = f"Left on {left}, before {assessed}." if left else f"Not a member on {assessed}."
    elif role is TrustRole.TRANSITION:
        reason = f"Joined on {membership.joined_on}, after the census of {census}."
    else:
        years = full_years(rule.counted_from(membership, terms), year, rule.census)
        reason = f"Joined on {membership.joined_on}: {years} full academic year{'' if years == 1 else 's'}."
    counts = COUNTS_IN[role]
    if View.DFE in counts and not school.mainstream:
        counts, reason = (View.PLATFORM,), f"{reason} Not a mainstream school, so not in DfE's table."
    return Placed(school, role, counts, reason, contract_id, years)


def shown(school: School, code: str) -> Cell:
    """A result as it may be shown: withheld where it would tell of single pupils."""
    cell = school.results.get(code)
    if cell is None:
        return Cell(ValueState.NOT_PRODUCED, None, None, False)
    count = counted(school, code)
    if count is not None and not fit(MEASURES[code], [count]):
        return Cell(ValueState.SUPPRESSED, None, None, cell.n_is_proxy)
    return cell


def counted(school: School, code: str) -> Count | None:
    """A result over its pupils, beside that of all pupils where it is about a group; None where there is none.

    Pupils of the census stand in for those of a whole table, never for those of a group.
    """
    cell, measure = school.results.get(code), MEASURES[code]
    if cell is None or cell.value is None or not cell.n:
        return None
    whole = school.results.get(measure.part_of) if measure.part_of and not cell.n_is_proxy else None
    if whole is None or whole.n_is_proxy:
        return Count(cell.value, cell.n)
    return Count(cell.value, cell.n, whole.value, whole.n)


def performance(
    schools: Sequence[School], key_stage: KeyStage, year: int, rule: Rule = DFE_RULE
) -> tuple[list[Placed], dict[View, Table]]:
    """Every school with its place, by URN, and the three tables."""
    places = [placed(school, key_stage, year, rule) for school in sorted(schools, key=lambda each: each.urn)]
    tables = {}
    for view in View:
        inside = tuple(each for each in places if view in each.counts_in)
        pooled = {code: pooled_measure(inside, code, view, year, rule) for code in measures_of(key_stage)}
        totals = {code: total for code, (total, _left_out) in pooled.items()}
        tables[view] = Table(view, inside, totals, {code: left_out for code, (_total, left_out) in pooled.items()})
    return places, tables


def pooled_measure(
    places: Sequence[Placed], code: str, view: View, year: int, rule: Rule = DFE_RULE
) -> tuple[TrustMeasure, int]:
    """One measure of one view, pupils pooled; and how many results are left out, since the total would tell of them.

    Results that are withheld count where they are told of together only (`suppression.poolable`): those in DfE's view,
    and those that the view of all members has more. A contracted school is in other tables too, so the total of
    contracts holds none that is withheld; nor does one in which schools weigh otherwise than by their pupils, which
    beside the plain one would tell how withheld results are made up.
    """
    measure = MEASURES[code]
    found = {each.school.urn: count for each in places if (count := counted(each.school, code)) is not None}
    told = {each.school.urn for each in places if shown(each.school, code).state is ValueState.OK}
    dfe = {each.school.urn for each in places if View.DFE in each.counts_in}
    open_ = {urn: count for urn, count in found.items() if urn in told}
    atoms = [
        {urn: count for urn, count in found.items() if urn not in told and (urn in dfe) is inside}
        for inside in (True, False)
    ]
    kept = poolable(measure, open_, () if view is View.CONTRACTS or rule.time_weighting != PLAIN else atoms)
    members = []
    for each in places:
        if (count := kept.get(each.school.urn)) is not None:
            value, off = exact(measure, each.school.results[code])
            members.append(Member(each.school.urn, count.n, value, each.full_years, off))
    enough = rule.schools if view is View.DFE else 1
    if measure.unit == "pupils":
        return counted_together(members, enough), len(found) - len(kept)
    sigma = None if measure.unit == "percent" else measure.over((year,)).pupil_sd
    return pool_trust(members, sigma, rule.time_weighting, enough), len(found) - len(kept)


def exact(measure: Measure, cell: Cell) -> tuple[float, float]:
    """The value to pool, and how far it may be off by rounding: the percentage behind a rounded one, where only one
    count of pupils can round to it.
    """
    half = np.array([last_place(measure, cell.decimals)])
    one = np.array([cell.value]), np.array([cell.n]), np.array([cell.n_is_proxy]), half
    [value], [off] = recovered(measure, *one)
    return float(value), float(off)
