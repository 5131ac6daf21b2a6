"""Recording milestones, one or many; and erasing what is personal in a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log.service import forget_salt, new_leaf
from services.gateway.logbook import Leaf
from services.gateway.models import ContractRef, Delivery, Event, Job, MilestoneRecord
from services.gateway.records import queries
from services.gateway.records.schemas import RecordIn
from services.gateway.rules.facts import recorded
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.kernel.events import record as record_event
from services.kernel.jobs import enqueue
from services.kernel.types import london_date, uuid7

RECORDABLE = frozenset({"active", "suspended", "completed", "expired", "terminated"})


class NotInForce(DomainError):
    """Nothing can be recorded on a contract before it is in force or after it has become a membership."""

    code = "status_forbids"
    title = "The contract is not in force"


class FutureRecord(Unprocessable):
    """What has not happened yet cannot be recorded."""

    code = "future_date"
    title = "The day lies in the future"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to record, and of which milestone."""

    contract_id: UUID
    code: str
    body: RecordIn


def made(ref: ContractRef | None, asked: Asked, caller: Caller, now: datetime) -> tuple[MilestoneRecord, Leaf]:
    """The record and its leaf; raises what stands against it."""
    if ref is None or asked.code not in ref.milestones:
        raise NotFound("No such contract, or no such milestone in it.")
    if ref.status not in RECORDABLE:
        raise NotInForce(f"The contract is {ref.status}; milestones are recorded from its first day on.")
    body = asked.body
    if body.occurred_on > london_date(now):
        raise FutureRecord("occurred_on lies in the future.", errors=[{"pointer": "/occurred_on"}])
    row = MilestoneRecord(
        id=uuid7(),
        contract_id=ref.contract_id,
        milestone_code=asked.code,
        status=body.status.value,
        occurred_on=body.occurred_on,
        note=body.note,
        evidence=[each.model_dump() for each in body.evidence],
        recorded_at=now,
        recorded_by=caller.actor(),
        leaf_hash="",
    )
    facts, private = recorded(row)
    facts["contract"] = ref.reference
    leaf = new_leaf(kind="milestone.recorded", subject_id=ref.contract_id, facts=facts, private=private, now=now)
    row.leaf_hash = leaf.leaf_hash
    return row, leaf


async def record_milestone(session: AsyncSession, *, asked: Asked, caller: Caller, now: datetime) -> MilestoneRecord:
    """One fact, one transaction: the record, its leaf, its event, and the wake-up that takes it to the contract."""
    ref = await queries.contract_ref(session, asked.contract_id)
    row, leaf = made(ref, asked, caller, now)
    await write(session, [(row, leaf)], caller=caller, now=now)
    return row


async def record_many(
    session: AsyncSession,
    *,
    asked: Sequence[Asked | DomainError],
    unknown: Mapping[UUID, DomainError],
    caller: Caller,
    now: datetime,
) -> list[MilestoneRecord | DomainError]:
    """Many facts in one transaction, each recorded or refused by itself; gives what became of each, in order.

    What could not be read comes in as its error; `unknown` says what stands between the caller and contracts that the
    gateway could not learn.
    """
    wanted = {each.contract_id for each in asked if isinstance(each, Asked)}
    refs = {ref.contract_id: ref for ref in await queries.contract_refs(session, wanted)}
    pairs: list[tuple[MilestoneRecord, Leaf]] = []
    found: list[MilestoneRecord | DomainError] = []
    for each in asked:
        if isinstance(each, DomainError):
            found.append(each)
            continue
        try:
            if each.contract_id in unknown:
                raise unknown[each.contract_id]
            pairs.append(made(refs.get(each.contract_id), each, caller, now))
            found.append(pairs[-1][0])
        except DomainError as error:
            found.append(error)
    await write(session, pairs, caller=caller, now=now)
    return found


async def write(
    session: AsyncSession, pairs: Sequence[tuple[MilestoneRecord, Leaf]], *, caller: Caller, now: datetime
) -> None:
    """Write records with their leaves and events, a table in a statement; and wake the delivery of each contract."""
    session.add_all([part for pair in pairs for part in pair])
    for row, _ in pairs:
        data = {"record_id": row.id, "milestone_code": row.milestone_code, "status": row.status}
        kind, actor = "milestone.recorded", caller.actor()
        record_event(session, Event, kind=kind, subject_id=row.contract_id, actor=actor, data=data, now=now)
    await session.flush()
    for contract_id in sorted({row.contract_id for row, _ in pairs}):
        await enqueue(session, Job, kind="deliver", key=str(contract_id))


async def note_delivery(session: AsyncSession, *, record_id: UUID, result: str, now: datetime) -> None:
    """The record has reached its contract; noting it twice changes nothing."""
    row = insert(Delivery).values(record_id=record_id, result=result, delivered_at=now)
    await session.execute(row.on_conflict_do_nothing())


async def erase(session: AsyncSession, *, record_id: UUID, caller: Caller, now: datetime) -> None:
    """Erase what is personal in a record and its withdrawal: note, names of documents, reason, and the salts.

    A leaf tells of the erasure; all else stays, and so do the hashes in the leaves, which tell nothing without salts.
    Only the database's owner may: to everybody else these rows are append-only.
    """
    row = await session.get(MilestoneRecord, record_id)
    if row is None:
        raise NotFound("No such milestone record.")
    row.note, row.evidence = None, [{"sha256": each["sha256"]} for each in row.evidence]
    erased: list[tuple[str, str, UUID, str]] = [("milestone.erased", "record_id", row.id, row.leaf_hash)]
    withdrawal = await queries.withdrawal_of(session, record_id)
    if withdrawal is not None:
        withdrawal.reason = None
        erased.append(("withdrawal.erased", "withdrawal_id", withdrawal.id, withdrawal.leaf_hash))
    for kind, name, row_id, digest in erased:
        await forget_salt(session, leaf_hash=digest)
        facts = {name: row_id, "erased_at": now, "by": caller.client_id}
        session.add(new_leaf(kind=kind, subject_id=row.contract_id, facts=facts, now=now))
