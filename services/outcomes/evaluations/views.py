"""What a verdict must not tell of the schools that it compares with, whose results are not all for everybody."""

from collections.abc import Collection, Mapping, Set
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.outcomes import queries as register
from services.outcomes.disclosure import Result, needed_beside, seen_whole, telling
from services.outcomes.evaluations import queries
from services.outcomes.models import Evaluation
from services.outcomes.rules.years import academic_year_from

Years = Mapping[int, Collection[int]]
"""Academic years by URN."""
FIGURES = ("baseline", "outcome", "baseline_n", "outcome_n", "pre_change")


async def told_years(
    session: AsyncSession, row: Evaluation, measures: Collection[str], urns: Collection[int], caller: Caller
) -> dict[str, dict[int, set[int]]]:
    """For each measure the academic years, by URN, of which a caller who does not see all may be told the results.

    Schools of which the caller sees every result are left out: there is nothing to keep from it.
    """
    others = set(urns) - await seen_whole(session, urns, caller)
    if not others:
        return {}
    rolls = {each.urn: each.pupils for each in await register.establishments(session, sorted(others))}
    found: dict[int, dict[tuple[str, int], Result]] = {urn: {} for urn in others}
    for urn, each in await queries.known(session, others, {*measures, *needed_beside(measures)}, row.releases):
        found[urn][each.measure, each.academic_year] = each
    hidden = {urn: telling(results, results, rolls.get(urn)) for urn, results in found.items()}
    return {
        code: {
            urn: {year for measure, year in results.keys() - hidden[urn] if measure == code}
            for urn, results in found.items()
        }
        for code in measures
    }


async def guarded(session: AsyncSession, row: Evaluation, caller: Caller) -> dict[str, Any]:
    """The result of a verdict as the caller may see it.

    Comparators stay named, without figures where any year that went into these may not be told: what is pooled, less
    the years that are told, would tell of the one that is not.
    """
    judged = [each for each in row.result["measures"] if each["comparators"]]
    urns = {other["urn"] for each in judged for other in each["comparators"]["comparators"]}
    told = await told_years(session, row, {each["measure"] for each in judged}, urns, caller)
    measures = [shown(each, told.get(each["measure"], {})) for each in row.result["measures"]]
    return row.result | {"measures": measures}


def shown(judged: dict[str, Any], told: Years) -> dict[str, Any]:
    """An outcome's verdict without the figures of those comparators of which not all years may be told."""
    match = judged["comparators"]
    if not match:
        return judged
    pooled = [judged[name]["years"] for name in ("baseline", "actual") if judged[name]]
    hidden = untold({academic_year_from(year) for years in pooled for year in years}, told)
    nothing = dict.fromkeys(FIGURES) | {"withheld": True}
    others = [each | nothing if each["urn"] in hidden else each for each in match["comparators"]]
    return judged | {"comparators": match | {"comparators": others}}


def untold(years: Set[int], told: Years) -> frozenset[int]:
    """The comparators of an outcome of which not all of the years that went into their figures may be told."""
    return frozenset(urn for urn, may in told.items() if not years <= set(may))
