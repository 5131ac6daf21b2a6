"""What can be done on the register, and whether a trust may enter into a contract."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.history import taken
from services.contracts.models import Event
from services.contracts.register import Supplier, SupplierMatter
from services.contracts.rules import capacity, suppliers
from services.contracts.rules.companies import company_number
from services.contracts.rules.life import ROLES
from services.contracts.rules.parties import Trust
from services.contracts.rules.suppliers import SupplierMove, SupplierStatus
from services.contracts.suppliers import queries
from services.contracts.suppliers.schemas import MatterIn, ResolutionIn, SupplierIn
from services.kernel.auth import Caller
from services.kernel.errors import NotFound
from services.kernel.events import record
from services.kernel.types import london_date, plain, uuid7


def owns(caller: Caller, uid: str) -> bool:
    """Whether the caller speaks for this trust."""
    return caller.trust_uid == uid


def sees_matters(caller: Caller, uid: str) -> bool:
    """Whether what stands against this trust is the caller's to see."""
    return suppliers.sees_matters(ROLES[caller.kind], own=owns(caller, uid))


def check_sees_matters(caller: Caller, uid: str) -> None:
    """Raise NotFound unless matters about this trust are the caller's to see."""
    if not sees_matters(caller, uid):
        raise NotFound("Matters about this supplier are not yours to see.")


async def tell(session: AsyncSession, row: Supplier, kind: str, caller: Caller, now: datetime) -> None:
    """Write the event of a change of an entry with old and new values, and count its version on."""
    row.version += 1
    row.updated_at = now
    await session.flush()
    facts = {"uid": row.uid, "status": row.status, "version": row.version, "changes": taken(session.sync_session)}
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)


async def register(
    session: AsyncSession, *, row: Supplier | None, trust: Trust, body: SupplierIn, caller: Caller, now: datetime
) -> Supplier:
    """Write a trust's entry, or write it anew; one that would be the same stays as it is."""
    suppliers.check_writer(ROLES[caller.kind], own=owns(caller, trust.uid))
    values: dict[str, Any] = {
        "name": trust.name,
        "group_id": trust.group_id,
        "ukprn": trust.ukprn,
        "companies_house_number": company_number(trust.companies_house_number),
        **plain(body.model_dump()),
    }
    if row is None:
        values |= {"registered_at": now, "updated_at": now}
        made = Supplier(uid=trust.uid, id=uuid7(), version=0, status=SupplierStatus.REGISTERED, **values)
        session.add(made)
        await tell(session, made, "supplier.registered", caller, now)
        return made
    if any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        await tell(session, row, "supplier.changed", caller, now)
    return row


async def move(
    session: AsyncSession, *, row: Supplier, step: SupplierMove, reason: str, caller: Caller, now: datetime
) -> Supplier:
    """Keep a trust from new contracts, or let it have them again, for a reason that is kept."""
    row.status = suppliers.moved(SupplierStatus(row.status), step, ROLES[caller.kind])
    suspended = step is SupplierMove.SUSPEND
    row.suspension = {"reason": reason, "since": london_date(now).isoformat()} if suspended else None
    await tell(session, row, "supplier.suspended" if suspended else "supplier.reinstated", caller, now)
    return row


async def raise_matter(
    session: AsyncSession, *, row: Supplier, body: MatterIn, caller: Caller, now: datetime
) -> SupplierMatter:
    """Something stands against a supplier, from now on until it is resolved. Its words stay out of the events."""
    suppliers.check_raise(ROLES[caller.kind], body.kind)
    suppliers.check_days(body.raised_on, None, london_date(now))
    urn = int(body.school_urn) if body.school_urn else None
    values = body.model_dump(exclude={"school_urn"})
    made = SupplierMatter(id=uuid7(), supplier_uid=row.uid, school_urn=urn, raised_by=caller.actor(), **values)
    session.add(made)
    tell_matter(session, row, made, "matter.raised", caller, now)
    return made


async def resolve(
    session: AsyncSession, *, row: Supplier, matter: SupplierMatter, body: ResolutionIn, caller: Caller, now: datetime
) -> SupplierMatter:
    """A matter is resolved, once; it stays on the record."""
    suppliers.check_resolve(ROLES[caller.kind], resolved=matter.resolved_on is not None)
    suppliers.check_days(matter.raised_on, body.resolved_on, london_date(now))
    matter.resolved_on, matter.resolution, matter.resolved_by = body.resolved_on, body.resolution, caller.actor()
    tell_matter(session, row, matter, "matter.resolved", caller, now)
    return matter


def tell_matter(
    session: AsyncSession, row: Supplier, matter: SupplierMatter, kind: str, caller: Caller, now: datetime
) -> None:
    """Write the event of a matter: what sort it is, and its days."""
    names = ("kind", "school_urn", "raised_on", "resolved_on")
    facts = {"uid": row.uid, "matter_id": matter.id, **{name: getattr(matter, name) for name in names}}
    record(session, Event, kind=kind, subject_id=row.id, actor=caller.actor(), data=facts, now=now)


async def check_offer(
    session: AsyncSession,
    *,
    trust: tuple[str, str],
    contract_id: UUID,
    urns: Collection[int],
    starts_on: date,
    ends_on: date,
    pupils: int | None,
    committed: bool,
    caller: Caller,
) -> None:
    """Raise unless the trust (UID and name) may enter into this contract, whose days both belong to its term.

    Its entry stays locked until the end of the transaction, so that of two contracts at once the second one sees the
    first. A contract that is `committed` has its place in the trust's capacity already.
    """
    uid, name = trust
    row = await queries.locked_supplier(session, uid)
    matters = (await queries.live_matters(session, urns)).get(uid, set())
    standing = standing_of(row, matters) if row else suppliers.Standing(uid, name, None, None, matters)
    found = suppliers.obstacles(standing, told=sees_matters(caller, uid))
    if row is not None and not found and not committed:
        others = await queries.commitments(session, uid, contract_id)
        found = capacity.obstacles(capacity_of(row), others, capacity.Term(starts_on, ends_on), pupils)
    if found:
        raise found[0]


def standing_of(row: Supplier, matters: Collection[suppliers.MatterKind]) -> suppliers.Standing:
    """A supplier as the rules see it."""
    since = date.fromisoformat(row.suspension["since"]) if row.suspension else None
    return suppliers.Standing(row.uid, row.name, SupplierStatus(row.status), since, matters)


def capacity_of(row: Supplier) -> capacity.Capacity:
    """What a supplier declares that it can carry at once."""
    return capacity.Capacity(row.max_contracts, row.max_pupils)
