"""Every change of a contract counts its version on and leaves an event, in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.history import changes, taken
from services.contracts.models import Contract, ContractsTable, Event, Job
from services.kernel.auth import Caller
from services.kernel.events import happened, record
from services.kernel.jobs import enqueue, enqueue_all

EVENTS = text(
    "INSERT INTO contracts.event (id, type, subject_id, data, actor, occurred_at) SELECT id, type, subject_id, data,"
    " actor, occurred_at FROM ROWS FROM (jsonb_to_recordset(CAST(:events AS jsonb)) AS (id uuid, type text,"
    " subject_id uuid, data jsonb, actor jsonb, occurred_at timestamptz)) WITH ORDINALITY ORDER BY ordinality"
)
"""Positions are given in the order in which it was told."""


async def tell(session: AsyncSession, row: Contract, kind: str, caller: Caller, now: datetime, **data: Any) -> None:
    """Write the event of a change with old and new values, and count the contract's version on."""
    row.version += 1
    row.updated_at = now
    await session.flush()
    facts = {**standing(row), **data, "changes": taken(session.sync_session)}
    await enqueue(session, Job, kind="publish", key=str(row.id))
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)


def standing(row: Contract) -> dict[str, Any]:
    """What every event says of its contract."""
    return {"status": row.status, "version": row.version, "reference": row.reference}


class Story:
    """Events of many contracts, told in their order at the end; nothing is flushed for them before."""

    def __init__(self, session: AsyncSession, caller: Caller, now: datetime) -> None:
        self.session, self.actor, self.now = session, caller.actor(), now
        self.events: list[dict[str, Any]] = []

    def tell(self, row: Contract, kind: str, changed: Sequence[ContractsTable], **data: Any) -> None:
        """The event of a change of these rows of a contract."""
        row.version += 1
        row.updated_at = self.now
        facts = {**standing(row), **data, "changes": changes(self.session, changed)}
        self.events.append(happened(kind=kind, subject_id=row.id, actor=self.actor, data=facts, now=self.now))

    async def end(self) -> None:
        """Write it, and have what happened published."""
        if self.events:
            keys = {str(each["subject_id"]) for each in self.events}
            await enqueue_all(self.session, Job, kind="publish", keys=sorted(keys))
            await self.session.execute(EVENTS, {"events": to_json(self.events).decode()})
