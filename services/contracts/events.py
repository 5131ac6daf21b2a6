"""Every change of a contract counts its version on and leaves an event, in the same transaction."""

from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.history import taken
from services.contracts.models import Contract, Event, Job
from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.jobs import enqueue


async def tell(session: AsyncSession, row: Contract, kind: str, caller: Caller, now: datetime, **data: Any) -> None:
    """Write the event of a change with old and new values, and count the contract's version on."""
    row.version += 1
    row.updated_at = now
    await session.flush()
    facts = {"status": row.status, "version": row.version, "reference": row.reference, **data}
    facts["changes"] = taken(session.sync_session)
    await enqueue(session, Job, kind="publish", key=str(row.id))
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)
