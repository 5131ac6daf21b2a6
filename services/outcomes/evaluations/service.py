"""What evaluations do: gather evidence, judge it by the rules, keep the verdict with all that it rests on."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.events import record
from services.kernel.types import uuid7
from services.outcomes import queries as register
from services.outcomes.evaluations import queries
from services.outcomes.evaluations.schemas import Asked, EvaluationIn, ProgressOut, RagIn
from services.outcomes.evaluations.verdicts import Inputs, SourceRelease, Verdict, evidence_on, inputs_of, reach
from services.outcomes.inspections import queries as inspections
from services.outcomes.models import Evaluation, Event
from services.outcomes.panels import Panel, panel
from services.outcomes.registers import phases
from services.outcomes.rules.trajectory import follow, usual_path
from services.outcomes.rules.years import academic_year_from

log = structlog.get_logger("ringfence.evaluations")


class NotInRegister(NotFound):
    """No establishment has this URN."""

    code = "not_in_register"
    title = "No such school in the register"


async def panel_of(session: AsyncSession, urn: str, measures: Sequence[str]) -> Panel:
    """The school with all of its phase; raises a 404 when the register does not have it."""
    phase = (await phases(session, [int(urn)])).get(int(urn))
    if phase is None:
        raise NotInRegister(f"No school with URN {urn} is in the register as ingested.")
    return await panel(session, phase, measures)


async def follow_all(session: AsyncSession, *, body: RagIn) -> list[ProgressOut]:
    """How far each agreed outcome is from its path in an academic year."""
    schools = await panel_of(session, body.school_urn, [each.measure for each in body.outcomes])
    year, place, found = academic_year_from(body.academic_year), schools.register.place_of[int(body.school_urn)], []
    for each in body.outcomes:
        agreed = each.agreed()
        readings = schools.observed[agreed.measure.code].readings(place, [year])
        path = each.trajectory or usual_path(agreed.measure, body.agreed_term)
        progress = follow(agreed, path, readings, body.term, year)
        rows = await register.releases(session, progress.releases)
        used = [SourceRelease.model_validate(row).shown() for row in rows]
        found.append(ProgressOut(**asdict(progress) | {"releases": used, "reasons": list(progress.reasons)}))
    return found


async def evaluate(session: AsyncSession, *, body: EvaluationIn, caller: Caller, now: datetime) -> Evaluation:
    """Judge a contract as of an academic year; the same question on the same data gives the verdict of before."""
    verdict = await judge(session, body)
    return await keep(session, verdict=verdict, asked_by=body.requested_by, reopened_by=None, caller=caller, now=now)


async def judge(session: AsyncSession, asked: Asked) -> Verdict:
    """The verdict on a contract by what counts now."""
    schools = await panel_of(session, asked.school_urn, [each.measure for each in asked.outcomes])
    evidence, used = await asyncio.to_thread(evidence_on, schools, asked)
    inspected = await inspections.until(session, int(asked.school_urn), academic_year_from(asked.academic_year))
    used |= {str(each.release_id) for each in inspected}
    releases = await register.releases(session, used)
    return reach(inputs_of(asked, evidence, [each.inspection for each in inspected], releases))


async def keep(
    session: AsyncSession,
    *,
    verdict: Verdict,
    asked_by: dict[str, Any],
    reopened_by: UUID | None,
    caller: Caller,
    now: datetime,
) -> Evaluation:
    """Keep a verdict beside those of before, which it takes the place of; none takes the place of the same one.

    One that was replaced may come again, when what counts now is what counted before.
    """
    asked, digest = verdict.inputs.question, verdict.inputs.hash()
    question = asked.contract_id, academic_year_from(asked.academic_year), asked.run
    await queries.lock_evaluations(session, asked.contract_id)
    before = await queries.latest_evaluation(session, *question)
    if before is not None and before.inputs_hash == digest:
        return before
    row = Evaluation(
        id=uuid7(),
        contract_id=asked.contract_id,
        academic_year=question[1],
        run=asked.run,
        overall=verdict.overall,
        method_version=verdict.inputs.method_version,
        inputs_hash=digest,
        inputs=verdict.inputs.model_dump(mode="json"),
        result=verdict.result,
        releases=[each.id for each in verdict.inputs.releases],
        supersedes_id=before.id if before else None,
        reopened_by=reopened_by,
        requested_by=asked_by,
        created_at=now,
    )
    session.add(row)
    facts = {"academic_year": asked.academic_year, "run": asked.run, "overall": row.overall, "evaluation_id": row.id}
    linked = {"inputs_hash": digest, "supersedes_id": row.supersedes_id, "reopened_by": reopened_by}
    record(
        session,
        Event,
        kind="evaluation.made",
        subject_id=asked.contract_id,
        actor=caller.actor(),
        data=facts | linked,
        now=now,
    )
    await session.flush()
    return row


async def reopen(
    session: AsyncSession, *, evaluation_ids: Sequence[UUID], by: UUID, caller: Caller, now: datetime
) -> None:
    """Judge again what these verdicts answered, by what counts now; the old ones stay as they were.

    Where the school has left the register there is nothing to judge it by, and its verdict stands.
    """
    for row in await queries.these(session, evaluation_ids):
        try:
            verdict = await judge(session, Inputs.model_validate(row.inputs).question)
        except NotInRegister as gone:
            log.warning("verdict not reopened", evaluation_id=str(row.id), release_id=str(by), reason=gone.detail)
            continue
        await keep(session, verdict=verdict, asked_by=caller.actor(), reopened_by=by, caller=caller, now=now)


async def differing(evaluations: Sequence[Evaluation]) -> list[UUID]:
    """Those of these verdicts that, reached again from what they stored, are not what was stored with them."""
    found = []
    for row in evaluations:
        inputs = Inputs.model_validate(row.inputs)
        again = await asyncio.to_thread(reach, inputs)
        if (inputs.hash(), again.overall, again.result) != (row.inputs_hash, row.overall, row.result):
            found.append(row.id)
    return found
