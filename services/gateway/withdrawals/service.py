"""Taking a milestone record back: a fact of its own, with its reason; the record is never edited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log.service import new_leaf
from services.gateway.models import Event, Job, MilestoneRecord, Withdrawal, WithdrawalDelivery
from services.gateway.records.queries import contract_ref, withdrawal_of
from services.gateway.rules.facts import withdrawn
from services.gateway.withdrawals import queries
from services.gateway.withdrawals.schemas import WithdrawalIn
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, Forbidden, NotFound
from services.kernel.events import record as record_event
from services.kernel.jobs import enqueue
from services.kernel.types import Kind, uuid7


class AlreadyWithdrawn(DomainError):
    """A record is taken back once."""

    code = "already_withdrawn"
    title = "The record was withdrawn before"


class Frozen(DomainError):
    """What was recorded on a contract that has become a membership stands."""

    code = "status_forbids"
    title = "The contract is frozen"


class NotYours(Forbidden):
    """A record is taken back by those who made it, or by those who commissioned the contract."""

    code = "not_the_recorder"
    title = "The record is somebody else's"


def check_may(caller: Caller, row: MilestoneRecord) -> None:
    """Raise NotYours unless the caller speaks for the organisation that recorded it, or for the commissioner.

    That a commissioner is that of the contract is seen to by row-level security.
    """
    if caller.kind is not Kind.COMMISSIONER and caller.organisation != row.recorded_by["organisation"]:
        raise NotYours(f"It was recorded by {row.recorded_by['organisation']}; ask them, or the commissioner.")


async def withdraw(
    session: AsyncSession, *, record_id: UUID, body: WithdrawalIn, caller: Caller, now: datetime
) -> Withdrawal:
    """Take a record back in one transaction: the withdrawal, its leaf, its event, and the wake-up for the contract."""
    record = await queries.record(session, record_id)
    ref = await contract_ref(session, record.contract_id)
    if ref is None:
        raise NotFound("No such milestone record.")
    check_may(caller, record)
    if ref.status == "transferred":
        raise Frozen("The school has become a full member; what was recorded on the contract stands.")
    if await withdrawal_of(session, record_id) is not None:
        raise AlreadyWithdrawn("Record what is right, if anything, as a new record.")
    row = Withdrawal(
        id=uuid7(),
        record_id=record_id,
        contract_id=record.contract_id,
        reason=body.reason,
        withdrawn_at=now,
        withdrawn_by=caller.actor(),
        leaf_hash="",
    )
    facts, private = withdrawn(row)
    about = {"contract": ref.reference, "milestone_code": record.milestone_code}
    kind, subject_id = "milestone.withdrawn", record.contract_id
    leaf = new_leaf(kind=kind, subject_id=subject_id, facts=facts | about, private=private, now=now)
    row.leaf_hash = leaf.leaf_hash
    session.add_all([row, leaf])
    data = {"withdrawal_id": row.id, "record_id": record_id, "milestone_code": record.milestone_code}
    record_event(session, Event, kind=kind, subject_id=subject_id, actor=caller.actor(), data=data, now=now)
    await session.flush()
    await enqueue(session, Job, kind="deliver", key=str(subject_id))
    return row


async def note_delivery(session: AsyncSession, *, withdrawal_id: UUID, result: str, now: datetime) -> None:
    """The withdrawal has reached its contract; noting it twice changes nothing."""
    row = insert(WithdrawalDelivery).values(withdrawal_id=withdrawal_id, result=result, delivered_at=now)
    await session.execute(row.on_conflict_do_nothing())
