"""Taking in events of the services behind the door, each exactly once, and in their order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log.service import new_leaf
from services.gateway.models import ContractRef, Cursor, Job
from services.gateway.rules.decisions import is_decision, told
from services.kernel.events import locked_cursor
from services.kernel.jobs import enqueue

SOURCES = ("contracts", "outcomes")


def about_contract(source: str | None, event: dict[str, Any]) -> bool:
    """Whether an event is about a contract as contracts has it: it names the contract's reference."""
    return source == "contracts" and "reference" in event["data"]


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


async def follow(session: AsyncSession, *, contracts: Sequence[dict[str, Any]]) -> None:
    """Keep what the gateway knows of contracts; an older version never replaces a newer one."""
    if not contracts:
        return
    rows = sorted((known(each) for each in contracts), key=lambda each: str(each["contract_id"]))
    statement = insert(ContractRef).values(rows)
    newer = {name: statement.excluded[name] for name in rows[0] if name != "contract_id"}
    statement = statement.on_conflict_do_update(
        index_elements=["contract_id"], set_=newer, where=ContractRef.version < statement.excluded.version
    )
    await session.execute(statement)


async def take_events(
    session: AsyncSession,
    *,
    source: str,
    after: tuple[int, int],
    events: list[dict[str, Any]],
    contracts: list[dict[str, Any]],
    now: datetime,
) -> bool:
    """Take in a batch of events exactly once: leaves, projection, wake-ups and the cursor in one transaction.

    Says whether it did: a batch that somebody else has taken in is left alone.
    """
    cursor = await locked_cursor(session, Cursor, source)
    if (cursor.txid, cursor.position) != after:
        return False
    judged = {event["subject_id"] for event in events if event["type"] == "contract.evaluated"}
    await follow(session, contracts=contracts)
    completed = {contract["id"] for contract in contracts if contract["status"] == "completed"}
    for contract_id in sorted(completed | judged):
        await enqueue(session, Job, kind="review", key=contract_id)
    for event in events:
        if is_decision(event["type"]):
            facts, private = told(source, event)
            subject_id = UUID(event["subject_id"])
            leaf = new_leaf(kind=event["type"], subject_id=subject_id, facts=facts, private=private, now=now)
            session.add(leaf)
    if events:
        cursor.txid, cursor.position = events[-1]["txid"], events[-1]["position"]
    return True
