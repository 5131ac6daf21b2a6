"""Keeping the latest verdict on the contract."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import tell
from services.contracts.models import Contract
from services.kernel.auth import Caller


async def note_evaluation(
    session: AsyncSession, *, row: Contract, evaluation: dict[str, Any], caller: Caller, now: datetime
) -> None:
    """Keep the latest verdict on the contract, for those who decide on it; noting it twice changes nothing."""
    kept = ("id", "academic_year", "run", "overall", "score", "release_status", "vetoes", "kpi_rating", "flags")
    summary = {name: evaluation[name] for name in kept}
    summary["critical_not_met"] = evaluation["critical_not_met"]
    if row.evaluation == summary:
        return
    row.evaluation = summary
    tell(session, row, "contract.evaluated", caller, now, evaluation=summary)
