"""What evaluations do: gather evidence, judge it by the rules, keep the verdict with all that it rests on."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.events import record
from services.kernel.types import canonical_json, plain, uuid7
from services.outcomes import queries as register
from services.outcomes.evaluations import queries
from services.outcomes.evaluations.facts import source
from services.outcomes.evaluations.schemas import EvaluationIn, ProgressOut, RagIn
from services.outcomes.models import Establishment, Evaluation, Event, Release
from services.outcomes.rules.evaluation import (
    METHOD_VERSION,
    Agreed,
    ContractResult,
    MeasureResult,
    Question,
    judge,
)
from services.outcomes.rules.matching import Candidate
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.series import Pooled
from services.outcomes.rules.trajectory import follow
from services.outcomes.rules.years import academic_year_from, academic_year_text

Outcome = tuple[Agreed, Candidate, list[Candidate]]


async def follow_all(session: AsyncSession, *, body: RagIn) -> list[ProgressOut]:
    """How far each agreed outcome is from its path in an academic year."""
    row = await register.establishment(session, int(body.school_urn))
    if row is None:
        raise NotFound(f"No school with URN {body.school_urn} is in the register as ingested.")
    year, school = academic_year_from(body.academic_year), nobody(row)
    found = []
    for each in body.outcomes:
        agreed = each.agreed()
        readings = await queries.readings(session, agreed.measure.code, [year], [row.urn])
        one = replace(school, readings=readings.get(row.urn, {}))
        progress = follow(agreed, each.trajectory, one, body.term, year)
        used = [source(release) for release in await queries.releases(session, progress.releases)]
        found.append(ProgressOut(**asdict(progress) | {"releases": used, "reasons": list(progress.reasons)}))
    return found


def nobody(row: Establishment) -> Candidate:
    """A school that is looked at alone: nothing is compared with it."""
    return Candidate(row.urn, row.phase, False, False, None, (), (), (), {})


async def evaluate(session: AsyncSession, *, body: EvaluationIn, caller: Caller, now: datetime) -> Evaluation:
    """Judge a contract as of an academic year; the same question on the same data gives the verdict of before."""
    school = await register.establishment(session, int(body.school_urn))
    if school is None:
        raise NotFound(f"No school with URN {body.school_urn} is in the register as ingested.")
    year = academic_year_from(body.academic_year)
    outcomes = await evidence(session, body, school, year)
    question = Question(outcomes[0][1], body.supplier_uid, body.term, year, body.run)
    result = await asyncio.to_thread(judge, question, outcomes)
    used = await queries.releases(session, releases_of(result, outcomes))
    inputs = await asyncio.to_thread(stated_inputs, body, outcomes, used)
    await queries.lock_evaluations(session, body.contract_id)
    digest = hashlib.sha256(canonical_json(inputs)).hexdigest()
    before = await queries.same_evaluation(session, body.contract_id, year, body.run, digest)
    if before is not None:
        return before
    earlier = [each for each in await queries.evaluations(session, body.contract_id) if each.academic_year == year]
    row = Evaluation(
        id=uuid7(),
        contract_id=body.contract_id,
        academic_year=year,
        run=body.run,
        overall=result.score.overall,
        method_version=METHOD_VERSION,
        inputs_hash=digest,
        inputs=inputs,
        result=shown(result, {str(each.id): source(each) for each in used}),
        supersedes_id=next((each.id for each in earlier if each.run == body.run), None),
        requested_by=body.requested_by,
        created_at=now,
    )
    session.add(row)
    facts = {"academic_year": body.academic_year, "run": body.run, "overall": row.overall, "evaluation_id": row.id}
    record(
        session,
        Event,
        kind="evaluation.made",
        subject_id=body.contract_id,
        actor=caller.actor(),
        data={**facts, "inputs_hash": digest, "supersedes_id": row.supersedes_id},
        now=now,
    )
    await session.flush()
    return row


async def evidence(session: AsyncSession, body: EvaluationIn, school: Establishment, year: int) -> list[Outcome]:
    """Every agreed outcome with the school and all schools of its phase, as the outcome's measure shows them."""
    schools = await queries.candidates(session, school, body.starts_on)
    found = []
    for each in body.outcomes:
        agreed = each.agreed()
        before = agreed.baseline.years if agreed.baseline else ()
        years = sorted({*before, *range(body.starts_on.year - 1, year + 1)})
        readings = await queries.readings(session, agreed.measure.code, years, list(schools))
        rows = {urn: replace(one, readings=readings.get(urn, {})) for urn, one in schools.items()}
        found.append((agreed, rows.pop(school.urn), [rows[urn] for urn in sorted(rows)]))
    return found


def releases_of(result: ContractResult, outcomes: Sequence[Outcome]) -> set[str]:
    """The releases that any figure of the verdict comes from, for the school and for those it is compared with."""
    pools = [pooled for each in result.measures for pooled in (each.baseline, each.actual) if pooled]
    used = {release for pooled in pools for release in pooled.releases}
    for _agreed, school, others in outcomes:
        used.update(reading.release_id for one in (school, *others) for reading in one.readings.values())
    return used


def stated_inputs(body: EvaluationIn, outcomes: Sequence[Outcome], used: Sequence[Release]) -> dict[str, Any]:
    """All that the verdict follows from: question, own results, releases, and a digest of the schools to compare."""
    question = body.model_dump(exclude={"requested_by"})
    others = [[asdict(each) for each in rows] for _agreed, _school, rows in outcomes]
    stated: dict[str, Any] = plain(
        {
            "method_version": METHOD_VERSION,
            "question": question,
            "school": [asdict(school) for _agreed, school, _rows in outcomes],
            "releases": [{"id": row.id, "sha256": row.sha256, "values_hash": row.values_hash} for row in used],
            "schools_to_compare": {
                "count": len(outcomes[0][2]),
                "sha256": hashlib.sha256(canonical_json(others)).hexdigest(),
            },
        }
    )
    return stated


def shown(result: ContractResult, sources: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The verdict as it is shown and kept."""
    whole: dict[str, Any] = plain(
        {
            "score": result.score.score,
            "coverage": result.score.coverage,
            "kpi_rating": result.score.kpi_rating,
            "vetoes": result.score.vetoes,
            "critical_not_met": result.critical_not_met,
            "release_status": result.stage,
            "flags": result.flags,
            "measures": [shown_measure(each, sources) for each in result.measures],
        }
    )
    return whole


def shown_measure(each: MeasureResult, sources: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One outcome's verdict with its figures, in the measure's unit, and the releases of its own school."""
    own = sorted({release for pooled in (each.baseline, each.actual) if pooled for release in pooled.releases})
    measure = MEASURES[each.measure]
    return {
        **{name: getattr(each, name) for name in ("code", "measure", "status", "reasons", "weight", "critical")},
        "title": measure.title,
        "unit": measure.unit,
        "direction": measure.direction,
        "baseline": shown_pooled(each.baseline),
        "target": each.target,
        "actual": shown_pooled(each.actual),
        "actual_ci95": asdict(each.actual_interval) if each.actual_interval else None,
        "target_result": each.target_result,
        "value_result": each.value_result,
        "effect": asdict(each.effect) if each.effect else None,
        "comparators": asdict(each.match) if each.match else None,
        "release_status": each.stage,
        "releases": [sources[release] for release in own if release in sources],
        "flags": each.flags,
    }


def shown_pooled(pooled: Pooled | None) -> dict[str, Any] | None:
    """A pooled value with its pupils and years."""
    if pooled is None:
        return None
    return {"value": pooled.value, "n": pooled.n, "years": [academic_year_text(year) for year in pooled.years]}
