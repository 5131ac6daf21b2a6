"""The list of schools by need, reckoned once for what counts at present."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import queries as register
from services.outcomes.columns import Source, sources
from services.outcomes.inspections import queries as inspections
from services.outcomes.inspections.queries import Held
from services.outcomes.needs import estimates, facts, queries, schemas
from services.outcomes.needs.queries import Named
from services.outcomes.panels import Panel, panel
from services.outcomes.registers import Version
from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.inspection import Inspection
from services.outcomes.rules.population import Bools
from services.outcomes.rules.targeting import REASONS, THRESHOLDS, Component, Facts, Needs, need_rank, tier
from services.outcomes.rules.years import academic_year_text
from services.outcomes.schemas import ReleaseName

LISTS = 32
"""Lists kept by a process; that of all primary schools takes some 30 MB."""


class Wanted(NamedTuple):
    """What a list is known by: it changes with what counts, and with the day."""

    phase: str
    region: str | None
    la_code: str | None
    on: date
    register: Version
    counting: tuple[Source, ...]
    inspected: UUID | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The schools of a phase in a place, and the releases that the list comes from."""

    schools: tuple[schemas.NeedOut, ...]
    releases: frozenset[UUID]


KEPT: OrderedDict[Wanted, Ranking] = OrderedDict()


async def listed(
    session: AsyncSession, *, phases: Sequence[str], region: str | None, la_code: str | None, on: date
) -> tuple[list[schemas.NeedOut], list[ReleaseName]]:
    """Every open mainstream school of these phases there, by tier, chance to be in the worst tenth, and need.

    It is the same for every reader: it is reckoned from nothing that may not be told.
    """
    found: list[schemas.NeedOut] = []
    used: set[UUID] = set()
    for phase in phases:
        made = await ranking(session, phase, region, la_code, on)
        found.extend(made.schools)
        used |= made.releases
    releases = [ReleaseName.of(each) for each in await register.releases(session, used)]
    return sorted(found, key=urgency), releases


def urgency(school: schemas.NeedOut) -> tuple[int, float, float, str]:
    """The order of the list; where there is nothing to rank by, that of URNs within each tier."""
    return school.tier, -(school.p_worst_decile or 0.0), -(school.need or 0.0), school.urn


async def ranking(session: AsyncSession, phase: str, region: str | None, la_code: str | None, on: date) -> Ranking:
    """The list of a phase in a place; reckoned when it is first asked for."""
    schools = await panel(session, phase, estimates.ASKED[estimates.PHASES[phase]].measures)
    counting, last = await sources(session), await queries.last_inspected(session)
    wanted = Wanted(phase, region, la_code, on, schools.register.version, counting, last)
    if wanted not in KEPT:
        names = await queries.named(session, schools.register.urns.tolist())
        held = await inspections.held(session) if last else []
        KEPT[wanted] = await asyncio.to_thread(ranked, schools, wanted, names, held)
    KEPT.move_to_end(wanted)
    while len(KEPT) > LISTS:
        KEPT.popitem(last=False)
    return KEPT[wanted]


def ranked(schools: Panel, wanted: Wanted, names: Mapping[int, Named], held: Sequence[Held]) -> Ranking:
    """Tiers, need and places; figures are set beside those of all England, places are given in the place asked for."""
    key_stage = estimates.PHASES[wanted.phase]
    inspected = by_place(schools, held)
    count = len(schools.register.urns)
    parts, years = estimates.components(schools, key_stage, estimates.ages(count, inspected, wanted.on))
    among = chosen(schools, names, wanted)
    places = np.flatnonzero(among).tolist()
    needs = need_rank(parts, among=among) if parts and places else None
    known = facts.facts(schools, key_stage, inspected)
    whole = sum(THRESHOLDS.weights[each.name] for each in parts)
    shares = {each.name: each.share(THRESHOLDS.weights[each.name] / whole) for each in parts}
    why = {each.name: estimates.reasons(schools, key_stage, each.name) for each in parts}
    stands_in = estimates.protected(schools, key_stage)
    where = schemas.AmongOut(phase=wanted.phase, region=wanted.region, la_code=wanted.la_code, schools=len(places))
    rows = [
        schemas.NeedOut(
            **names[int(schools.register.urns[place])]._asdict() | {"urn": str(schools.register.urns[place])},
            phase=wanted.phase,
            key_stage=key_stage,
            **told(known[place]),
            **placed(needs, at),
            parts={
                each.name: part(
                    each,
                    place,
                    shares[each.name],
                    years[each.name],
                    why[each.name][place],
                    protected=bool(stands_in[each.name][place]),
                )
                for each in parts
            },
            among=where,
        )
        for at, place in enumerate(places)
    ]
    used = {UUID(each) for code in estimates.ASKED[key_stage].measures for each in used_of(schools, code)}
    return Ranking(tuple(rows), frozenset(used | {each.release_id for each in held}))


def used_of(schools: Panel, code: str) -> frozenset[str]:
    """The releases of the years that a measure is pooled over."""
    seen = schools.observed[code]
    return schools.releases(code, estimates.pooled(seen).years) if seen.years else frozenset()


def by_place(schools: Panel, held: Sequence[Held]) -> dict[int, list[Inspection]]:
    """The inspections of every school through all of its lives."""
    found: dict[int, list[Inspection]] = {}
    for each, _release in held:
        for urn in (each.urn, each.listed_under):
            place = schools.register.place_of.get(urn) if urn is not None else None
            if place is not None:
                found.setdefault(place, []).append(each)
                break
    return found


def chosen(schools: Panel, names: Mapping[int, Named], wanted: Wanted) -> Bools:
    """The open mainstream schools of the place asked for."""
    rows = [names[urn] for urn in schools.register.urns.tolist()]
    there = [
        (wanted.region is None or each.region == wanted.region)
        and (wanted.la_code is None or each.la_code == wanted.la_code)
        for each in rows
    ]
    found: Bools = schools.register.open & schools.register.mainstream & np.array(there, dtype=np.bool_)
    return found


def told(known: Facts) -> dict[str, object]:
    """The tier with its rule, and the rules that could not be asked."""
    urgent, rule = tier(known)
    asked = {
        "special_measures": known.concern,
        "stuck": known.stuck,
        "low_attainment": known.low_attainment,
        "low_progress": known.low_progress,
        "below_limits": known.below_limits,
        "falling": known.falling,
    }
    lacking = [name for name, value in asked.items() if value is None]
    return {"tier": int(urgent), "rule": rule, "reason": REASONS[rule], "not_known": lacking}


def placed(needs: Needs | None, at: int) -> dict[str, object]:
    """Need and place of the school at a place of those ranked."""
    if needs is None:
        return dict.fromkeys(("need", "expected_rank", "rank_low", "rank_high", "p_worst_decile"))
    return {
        "need": round(float(needs.need[at]), 6),
        "expected_rank": round(float(needs.ranks.expected[at]), 1),
        "rank_low": int(needs.ranks.low[at]),
        "rank_high": int(needs.ranks.high[at]),
        "p_worst_decile": round(float(needs.ranks.first_tenth[at]), 4),
    }


def part(
    each: Component, place: int, shares: Floats, years: Sequence[int], why: str, *, protected: bool
) -> schemas.PartOut:
    """A part of a school's need."""
    value, n, imputed = float(each.values[place]), float(each.pupils[place]), bool(each.imputed[place])
    return schemas.PartOut(
        value=None if math.isnan(value) else round(value, 4),
        n=None if math.isnan(n) or n == 0 or imputed else int(n),
        years=[academic_year_text(year) for year in years],
        estimate=round(float(each.means[place]), 4),
        share=round(float(shares[place]), 6),
        imputed=imputed,
        protected=protected,
        missing=why if imputed else None,
    )
