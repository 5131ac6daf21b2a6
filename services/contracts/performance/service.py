"""Assessing a supplier, giving it a chance to improve, and finding that it did not."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import Finding, KpiAssessment
from services.contracts.events import tell
from services.contracts.models import Contract
from services.contracts.performance import queries
from services.contracts.performance.schemas import AssessmentIn, FoundIn, OpportunityIn
from services.contracts.rules import performance
from services.contracts.rules.awards import too_early
from services.contracts.rules.life import ROLES, MoveNotAllowed, NotTheirMove, Role, Status, check_in_force
from services.contracts.rules.terms import BadTerms
from services.kernel.auth import Caller
from services.kernel.types import london_date

BEGUN = frozenset(Status) - {Status.DRAFT, Status.OFFERED, Status.AGREED, Status.CANCELLED}
"""Statuses in which a supplier's performance can be assessed: from the first day of the term on."""


def check_commissioner(caller: Caller) -> None:
    """Raise unless the caller acts for the commissioner, to whom the supplier answers."""
    if ROLES[caller.kind] is not Role.COMMISSIONER:
        raise NotTheirMove("A supplier's performance is for the commissioner to assess.")


async def assess(
    session: AsyncSession, *, row: Contract, evaluation: dict[str, Any], caller: Caller, now: datetime
) -> KpiAssessment:
    """An evaluation is an assessment too: its ratings, measure by measure and overall (METHOD.md 4.1)."""
    start, end = year_of(evaluation["academic_year"])
    return await keep(
        session,
        row=row,
        period=(start, end),
        rating=performance.in_words(evaluation["kpi_rating"]),
        explanation=why_other(evaluation),
        measures=[
            {"code": each["code"], "rating": performance.RATING_OF[each["status"]].value}
            for each in evaluation["measures"]
        ],
        evaluation_id=UUID(evaluation["id"]),
        caller=caller,
        now=now,
    )


def why_other(evaluation: dict[str, Any]) -> str | None:
    """Why an evaluation rates nothing; None where it does."""
    if evaluation["overall"] != "not_measurable":
        return None
    early = "It is too early: the first of several years is not judged by itself, nor are provisional results finally."
    return early if too_early(evaluation["measures"]) else "The published results do not say."


async def assess_by_hand(
    session: AsyncSession, *, row: Contract, body: AssessmentIn, caller: Caller, now: datetime
) -> KpiAssessment:
    """An assessment without results: what can be said is said in words."""
    check_commissioner(caller)
    if row.status not in BEGUN:
        raise MoveNotAllowed(f"A contract that is {row.status} has no performance yet.", status_now=row.status)
    first, last = body.period_starts_on, body.period_ends_on
    if last < first or first < row.starts_on or first > london_date(now):
        words = "The period ends after it begins, and begins in the term and not in the future."
        raise BadTerms(words, errors=[{"pointer": "/period_starts_on"}])
    return await keep(
        session,
        row=row,
        period=(first, last),
        rating=performance.Rating.OTHER,
        explanation=body.explanation,
        measures=[],
        evaluation_id=None,
        caller=caller,
        now=now,
    )


async def keep(
    session: AsyncSession,
    *,
    row: Contract,
    period: tuple[date, date],
    rating: performance.Rating,
    explanation: str | None,
    measures: list[dict[str, Any]],
    evaluation_id: UUID | None,
    caller: Caller,
    now: datetime,
) -> KpiAssessment:
    """Write an assessment."""
    made = KpiAssessment(
        contract_id=row.id,
        number=len(await queries.assessments(session, [row.id])) + 1,
        assessed_on=london_date(now),
        period_starts_on=period[0],
        period_ends_on=period[1],
        rating=rating,
        explanation=explanation,
        basis=performance.kpi_basis(row.legal_route, row.value_pence, row.entered_on),
        measures=measures,
        evaluation_id=evaluation_id,
        recorded_at=now,
    )
    session.add(made)
    await tell(session, row, "kpi.assessed", caller, now, number=made.number, rating=rating.value)
    return made


def year_of(academic_year: str) -> tuple[date, date]:
    """First and last day of an academic year such as 2023/24."""
    start = date(int(academic_year[:4]), 9, 1)
    return start, start.replace(year=start.year + 1) - timedelta(days=1)


async def open_opportunity(
    session: AsyncSession, *, row: Contract, body: OpportunityIn, caller: Caller, now: datetime
) -> Finding:
    """Give the supplier a proper opportunity to improve."""
    check_commissioner(caller)
    check_in_force(Status(row.status))
    performance.check_opportunity(body.opened_on, body.closes_on)
    facts = {"opened_on": body.opened_on, "closes_on": body.closes_on, "details": body.details}
    kind = performance.FindingKind.IMPROVEMENT_OPPORTUNITY
    return await note(session, row=row, kind=kind, event="improvement.opened", facts=facts, caller=caller, now=now)


async def find_poor(session: AsyncSession, *, row: Contract, body: FoundIn, caller: Caller, now: datetime) -> Finding:
    """Find that the supplier did not perform, after it had been given the opportunity to improve."""
    check_commissioner(caller)
    if body.found_on > london_date(now):
        raise BadTerms("A finding cannot be dated in the future.", errors=[{"pointer": "/found_on"}])
    given = [
        (each.number, each.closes_on)
        for each in await queries.findings(session, [row.id])
        if each.kind == performance.FindingKind.IMPROVEMENT_OPPORTUNITY and each.closes_on is not None
    ]
    performance.check_finding(given, body.opportunity, body.found_on)
    facts = {"opened_on": body.found_on, "opportunity": body.opportunity, "details": body.details}
    kind = performance.FindingKind.POOR_PERFORMANCE
    return await note(session, row=row, kind=kind, event="poor_performance.found", facts=facts, caller=caller, now=now)


async def note(
    session: AsyncSession,
    *,
    row: Contract,
    kind: performance.FindingKind,
    event: str,
    facts: dict[str, Any],
    caller: Caller,
    now: datetime,
) -> Finding:
    """Write a finding."""
    number = len(await queries.findings(session, [row.id])) + 1
    made = Finding(contract_id=row.id, number=number, kind=kind, recorded_at=now, **facts)
    session.add(made)
    await tell(session, row, event, caller, now, number=number)
    return made
