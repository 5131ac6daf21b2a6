"""Giving notice, ending by agreement, and handing the school's affairs back."""

from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.calls import Facts
from services.contracts.events import tell
from services.contracts.models import Contract
from services.contracts.rules import termination
from services.contracts.rules.life import ROLES, Move, MoveNotAllowed, Role, Status, moved
from services.contracts.rules.terms import BadTerms
from services.contracts.terminations.schemas import HandedBackIn, TerminationIn
from services.kernel.auth import Caller
from services.kernel.errors import Forbidden
from services.kernel.types import london_date, plain


class NotTheirHandBack(Forbidden):
    """The hand-back is confirmed by who takes the school's affairs back, or by the commissioner."""

    code = "not_your_move"
    title = "Another party does this"


def check(row: Contract, body: TerminationIn, facts: Facts, caller: Caller, today: date) -> dict[str, Any]:
    """The notice as it is kept, once it is sure that this party may give it now; raises the rules' errors."""
    role = ROLES[caller.kind]
    moved(Status(row.status), Move.TERMINATE, role)
    ends_on = body.ends_on or today
    points = [date.fromisoformat(day) for day in row.break_points]
    leaving = termination.Terms(row.notice_days, points, row.ends_on)
    termination.check_notice(body.ground, role, leaving, today, ends_on)
    noted = date.fromisoformat(row.termination["ends_on"]) if row.termination else None
    termination.check_earlier(ends_on, noted)
    open_school = facts.school is not None and facts.school.status != "closed"
    if body.ground is termination.Ground.SCHOOL_CLOSED and open_school:
        raise termination.SchoolStillOpen("The register shows the school, or its successor, as open.")
    if body.hand_back is not None and body.hand_back.due_on < ends_on:
        pointer = [{"pointer": "/hand_back/due_on"}]
        raise BadTerms("What is handed back is handed back after the last day.", errors=pointer)
    found: dict[str, Any] = plain({**body.model_dump(), "ends_on": ends_on, "notified_on": today, "by": role})
    return found


async def hand_back(
    session: AsyncSession, *, row: Contract, body: HandedBackIn, caller: Caller, now: datetime
) -> Contract:
    """The responsible body, or the commissioner, confirms that the school's affairs are back."""
    if ROLES[caller.kind] not in {Role.RESPONSIBLE_BODY, Role.COMMISSIONER}:
        raise NotTheirHandBack("The hand-back is for the responsible body or the commissioner to confirm.")
    kept = (row.termination or {}).get("hand_back")
    if row.status != Status.TERMINATED or kept is None or "done_on" in kept:
        raise MoveNotAllowed("There is no hand-back that waits to be confirmed.", status_now=row.status)
    if body.done_on > london_date(now):
        raise BadTerms("A hand-back cannot be dated in the future.", errors=[{"pointer": "/done_on"}])
    row.termination = {**(row.termination or {}), "hand_back": {**kept, **plain(body.model_dump())}}
    await tell(session, row, "hand_back.done", caller, now, done_on=body.done_on)
    return row
