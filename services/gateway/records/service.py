"""What a milestone record is, and what stands against one; its delivery, and erasing what is personal in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log.service import forget_salt, new_leaf, told
from services.gateway.models import MilestoneRecord
from services.gateway.records import queries
from services.gateway.records.schemas import SINCE, RecordIn, RecordOut
from services.gateway.rules.facts import recorded
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.kernel.types import london_date, uuid7

Json = dict[str, Any]
NOTE_DELIVERIES = text(
    "INSERT INTO gateway.delivery (record_id, result, delivered_at) SELECT *, CAST(:now AS timestamptz)"
    " FROM unnest(CAST(:records AS uuid[]), CAST(:results AS text[])) ON CONFLICT DO NOTHING"
)
RECORDABLE = frozenset({"active", "suspended", "completed", "expired", "terminated"})


class NotInForce(DomainError):
    """Nothing can be recorded on a contract before it is in force or after it has become a membership."""

    code = "status_forbids"
    title = "The contract is not in force"


class FutureRecord(Unprocessable):
    """What has not happened yet cannot be recorded."""

    code = "future_date"
    title = "The day lies in the future"


class NotLearnt(NotFound):
    """The gateway does not know the contract, or the caller may not see it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to record, and of which milestone."""

    contract_id: UUID
    code: str
    body: RecordIn


def made(ref: queries.Ref | None, asked: Asked, caller: Caller, now: datetime) -> tuple[RecordOut, Json]:
    """The record, and all that is written of it; raises what stands against it."""
    if ref is None:
        raise NotLearnt("No such contract, or no such milestone in it.")
    if asked.code not in ref.milestones:
        raise NotFound("No such contract, or no such milestone in it.")
    if ref.status not in RECORDABLE:
        raise NotInForce(f"The contract is {ref.status}; milestones are recorded from its first day on.")
    body = asked.body
    if body.occurred_on > london_date(now):
        raise FutureRecord("occurred_on lies in the future.", errors=[{"pointer": "/occurred_on"}])
    row = RecordOut(
        id=uuid7(),
        contract_id=ref.contract_id,
        milestone_code=asked.code,
        status=body.status,
        occurred_on=body.occurred_on,
        note=body.note,
        evidence=[each.model_dump() for each in body.evidence],
        recorded_at=now,
        recorded_by=caller.actor(),
        leaf_hash="",
    )
    facts, private = recorded(row)
    facts["contract"] = ref.reference
    leaf = told("milestone.recorded", ref.contract_id, facts, private)
    row.leaf_hash = leaf.leaf_hash
    rest = {"version": ref.version, "leaf": leaf.data.decode(), "salt": leaf.salt, "event_id": str(uuid7())}
    return row, row.model_dump(mode="json", exclude=SINCE) | rest


async def note_deliveries(session: AsyncSession, *, results: Mapping[UUID, str], now: datetime) -> None:
    """The records have reached their contracts, with these results; noting it twice changes nothing."""
    records = sorted(results)
    values = {"records": records, "results": [results[each] for each in records], "now": now}
    await session.execute(NOTE_DELIVERIES, values)


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
