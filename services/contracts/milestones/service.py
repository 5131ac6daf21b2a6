"""What a record of the gateway does to a contract's milestone, once."""

from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import tell
from services.contracts.milestones import queries
from services.contracts.milestones.schemas import RecordIn
from services.contracts.models import AppliedRecord
from services.contracts.payments.service import earn_milestones
from services.contracts.queries import locked_contract
from services.contracts.rules.life import Move, Role, Status, moved
from services.contracts.rules.milestones import Applied, MilestoneStatus, Timing, apply_record
from services.contracts.service import required_decided
from services.kernel.auth import Caller
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
