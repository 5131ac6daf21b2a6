"""Keeping the latest verdict on the contract."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.awards.service import award
from services.contracts.events import tell
from services.contracts.models import Contract
from services.contracts.performance import queries
from services.contracts.performance.service import assess
from services.contracts.rules.awards import of_no_term, too_early
from services.kernel.auth import Caller


async def note_evaluation(
    session: AsyncSession, *, row: Contract, evaluation: dict[str, Any], caller: Caller, now: datetime
) -> None:
    """Keep the latest verdict on the contract, for those who decide on it; noting it twice changes nothing.

    An interim verdict does not take the place of a final one, nor that of an earlier year the place of a later one's.
    Each is an assessment of the supplier's performance; the one that counts moves the payments for outcomes. One that
    comes too early to judge counts as none: the terms can still be varied, and the next verdict takes its place. Nor
    does one on a year that is none of the term, unless the contract has ended without another.
    """
    kept = ("id", "academic_year", "run", "overall", "score", "release_status", "vetoes", "kpi_rating", "flags")
    summary = {name: evaluation[name] for name in kept}
    summary["critical_not_met"] = evaluation["critical_not_met"]
    summary["critical"] = {each["code"]: each["status"] for each in evaluation["measures"] if each["critical"]}
    if await queries.assessed(session, row.id, UUID(summary["id"])):
        return
    measures = evaluation["measures"]
    counts = row.evaluation is None or weight(summary) >= weight(row.evaluation)
    if too_early(measures) or (of_no_term(measures) and (row.evaluation is not None or row.ended_on is None)):
        counts = False
    if counts:
        row.evaluation = summary
    await tell(session, row, "contract.evaluated", caller, now, evaluation=summary)
    await assess(session, row=row, evaluation=evaluation, caller=caller, now=now)
    if counts:
        await award(session, row=row, evaluation=evaluation, caller=caller, now=now)


def weight(summary: dict[str, Any]) -> tuple[bool, str]:
    """How much a verdict counts beside another: a final one more, then that on a later year."""
    return summary["run"] == "final", summary["academic_year"]
