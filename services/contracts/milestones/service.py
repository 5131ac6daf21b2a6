"""What a record of the gateway does to a contract's milestone, once, and how its withdrawal undoes that."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.events import Story, tell
from services.contracts.ledger.queries import balances
from services.contracts.ledger.service import Entry, keep_entries
from services.contracts.milestones import queries
from services.contracts.milestones.effect import Desk
from services.contracts.milestones.schemas import RecordIn, WithdrawalIn
from services.contracts.models import AppliedWithdrawal, Contract, Job, Milestone
from services.contracts.payments.queries import of_milestones
from services.contracts.payments.service import unearn_milestones
from services.contracts.queries import contracts, locked_contract, milestones
from services.contracts.rules.life import IN_FORCE, Status
from services.contracts.rules.milestones import MilestoneStatus, Undone, standing, timing, undone
from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.jobs import enqueue
from services.kernel.types import london_date

KEEP = text(
    "INSERT INTO contracts.applied_record (record_id, contract_id, milestone_code, status, occurred_on, result,"
    " recorded_by, applied_at) SELECT * FROM jsonb_to_recordset(CAST(:applied AS jsonb)) AS (record_id uuid,"
    " contract_id uuid, milestone_code text, status text, occurred_on date, result text, recorded_by text,"
    " applied_at timestamptz)"
)


async def apply(
    session: AsyncSession, *, records: Sequence[RecordIn], caller: Caller, now: datetime
) -> list[Mapping[str, Any]]:
    """Apply milestone records of the gateway in their order, each once: the same record again gives the first answer.

    All of them are one transaction, in which their contracts are locked in the order of their ids.
    """
    rows = await contracts(session, sorted({each.contract_id for each in records}), locked=True)
    ids, story, entries = [row.id for row in rows], Story(session, caller, now), list[Entry]()
    found = await queries.results(session, [each.record_id for each in records])
    held = await balances(session, ids)
    desks = {row.id: Desk(row, held[row.id], story, entries.append) for row in rows}
    for milestone in await milestones(session, ids):
        desks[milestone.contract_id].milestones[milestone.code] = milestone
    for payment in await of_milestones(session, ids):
        desks[payment.contract_id].payments.append(payment)
    made: dict[UUID, dict[str, Any]] = {}
    for each in records:
        if each.record_id not in found and each.record_id not in made:
            made[each.record_id] = desks[each.contract_id].apply(each, now)
    await session.execute(KEEP, {"applied": to_json(list(made.values())).decode()})
    await keep_entries(session, entries)
    await story.end()
    known = found | made
    return [known[each.record_id] for each in records]


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
