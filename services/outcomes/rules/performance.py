"""A trust's performance table for one academic year, three views side by side, and where each school counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.outcomes.rules.measures import MEASURES, KeyStage, Kind
from services.outcomes.rules.ringfence import (
    Membership,
    Term,
    TrustRole,
    assessed_on,
    census_on,
    full_years,
    trust_role,
)
from services.outcomes.rules.tables import ENOUGH_SCHOOLS, SUPPRESS_UP_TO, Member, TrustMeasure, pool_trust
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

ENOUGH = {View.DFE: ENOUGH_SCHOOLS, View.PLATFORM: 1, View.CONTRACTS: 1}


@dataclass(frozen=True, slots=True)
class Cell:
    """One school's result as published: a value in the measure's unit over `n` pupils, or why there is none."""

    state: ValueState
    value: float | None
    n: int | None
    n_is_proxy: bool


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


@dataclass(frozen=True, slots=True)
class Table:
    """One view: the schools in it and each measure pooled over their pupils."""

    view: View
    schools: tuple[Placed, ...]
    measures: Mapping[str, TrustMeasure]


def measures_of(key_stage: KeyStage) -> tuple[str, ...]:
    """The measures of a key stage's table, in the order of the catalogue."""
    return tuple(code for code, measure in MEASURES.items() if measure.key_stage is key_stage)


def membership_on(memberships: Iterable[Membership], day: date) -> Membership | None:
    """The membership that had begun by a day, the last of several."""
    begun = [each for each in memberships if each.joined_on <= day]
    return max(begun, key=lambda each: each.joined_on, default=None)


def placed(school: School, key_stage: KeyStage, year: int) -> Placed:
    """Where the school's results of the academic year starting in `year` count for the trust."""
    census, assessed = census_on(year), assessed_on(key_stage, year)
    membership = membership_on(school.memberships, assessed)
    role = trust_role(membership, tuple(term for _id, term in school.contracts), census, assessed)
    contract_id = None
    if role is TrustRole.RINGFENCED:
        contract_id, term = next(each for each in school.contracts if each[1].holds(assessed))
        reason = f"Under contract from {term.starts_on} to {term.ends_on}; assessed on {assessed}."
    elif membership is None or role is TrustRole.NOT_MEMBER:
        left = membership.left_on if membership else None
        reason = f"Left on {left}, before {assessed}." if left else f"Not a member on {assessed}."
    elif role is TrustRole.TRANSITION:
        reason = f"Joined on {membership.joined_on}, after the census of {census}."
    else:
        count = full_years(membership.joined_on, year)
        reason = f"Joined on {membership.joined_on}: {count} full academic year{'' if count == 1 else 's'}."
    counts = COUNTS_IN[role]
    if View.DFE in counts and not school.mainstream:
        counts, reason = (View.PLATFORM,), f"{reason} Not a mainstream school, so not in DfE's table."
    return Placed(school, role, counts, reason, contract_id)


def shown(cell: Cell | None) -> Cell:
    """A result as it may be shown: withheld where it speaks of five pupils or fewer."""
    if cell is None:
        return Cell(ValueState.NOT_PRODUCED, None, None, False)
    if cell.state is ValueState.OK and cell.n is not None and cell.n <= SUPPRESS_UP_TO:
        return Cell(ValueState.SUPPRESSED, None, None, cell.n_is_proxy)
    return cell


def performance(schools: Sequence[School], key_stage: KeyStage, year: int) -> tuple[list[Placed], dict[View, Table]]:
    """Every school with its place, by URN, and the three tables.

    A withheld result is in no pool, so that it cannot be reckoned back from the total.
    """
    places = [placed(school, key_stage, year) for school in sorted(schools, key=lambda each: each.urn)]
    tables = {}
    for view in View:
        inside = tuple(each for each in places if view in each.counts_in)
        pooled = {code: pooled_measure(inside, code, view, year) for code in measures_of(key_stage)}
        tables[view] = Table(view, inside, pooled)
    return places, tables


def pooled_measure(places: Sequence[Placed], code: str, view: View, year: int) -> TrustMeasure:
    """One measure of one view: pupils of the schools that have a result, pooled."""
    measure = MEASURES[code]
    members = []
    for each in places:
        cell = shown(each.school.results.get(code))
        if cell.value is not None and cell.n:
            membership = membership_on(each.school.memberships, assessed_on(measure.key_stage, year))
            years = full_years(membership.joined_on, year) if membership else 0
            members.append(Member(each.school.urn, cell.n, cell.value, years))
    sigma = None if measure.kind is Kind.PROPORTION else measure.pupil_sd
    return pool_trust(members, sigma, enough=ENOUGH[view])
