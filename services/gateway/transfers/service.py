"""What people do with a transfer as a whole: set its day, put it on hold, take it up again, give it up."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.joining import EffectiveDay, Transfer
from services.gateway.rules.transfer import (
    ROLES,
    Decision,
    Move,
    NotOnHold,
    Status,
    blocking,
    check_effective_date,
    check_way_back,
    moved,
)
from services.gateway.transfers.effect import check_again, decisions, past_return, schedule_if_ready, tell, wake
from services.gateway.transfers.schemas import EffectiveDateIn
from services.kernel.auth import Caller
from services.kernel.types import london_date, plain


async def set_effective_date(
    session: AsyncSession, *, row: Transfer, body: EffectiveDateIn, caller: Caller, now: datetime
) -> Transfer:
    """Set, change or confirm the day, for a reason that is kept."""
    check_effective_date(body.effective_on, london_date(now))
    check_way_back(row.status != Status.COMPLETED and await past_return(session, row))
    role = ROLES[caller.kind]
    moved(Status.SCHEDULED if row.status == Status.PROPOSED else Status(row.status), Move.SCHEDULE, role)
    row.effective_on, row.confirmed = body.effective_on, body.confirmed
    session.add(EffectiveDay(transfer_id=row.id, recorded_at=now, recorded_by=caller.actor(), **body.model_dump()))
    facts = {"effective_on": body.effective_on, "confirmed": body.confirmed}
    await tell(session, row, "transfer.effective_date", caller, now, said=({}, {"reason": body.reason}), **facts)
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    await wake(session, row, now)
    await check_again(session, row)
    return row


async def hold(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Nothing moves until the transfer is taken up again; consents and steps can still be recorded."""
    check_way_back(row.status != Status.COMPLETED and await past_return(session, row))
    row.status = moved(Status(row.status), Move.HOLD, ROLES[caller.kind])
    row.hold = {"reason": reason, "since": plain(now), "by": caller.organisation}
    row.reason_code = "on_hold"
    await tell(session, row, "transfer.held", caller, now, said=({}, {"reason": reason}))
    return row


async def resume(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Take a transfer up again; a body that declined still blocks it."""
    status = moved(Status(row.status), Move.RESUME, ROLES[caller.kind])
    if row.hold is None:
        raise NotOnHold("It is blocked by a body that declined; that body decides anew.")
    latest = {by: Decision(each.decision) for by, each in (await decisions(session, row)).items()}
    row.hold, row.reason_code = None, blocking(None, latest)
    row.status = Status.BLOCKED if row.reason_code else status
    await tell(session, row, "transfer.resumed", caller, now, said=({}, {"reason": reason}))
    await schedule_if_ready(session, row=row, caller=caller, now=now)
    await check_again(session, row)
    return row


async def cancel(session: AsyncSession, *, row: Transfer, reason: str, caller: Caller, now: datetime) -> Transfer:
    """Give the transfer up; not possible once the membership is being opened."""
    role = ROLES[caller.kind]
    moved(Status.PROPOSED, Move.CANCEL, role)
    check_way_back(await past_return(session, row))
    row.status = moved(Status(row.status), Move.CANCEL, role)
    row.reason_code = "cancelled_by_commissioner"
    await tell(session, row, "transfer.cancelled", caller, now, said=({}, {"reason": reason}))
    return row
