"""What a record of the gateway does to a contract's milestone, once, and how its withdrawal undoes that."""

from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import tell
from services.contracts.milestones import queries
from services.contracts.milestones.schemas import RecordIn, WithdrawalIn
from services.contracts.models import AppliedRecord, AppliedWithdrawal, Contract, Job, Milestone
from services.contracts.payments.service import earn_milestones, unearn_milestones
from services.contracts.queries import locked_contract
from services.contracts.rules.life import IN_FORCE, Move, Role, Status, moved
from services.contracts.rules.milestones import (
    Applied,
    MilestoneStatus,
    Timing,
    Undone,
    apply_record,
    standing,
    timing,
    undone,
)
from services.contracts.service import required_decided
from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.jobs import enqueue
from services.kernel.types import london_date


async def apply(
    session: AsyncSession, *, record_id: UUID, body: RecordIn, caller: Caller, now: datetime
) -> AppliedRecord:
    """Apply a milestone record of the gateway, once: the same record again gives the first answer."""
    row = await locked_contract(session, body.contract_id)
    before = await queries.applied_record(session, record_id)
    if before is not None:
        return before
    milestone = await queries.milestone(session, row.id, body.milestone_code)
    present = MilestoneStatus(milestone.status) if milestone else None
    result = apply_record(Status(row.status), present, body.status)
    applied = AppliedRecord(
        record_id=record_id,
        contract_id=row.id,
        milestone_code=body.milestone_code,
        status=body.status,
        occurred_on=body.occurred_on,
        result=result,
        recorded_by=body.recorded_by,
        applied_at=now,
    )
    session.add(applied)
    if milestone is not None and result is Applied.APPLIED:
        milestone.status, milestone.decided_on, milestone.record_id = body.status, body.occurred_on, record_id
        milestone.timing = Timing.DECIDED
        facts = {"code": milestone.code, "milestone_status": body.status.value, "record_id": record_id}
        await tell(session, row, "milestone.decided", caller, now, **facts)
        await earn_milestones(session, row=row, on=london_date(body.recorded_at), caller=caller, now=now)
        late = row.status == Status.EXPIRED and row.reason_code == "milestones_undecided"
        if late and await required_decided(session, row):
            row.status, row.reason_code = moved(Status.EXPIRED, Move.COMPLETE, Role.CLOCK), "decided_late"
            await tell(session, row, "contract.completed", caller, now, reason=row.reason_code)
    return applied


class NotArrived(NotFound):
    """A record must have arrived before it can be taken back."""

    code = "record_not_arrived"


async def undo(
    session: AsyncSession, *, withdrawal_id: UUID, body: WithdrawalIn, caller: Caller, now: datetime
) -> AppliedWithdrawal:
    """Take back what a record did, once: the milestone stands as the others say, and pays accordingly.

    A contract that was completed stays completed, as nothing that others have relied on is unmade; what a record says
    counts for a transfer as long as it stands.
    """
    row = await locked_contract(session, body.contract_id)
    before = await queries.applied_withdrawal(session, withdrawal_id)
    if before is not None:
        return before
    record = await queries.applied_record(session, body.record_id)
    if record is None:
        raise NotArrived("The record has not arrived; send it first.")
    milestone = await queries.milestone(session, row.id, record.milestone_code)
    result = undone(Status(row.status), milestone is not None and milestone.record_id == body.record_id)
    applied = AppliedWithdrawal(
        withdrawal_id=withdrawal_id, record_id=body.record_id, contract_id=row.id, result=result, applied_at=now
    )
    session.add(applied)
    await session.flush()
    if milestone is not None and result is Undone.REVERTED:
        await revert(session, row=row, milestone=milestone, caller=caller, now=now)
    return applied


async def revert(session: AsyncSession, *, row: Contract, milestone: Milestone, caller: Caller, now: datetime) -> None:
    """The milestone becomes what its standing records say; what is not met any more pays nothing."""
    taken_back, today = milestone.record_id, london_date(now)
    records = await queries.standing_records(session, row.id, milestone.code)
    place = standing([MilestoneStatus(str(each.status)) for each in records])
    decider = None if place is None else records[place]
    milestone.status = str(decider.status) if decider else MilestoneStatus.SCHEDULED
    milestone.decided_on = decider.occurred_on if decider else None
    milestone.record_id = decider.record_id if decider else None
    milestone.timing = timing(MilestoneStatus(milestone.status), milestone.due_on, today)
    facts = {"code": milestone.code, "milestone_status": milestone.status, "withdrawn_record_id": taken_back}
    await tell(session, row, "milestone.reverted", caller, now, **facts)
    await unearn_milestones(session, row=row, code=milestone.code, caller=caller, now=now)
    if decider is None and Status(row.status) in IN_FORCE:
        await enqueue(session, Job, kind="remind", key=str(row.id), run_at=now)
