"""Verdicts as they are seen: marked where they would tell of single pupils of their school, and of no other's."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.disclosure import Results
from services.outcomes.evaluations import queries
from services.outcomes.models import Evaluation
from services.outcomes.rules.agreement import names_only
from services.outcomes.rules.matching import Comparator
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.suppression import Count, total_tells
from services.outcomes.rules.years import academic_year_from


async def seen(session: AsyncSession, row: Evaluation) -> dict[str, Any]:
    """The result of a verdict with what was achieved marked as `disclosive`, or not, as agreed baselines are.

    One by an early method has no figures of comparators, some of which would tell of single pupils there. All this is
    so when it is shown: what is stored, and its hash, do not know of it.
    """
    judged, question = row.result["measures"], row.inputs["question"]
    parts = {whole for each in judged if each["actual"] and (whole := MEASURES[each["measure"]].part_of)}
    wholes = await queries.known(session, int(question["school_urn"]), parts, row.releases) if parts else {}
    found = []
    for each, agreed, evidence in zip(judged, question["outcomes"], row.inputs["evidence"], strict=True):
        baseline, actual = each["baseline"], each["actual"]
        if baseline:
            baseline = baseline | {"disclosive": agreed["baseline"].get("disclosive", False)}
        if actual:
            actual = actual | {"disclosive": tells(each["measure"], actual["years"], evidence["readings"], wholes)}
        match = without_figures(each["comparators"]) if names_only(row.method_version) else each["comparators"]
        found.append(each | {"baseline": baseline, "actual": actual, "comparators": match})
    return row.result | {"measures": found}


def without_figures(match: dict[str, Any] | None) -> dict[str, Any] | None:
    """The match that names its comparators and says nothing more of them."""
    nothing = {field.name: None for field in fields(Comparator)}
    return match and match | {"comparators": [nothing | {"urn": each["urn"]} for each in match["comparators"]]}


def tells(code: str, years: list[str], readings: Mapping[str, Any], wholes: Results) -> bool:
    """Whether what these years add up to would tell of single pupils to whoever knows what is published of them."""
    measure, counts = MEASURES[code], []
    for year in map(academic_year_from, years):
        own, whole = readings[str(year)], wholes.get((measure.part_of or "", year))
        beside = () if whole is None or own["n_is_proxy"] or not whole.denominator else (whole.value, whole.denominator)
        counts.append(Count(own["value"], own["n"], *beside))
    return total_tells(measure, counts)
