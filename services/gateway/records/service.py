"""Recording milestones, and following contracts by their events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log.service import append_leaf
from services.gateway.models import ContractRef, Cursor, Delivery, Event, Job, MilestoneRecord
from services.gateway.records import queries
from services.gateway.records.schemas import RecordIn
from services.gateway.rules.log import redacted
from services.kernel.auth import Caller
from services.kernel.errors import DomainError, NotFound, Unprocessable
from services.kernel.events import locked_cursor
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


async def record_milestone(
    session: AsyncSession, *, contract_id: UUID, code: str, body: RecordIn, caller: Caller, now: datetime
) -> MilestoneRecord:
    """One fact, one transaction: the record, its leaf, its event, and the wake-up that takes it to the contract."""
    ref = await queries.contract_ref(session, contract_id)
    if ref is None or code not in ref.milestones:
        raise NotFound("No such contract, or no such milestone in it.")
    if ref.status not in RECORDABLE:
        raise NotInForce(f"The contract is {ref.status}; milestones are recorded from its first day on.")
    if body.occurred_on > london_date(now):
        raise FutureRecord("occurred_on lies in the future.", errors=[{"pointer": "/occurred_on"}])
    record_id = uuid7()
    evidence = [each.model_dump() for each in body.evidence]
    facts = {
        "record_id": record_id,
        "contract": ref.reference,
        "milestone_code": code,
        "status": body.status,
        "occurred_on": body.occurred_on,
        "recorded_at": now,
        "recorded_by": caller.client_id,
        "note_hash": redacted(body.note, str(record_id)),
        "evidence": [each.sha256 for each in body.evidence],
    }
    row = MilestoneRecord(
        id=record_id,
        contract_id=contract_id,
        milestone_code=code,
        status=body.status,
        occurred_on=body.occurred_on,
        note=body.note,
        evidence=evidence,
        recorded_at=now,
        recorded_by=caller.actor(),
        leaf_hash=await append_leaf(session, kind="milestone.recorded", subject_id=contract_id, facts=facts, now=now),
    )
    session.add(row)
    data = {"record_id": record_id, "milestone_code": code, "status": body.status}
    record_event(
        session, Event, kind="milestone.recorded", subject_id=contract_id, actor=caller.actor(), data=data, now=now
    )
    await enqueue(session, Job, kind="deliver", key=str(contract_id))
    return row


async def note_delivery(session: AsyncSession, *, record_id: UUID, result: str, now: datetime) -> None:
    """The record has reached its contract; noting it twice changes nothing."""
    row = insert(Delivery).values(record_id=record_id, result=result, delivered_at=now)
    await session.execute(row.on_conflict_do_nothing())


def about_contract(event: dict[str, Any]) -> bool:
    """Whether an event of contracts is about a contract: it names the contract's reference; others are not followed."""
    return "reference" in event["data"]


def known(contract: dict[str, Any]) -> dict[str, Any]:
    """What the gateway keeps of a contract."""
    return {
        "contract_id": UUID(contract["id"]),
        "organisation": contract["commissioner"]["organisation"],
        "supplier_uid": contract["supplier"]["uid"],
        "responsible_uid": contract["responsible_body"].get("uid"),
        "school_urn": int(contract["school"]["urn"]),
        "region": contract["school"]["region"],
        "la_code": contract["school"]["la_code"],
        "milestones": [each["code"] for each in contract["milestones"]],
        **{name: contract[name] for name in ("reference", "version", "status")},
    }


async def follow(session: AsyncSession, *, contract: dict[str, Any]) -> None:
    """Keep what the gateway knows of a contract; an older version never replaces a newer one."""
    values = known(contract)
    statement = insert(ContractRef).values(**values)
    statement = statement.on_conflict_do_update(
        index_elements=["contract_id"], set_=values, where=ContractRef.version < statement.excluded.version
    )
    await session.execute(statement)


DECISIONS = frozenset(
    {
        "contract.signed",
        "contract.agreed",
        "contract.evaluated",
        "contract.completed",
        "contract.terminated",
        "contract.transferred",
        "payment.earned",
    }
)
"""Events of other services that are leaves of the log."""


async def take_events(
    session: AsyncSession,
    *,
    source: str,
    after: tuple[int, int],
    events: list[dict[str, Any]],
    contracts: list[dict[str, Any]],
    now: datetime,
) -> None:
    """Take in a batch of events exactly once: leaves, projection, wake-ups and the cursor in one transaction."""
    cursor = await locked_cursor(session, Cursor, source)
    if (cursor.txid, cursor.position) != after:
        return
    for contract in contracts:
        await follow(session, contract=contract)
        await enqueue(session, Job, kind="review", key=contract["id"])
    for event in events:
        if event["type"] in DECISIONS:
            facts = {name: event[name] for name in ("id", "type", "data", "occurred_at")}
            facts["by"] = event["actor"]["client_id"]
            subject_id = UUID(event["subject_id"])
            await append_leaf(session, kind=event["type"], subject_id=subject_id, facts=facts, now=now)
    if events:
        cursor.txid, cursor.position = events[-1]["txid"], events[-1]["position"]
