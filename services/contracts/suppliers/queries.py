"""Every SELECT and lock on the register of suppliers, and what may be known of their contracts without seeing them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.register import Supplier, SupplierMatter
from services.contracts.rules.capacity import Commitment, Term
from services.contracts.rules.suppliers import MatterKind
from services.contracts.rules.track_record import Records, Tally
from services.kernel.errors import NotFound

VERDICTS = text("SELECT supplier_uid, intervention, overall, contracts FROM contracts.verdicts()")
LIVE_MATTERS = text("SELECT supplier_uid, kind FROM contracts.live_matters(:urns)")
MATTERS_ABOUT = text(
    "SELECT DISTINCT p.uid, p.urn, m.kind FROM unnest(CAST(:uids AS text[]), CAST(:urns AS integer[])) p (uid, urn)"
    " CROSS JOIN LATERAL contracts.live_matters(ARRAY[p.urn]) m WHERE m.supplier_uid = p.uid"
)
COMMITMENTS = text("SELECT starts_on, ends_on, pupils FROM contracts.commitments(:uid, :except_contract)")
ALL_COMMITMENTS = text(
    "SELECT s.uid, c.starts_on, c.ends_on, c.pupils FROM contracts.supplier s"
    " CROSS JOIN LATERAL contracts.commitments(s.uid, NULL) c"
)


async def supplier(session: AsyncSession, uid: str) -> Supplier:
    """The entry of a trust; raises NotFound where it is not on the register."""
    found = await session.get(Supplier, uid)
    if found is None:
        raise NotFound(f"No trust with UID {uid} is on the register of suppliers.")
    return found


async def locked_supplier(session: AsyncSession, uid: str) -> Supplier | None:
    """The entry, locked until the end of the transaction: what depends on a supplier's capacity happens in turn."""
    statement = select(Supplier).where(Supplier.uid == uid).with_for_update()
    return (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()


async def suppliers(session: AsyncSession) -> list[Supplier]:
    """The whole register, by UID."""
    return list(await session.exec(select(Supplier).order_by(col(Supplier.uid))))


async def suppliers_page(
    session: AsyncSession,
    *,
    status: str | None,
    phase: str | None,
    name: str | None,
    after: str | None,
    limit: int,
) -> list[Supplier]:
    """Entries after a UID (in the order of text) with this status, this phase and this text in their name."""
    statement = select(Supplier).order_by(col(Supplier.uid)).limit(limit)
    if status is not None:
        statement = statement.where(Supplier.status == status)
    if phase is not None:
        statement = statement.where(col(Supplier.phases).contains([phase]))
    if name is not None:
        statement = statement.where(col(Supplier.name).icontains(name, autoescape=True))
    if after is not None:
        statement = statement.where(Supplier.uid > after)
    return list(await session.exec(statement))


async def matters_page(session: AsyncSession, uid: str, *, after: UUID | None, limit: int) -> list[SupplierMatter]:
    """Matters about a supplier after a place, oldest first."""
    statement = select(SupplierMatter).where(SupplierMatter.supplier_uid == uid)
    if after is not None:
        statement = statement.where(SupplierMatter.id > after)
    return list(await session.exec(statement.order_by(col(SupplierMatter.id)).limit(limit)))


async def matter(session: AsyncSession, uid: str, matter_id: UUID) -> SupplierMatter:
    """One matter about this supplier; raises NotFound."""
    statement = select(SupplierMatter).where(SupplierMatter.id == matter_id, SupplierMatter.supplier_uid == uid)
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound("No such matter.")
    return found


async def live_matters(session: AsyncSession, urns: Collection[int]) -> dict[str, set[MatterKind]]:
    """By supplier: the kinds of live matters that count for a school with these URNs, whoever asks."""
    found: dict[str, set[MatterKind]] = {}
    for uid, kind in await session.execute(LIVE_MATTERS, {"urns": sorted(urns)}):
        found.setdefault(uid, set()).add(MatterKind(kind))
    return found


async def matters_about(
    session: AsyncSession, pairs: Collection[tuple[str, int]]
) -> dict[tuple[str, int], set[MatterKind]]:
    """By supplier and URN: the kinds of live matters that count for that school with that supplier, whoever asks."""
    found: dict[tuple[str, int], set[MatterKind]] = {}
    uids, urns = [uid for uid, _urn in pairs], [urn for _uid, urn in pairs]
    for uid, urn, kind in await session.execute(MATTERS_ABOUT, {"uids": uids, "urns": urns}):
        found.setdefault((uid, urn), set()).add(MatterKind(kind))
    return found


def commitment(starts_on: date, ends_on: date, pupils: int | None) -> Commitment:
    """What a row of contracts.commitments says."""
    return Commitment(Term(starts_on, ends_on), pupils)


async def commitments(session: AsyncSession, uid: str, except_contract: UUID) -> list[Commitment]:
    """What a supplier's other contracts take of its capacity, whoever asks."""
    rows = await session.execute(COMMITMENTS, {"uid": uid, "except_contract": except_contract})
    return [commitment(*row) for row in rows]


async def all_commitments(session: AsyncSession) -> dict[str, Sequence[Commitment]]:
    """By supplier: what its contracts take of its capacity, whoever asks."""
    found: dict[str, list[Commitment]] = {}
    for uid, *row in await session.execute(ALL_COMMITMENTS):
        found.setdefault(uid, []).append(commitment(*row))
    return dict(found)


async def records(session: AsyncSession) -> Records:
    """The verdicts on all contracts, counted by supplier and by intervention, whoever asks."""
    whole: dict[str, Tally] = {}
    by_intervention: dict[tuple[str, str], Tally] = {}
    for uid, code, overall, contracts in await session.execute(VERDICTS):
        if code is None:
            whole[uid] = added(whole.get(uid, Tally()), overall, contracts)
        else:
            by_intervention[uid, code] = added(by_intervention.get((uid, code), Tally()), overall, contracts)
    return Records(whole, by_intervention)


def added(tally: Tally, overall: str, contracts: int) -> Tally:
    """The tally with so many contracts more of one verdict; `unjudged` are those that ended and have none."""
    counts = {"contracts": tally.contracts + contracts}
    if overall != "unjudged":
        counts[overall] = getattr(tally, overall) + contracts
    return replace(tally, **counts)
