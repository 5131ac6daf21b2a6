"""Work that arrives as a row: act (foreign, no transaction open), then record (one transaction)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from services.contracts import calls, queries, service
from services.contracts.calls import SELF
from services.contracts.models import Job
from services.contracts.rules.life import IN_FORCE
from services.kernel.db import Database
from services.kernel.jobs import Handler, enqueue, forget
from services.kernel.peers import Peer
from services.kernel.types import london_date, start_of_day


async def activate(database: Database, key: str, now: datetime) -> None:
    """The first day of a contract."""
    async with database.transaction(SELF) as session:
        await service.activate(session, contract_id=UUID(key), caller=SELF, now=now)


async def close(database: Database, key: str, now: datetime) -> None:
    """The day after the last one of a contract."""
    async with database.transaction(SELF) as session:
        await service.close(session, contract_id=UUID(key), caller=SELF, now=now)


async def fee(database: Database, key: str, now: datetime) -> None:
    """The day after the last one of an instalment of the fee."""
    async with database.transaction(SELF) as session:
        await service.earn_fee(session, contract_id=UUID(key), caller=SELF, now=now)


async def remind(database: Database, key: str, now: datetime) -> None:
    """A day on which milestones come near or pass."""
    async with database.transaction(SELF) as session:
        await service.remind(session, contract_id=UUID(key), caller=SELF, now=now)


def first_of_next_month(day: date) -> date:
    """The first day of the month after this one."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def handlers(outcomes: Peer) -> Mapping[str, Handler]:
    """What to do for each kind of job."""

    async def ring_fence(database: Database, key: str, now: datetime) -> None:
        """Open the ring-fence in outcomes, or set its end there; then note that it stands."""
        async with database.transaction(SELF) as session:
            row = await queries.contract(session, UUID(key))
        body = {
            "school_urn": row.school_urn,
            "supplier_uid": row.supplier_uid,
            "starts_on": row.starts_on.isoformat(),
            "ends_on": (row.ended_on or service.last_day(row)).isoformat(),
            "breaks": service.fence_breaks(row),
            "organisation": row.organisation,
        }
        await calls.ring_fence(outcomes, row.id, body)
        async with database.transaction(SELF) as session:
            await service.note_ring_fence(session, contract_id=row.id, body=body, caller=SELF, now=now)

    async def identify(database: Database, key: str, now: datetime) -> None:
        """Look the school up in the register, and again on the first of next month while the contract is in force."""
        async with database.transaction(SELF) as session:
            row = await queries.contract(session, UUID(key))
        if row.status not in IN_FORCE:
            return
        urn, uid = str(row.school_urn), row.supplier_uid
        facts = await calls.present_facts(outcomes, urn=urn, uid=uid, starts_on=row.starts_on)
        async with database.transaction(SELF) as session:
            row = await queries.locked_contract(session, row.id)
            await service.identify(session, row=row, facts=facts, caller=SELF, now=now)
            later = start_of_day(first_of_next_month(london_date(now)))
            await enqueue(session, Job, kind="identify", key=key, run_at=later)

    return {
        "activate": activate,
        "close": close,
        "fee": fee,
        "remind": remind,
        "identify": identify,
        "ring_fence": ring_fence,
        "forget": partial(forget, table=Job),
    }
