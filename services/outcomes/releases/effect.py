"""What a release adds to the evidence: rows that name it, and are never changed or taken away."""

from collections.abc import Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.jobs import enqueue
from services.outcomes.copies import copy_lines, copy_rows
from services.outcomes.evidence import Inspection, Judgement, TrustObservation
from services.outcomes.feeds import Kept
from services.outcomes.feeds.records import ObservationRecord, TrustObservationRecord
from services.outcomes.inspections.queries import held
from services.outcomes.models import Job, Observation, OutcomesTable, Release
from services.outcomes.rules import inspection as rules
from services.outcomes.rules.columnar import Once, column
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.statements import texts

OBSERVATION = (
    *("urn", "measure", "academic_year", "state", "value", "denominator", "raw"),
    *("measure_version", "release_id"),
)
TRUST_OBSERVATION = (
    *("trust_uid", "measure", "pupil_group", "academic_year", "state", "value", "lower", "upper", "raw"),
    *("pupils", "urns", "release_id"),
)
INSPECTION = (
    *("urn", "started_on", "framework", "concern", "safeguarding"),
    *("published_on", "number", "kind", "outcome", "listed_under"),
)
JUDGEMENT = ("release_id", "urn", "started_on", "area", "scale", "grade_code", "ordinal")
YEARLY: dict[Kept, type[OutcomesTable]] = {
    Kept.OBSERVATIONS: Observation,
    Kept.TRUST_OBSERVATIONS: TrustObservation,
}
"""The tables whose rows belong to an academic year."""


async def add(
    session: AsyncSession, kept: Kept, row: Release, records: Sequence[Any], said: Sequence[str], *, newest: bool
) -> None:
    """Add the evidence of a release; `said` is a line of text for each record, `newest` that it counts from now on."""
    if kept is Kept.OBSERVATIONS:
        await observe(session, row, records, said)
    elif kept is Kept.TRUST_OBSERVATIONS:
        await observe_trusts(session, row, records)
    elif kept is Kept.INSPECTIONS:
        await inspect(session, row, records, newest=newest)


async def observe(
    session: AsyncSession, row: Release, records: Sequence[ObservationRecord], said: Sequence[str]
) -> None:
    """Add the release's observations of schools."""
    of = Once(lambda each: f"{MEASURES[each[0]].version_in(each[1])}\t{row.id}")
    ends = map(of.__getitem__, zip(column(records, "measure"), column(records, "academic_year"), strict=True))
    whole = map("\t".join, zip(said, texts(column(records, "raw")), ends, strict=True))
    await copy_lines(session, "outcomes.observation", OBSERVATION, whole)


async def observe_trusts(session: AsyncSession, row: Release, records: Sequence[TrustObservationRecord]) -> None:
    """Add the release's observations of trusts."""
    rows = [(*each[:10], list(each.urns), row.id) for each in records]
    await copy_rows(session, TrustObservation, TRUST_OBSERVATION, rows)


async def inspect(session: AsyncSession, row: Release, records: Sequence[rules.Inspection], *, newest: bool) -> None:
    """Add the inspections that were not known, and those of which a newer release says something else.

    A monthly file names the latest inspections of each school only. So what an earlier one named stays known, and a
    file that arrives late fills gaps without taking the place of anything.
    """
    urns = None if len(records) > FEW else sorted({each.urn for each in records})
    known = {(each.urn, each.started_on): each for each, _release in await held(session, urns)}
    new = []
    for each in records:
        before = known.get((each.urn, each.started_on))
        if before is None or (newest and before != each):
            new.append(each)
    rows = [(*(getattr(each, name) for name in INSPECTION), row.id) for each in new]
    await copy_rows(session, Inspection, (*INSPECTION, "release_id"), rows)
    judged = [
        (row.id, each.urn, each.started_on, area, grade.scale, grade.code, grade.ordinal)
        for each in new
        for area, grade in each.judgements
    ]
    await copy_rows(session, Judgement, JUDGEMENT, judged)
    await enqueue(session, Job, kind="inspected", key=str(row.id))


FEW = 5_000
"""Inspections from which it is quicker to read all that are known than those of the schools named."""
