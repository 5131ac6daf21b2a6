"""What is drawn: gathered from what a verdict stored, so that the same verdict always gives the same picture.

The tables of the trust are read as they stand, under the role that cannot read evaluations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.db import Database
from services.kernel.errors import NotFound
from services.outcomes.evaluations.queries import these
from services.outcomes.evaluations.verdicts import Inputs, question_of
from services.outcomes.evaluations.views import Years, told_years, untold
from services.outcomes.models import Evaluation
from services.outcomes.plots import queries
from services.outcomes.plots.schemas import PlotIn
from services.outcomes.rules.intervals import Interval
from services.outcomes.rules.matching import ENOUGH_PUPILS
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.performance import View, performance
from services.outcomes.rules.plots.balance import balance
from services.outcomes.rules.plots.changes import changes
from services.outcomes.rules.plots.figure import Figure
from services.outcomes.rules.plots.funnel import funnel
from services.outcomes.rules.plots.portfolio import Judged, portfolio
from services.outcomes.rules.plots.rag import rag
from services.outcomes.rules.plots.school import school
from services.outcomes.rules.plots.subject import Actual, Added, Source, Subject, gap
from services.outcomes.rules.plots.synthetic import synthetic
from services.outcomes.rules.plots.trust import trust
from services.outcomes.rules.ringfence import Rule
from services.outcomes.rules.series import last_place, recovered
from services.outcomes.rules.tables import TrustMeasure
from services.outcomes.rules.trajectory import usual_path
from services.outcomes.rules.years import academic_year_from, academic_year_text
from services.outcomes.tables.queries import schools as members_of
from services.pictures import Plot

STORED = {Plot.CHANGES: changes, Plot.FUNNEL: funnel, Plot.RAG: rag, Plot.BALANCE: balance}
"""The pictures that follow from the verdict alone."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the performance tables are read, under their own role, by which rule they count, and for whom."""

    database: Database
    rule: Rule
    caller: Caller


class UnknownOutcome(NotFound):
    """The evaluation judged no outcome with this code."""

    code = "unknown_outcome"
    title = "No such outcome in this evaluation"


def subject_of(row: Evaluation, asked: PlotIn) -> Subject:
    """The outcome that a picture is of; raises UnknownOutcome for a code that the verdict does not have."""
    inputs = Inputs.model_validate(row.inputs)
    codes = [each.code for each in inputs.question.outcomes]
    code = asked.outcome or codes[0]
    if code not in codes:
        raise UnknownOutcome(f"The evaluation judged {', '.join(codes)}; ask for one of these.")
    at, question = codes.index(code), question_of(inputs.question)
    result, agreed = row.result["measures"][at], inputs.question.outcomes[at].agreed()
    way = asked.trajectories.get(code)
    if not way and asked.agreed_until:
        way = list(usual_path(agreed.measure, replace(question.term, ends_on=asked.agreed_until)))
    return Subject(
        contract=printable(asked.contract),
        school=printable(asked.school),
        supplier=printable(asked.supplier),
        term=question.term,
        year=question.year,
        run=question.run,
        method_version=inputs.method_version,
        agreed=agreed,
        trajectory=tuple(way) if way else None,
        gathered=inputs.evidence[at],
        status=result["status"],
        reasons=tuple(result["reasons"]),
        target=result["target"],
        actual=actual_of(result),
        effect=added_of(result["effect"]),
        stage=result["release_status"],
        sources=tuple(
            Source(str(each.id), each.feed, each.release_status, each.published_on) for each in inputs.releases
        ),
    )


def printable(name: str) -> str:
    """A name without the signs that no picture can hold."""
    return "".join(each if each.isprintable() else " " for each in name)


def actual_of(result: Mapping[str, Any]) -> Actual | None:
    """What was achieved, as the verdict has it."""
    found, ends = result["actual"], result["actual_ci95"]
    if found is None or ends is None:
        return None
    return Actual(found["value"], found["n"], tuple(map(academic_year_from, found["years"])), Interval(**ends))


def added_of(effect: Mapping[str, Any] | None) -> Added | None:
    """The added value, as the verdict has it."""
    if effect is None:
        return None
    return Added(effect["tau"], effect["se"], Interval(**effect["ci95"]), effect["p_rank"], effect["k"])


async def figure(
    session: AsyncSession, *, plot: Plot, row: Evaluation, asked: PlotIn, tables: Tables
) -> tuple[Subject, Figure]:
    """The picture asked for, and what it is of."""
    subject = subject_of(row, asked)
    if plot is Plot.TRUST:
        return subject, trust(subject, *await views(tables, row, subject))
    if plot is Plot.PORTFOLIO:
        return subject, portfolio(subject, await judged(session, row, subject, asked))
    urns = [each.urn for each in subject.gathered.match.comparators]
    code = subject.measure.code
    told = (await told_years(session, row, [code], urns, tables.caller)).get(code, {})
    pooled = [each.years for each in (subject.agreed.baseline, subject.actual) if each]
    subject = replace(subject, untold=untold({year for years in pooled for year in years}, told))
    if plot in STORED:
        return subject, STORED[plot](subject)
    own, others = await series(session, row, subject, told)
    if plot is Plot.SYNTHETIC:
        return subject, synthetic(subject, own, others)
    years = {year for found in others.values() for year in found}
    return subject, school(subject, {year: [each[year] for each in others.values() if year in each] for year in years})


Series = dict[int, float]


async def series(
    session: AsyncSession, row: Evaluation, subject: Subject, told: Years
) -> tuple[Series, dict[int, Series]]:
    """Results year by year, in the measure's unit: the school's, and its comparators' by URN.

    Only those of eleven pupils or more, and of the schools in `told` only these years. Where the table does not tell
    how many, those of the comparator by the census stand in, of which there were as many in every year compared.
    """
    urn, measure = int(row.inputs["question"]["school_urn"]), subject.measure
    urns = [each.urn for each in subject.gathered.match.comparators]
    stored = {year: each for year, each in subject.gathered.readings.items() if gap(year, each) is None}
    before = min(subject.gathered.readings, default=subject.year)
    found: dict[int, Series] = {}
    for each in exact(measure, await queries.yearly(session, measure.code, [urn, *urns], row.releases, before)):
        enough = each.pupils is None or each.pupils >= ENOUGH_PUPILS
        if enough and each.year in told.get(each.urn, (each.year,)):
            found.setdefault(each.urn, {})[each.year] = each.value
    own = {year: value for year, value in found.get(urn, {}).items() if year < before}
    own |= {year: each.value for year, each in stored.items() if each.value is not None}
    return own, {other: found[other] for other in urns if other in found and other != urn}


def exact(measure: Measure, results: Sequence[queries.Result]) -> list[queries.Result]:
    """Published results as exact as the method reckons with them."""
    values = np.array([each.value for each in results], dtype=np.float64)
    pupils = np.array([each.pupils or 0 for each in results], dtype=np.int64)
    halves = np.array([last_place(measure, each.decimals) for each in results], dtype=np.float64)
    found, _halves = recovered(measure, values, pupils, pupils == 0, halves)
    return [each._replace(value=value) for each, value in zip(results, found.tolist(), strict=True)]


async def views(tables: Tables, row: Evaluation, subject: Subject) -> tuple[dict[View, TrustMeasure], list[Source]]:
    """The three views of the supplier in the year judged, and the releases that its tables are made from."""
    measure = subject.measure
    async with tables.database.transaction(tables.caller) as session:
        uid = row.inputs["question"]["supplier_uid"]
        schools, releases = await members_of(session, uid, measure.key_stage, subject.year)
    _places, found = performance(schools, measure.key_stage, subject.year, tables.rule)
    named = ("release_id", "feed", "release_status", "published_on")
    return (
        {view: table.measures[measure.code] for view, table in found.items()},
        [Source(str(each[named[0]]), *(each[name] for name in named[1:])) for each in releases],
    )


async def judged(session: AsyncSession, row: Evaluation, subject: Subject, asked: PlotIn) -> list[Judged]:
    """The effects on the same measure of the contracts named; of the contract itself, this verdict's."""
    named = {each.evaluation_id: each for each in asked.beside}
    found = []
    if subject.effect:
        own = subject.effect.tau, subject.effect.se
        year = academic_year_text(subject.year)
        found.append(Judged(subject.contract, subject.school, year, str(subject.stage), *own, this=True))
    for other in await these(session, list(named)):
        of = [each for each in other.result["measures"] if each["measure"] == subject.measure.code and each["effect"]]
        if of and other.contract_id != row.contract_id:
            effect, name = of[0]["effect"], named[other.id]
            year, stage = academic_year_text(other.academic_year), of[0]["release_status"]
            contract, school = printable(name.contract), printable(name.school)
            found.append(Judged(contract, school, year, stage, effect["tau"], effect["se"]))
    return found
