"""Suspending a contract and letting it go on."""

from datetime import date, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts import queries
from services.contracts.events import tell
from services.contracts.models import Contract, Job
from services.contracts.payments.effect import forfeit, let_go, stopped
from services.contracts.payments.service import earn_by_clock, earn_milestones, move_fees
from services.contracts.rules import suspension
from services.contracts.rules.claims import Finding
from services.contracts.rules.life import ROLES, Move, Status, moved
from services.contracts.rules.milestones import MilestoneStatus
from services.contracts.service import await_end
from services.contracts.suspensions.schemas import SuspensionIn, SuspensionResolutionIn
from services.kernel.auth import Caller
from services.kernel.jobs import enqueue
from services.kernel.types import london_date, plain


async def suspend(
    session: AsyncSession, *, row: Contract, body: SuspensionIn, caller: Caller, now: datetime
) -> Contract:
    """Let the contract rest from today on."""
    after = moved(Status(row.status), Move.SUSPEND, ROLES[caller.kind])
    suspension.check_stops(suspension.Stops(**body.stops.model_dump()))
    row.status, row.reason_code = after, "suspended"
    since = london_date(now).isoformat()
    row.suspension = {"reason": body.reason, "since": since, "stops": body.stops.model_dump()}
    await tell(session, row, "contract.suspended", caller, now, reason=body.reason, stops=body.stops.model_dump())
    await await_end(session, row)
    if body.stops.ring_fence:
        await enqueue(session, Job, kind="ring_fence", key=str(row.id))
    return row


async def resume(session: AsyncSession, *, row: Contract, reason: str, caller: Caller, now: datetime) -> Contract:
    """Let the contract go on from today on: what had stopped begins again."""
    row.status, today = moved(Status(row.status), Move.RESUME, ROLES[caller.kind]), london_date(now)
    rest = row.suspension or {}
    since, stops = date.fromisoformat(rest["since"]), rest["stops"]
    row.reason_code, row.suspension = None, None
    if stops["clock"]:
        await move_dates(session, row, since, today)
    if stops["ring_fence"] and since < today:
        last = today - timedelta(days=1)
        row.fence_breaks = [*row.fence_breaks, [since.isoformat(), last.isoformat()]]
    facts = {"reason": reason, "since": since, "ends_on": row.ends_on}
    await tell(session, row, "contract.resumed", caller, now, **facts)
    if stops["payments"]:
        await earn_milestones(session, row=row, on=today, caller=caller, now=now)
        await enqueue(session, Job, kind="award", key=str(row.id))
    await earn_by_clock(session, row=row, caller=caller, now=now)
    await enqueue(session, Job, kind="remind", key=str(row.id))
    await await_end(session, row)
    if stops["clock"] or stops["ring_fence"]:
        await enqueue(session, Job, kind="ring_fence", key=str(row.id))
    return row


async def resolve(
    session: AsyncSession, *, row: Contract, body: SuspensionResolutionIn, caller: Caller, now: datetime
) -> Contract:
    """The contract ended while payments were stopped: what waits since then can be earned, or never will be."""
    suspension.check_resolution(ROLES[caller.kind], ended=row.ended_on is not None, stopped=stopped(row))
    today = london_date(now)
    facts = {"finding": body.finding, "reason": body.reason}
    row.suspension = {**(row.suspension or {}), "resolution": plain({**facts, "decided_on": today})}
    if body.finding is Finding.PAYABLE:
        await let_go(session, row=row)
    await tell(session, row, "contract.suspension_resolved", caller, now, **facts)
    if body.finding is Finding.PAYABLE:
        await earn_milestones(session, row=row, on=today, caller=caller, now=now)
    else:
        await forfeit(session, row=row, on=today, caller=caller, now=now)
    await enqueue(session, Job, kind="award", key=str(row.id))
    return row


async def move_dates(session: AsyncSession, row: Contract, since: date, today: date) -> None:
    """The clock stood still: the end and what is undecided move on by the days of rest."""
    milestones = await queries.milestones(session, [row.id])
    undecided = {each.code: each for each in milestones if each.status == MilestoneStatus.SCHEDULED}
    due = {code: each.due_on for code, each in undecided.items()}
    found = suspension.resumed(suspension.Dates(row.ends_on, due), since, today, row.latest_ends_on)
    row.ends_on = found.ends_on
    for code, each in undecided.items():
        each.due_on = found.due[code]
    await move_fees(session, row=row, since=since, days=(today - since).days)
