"""What a release does to the register: trusts, links, establishments, and who belongs to which trust."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.types import uuid7
from services.outcomes import establishments, queries
from services.outcomes.continuity import unite
from services.outcomes.copies import copy_rows
from services.outcomes.feeds.records import EstablishmentLinkRecord, EstablishmentRecord, GroupLinkRecord, TrustRecord
from services.outcomes.memberships import (
    Earlier,
    closing_sights,
    establishment_sights,
    group_sights,
    later_sights,
    settle_memberships,
)
from services.outcomes.models import OutcomesTable, Release, RingFence
from services.outcomes.rules.columnar import column
from services.outcomes.rules.schools import Lifetime, lifetime
from services.outcomes.rules.statements import lines
from services.outcomes.schools import EstablishmentLink, Membership, RegisterChange, Trust

GONE = "gone"
DATED = {"status", "opened_on", "closed_on"}


async def apply(
    session: AsyncSession,
    *,
    row: Release,
    records: Sequence[Any],
    said: Sequence[str],
    again: Sequence[int],
    earlier: Earlier,
    caller: Caller,
    now: datetime,
) -> None:
    """Bring the register to what a release of reference data shows; `said` is a line of text for each record.

    Of the establishments with the URNs `again` it says what the register has. `earlier` reads the release of an earlier
    day whose place it takes.
    """
    kind = type(records[0]) if records else EstablishmentRecord
    guessed: set[int] = set()
    if kind is TrustRecord:
        await replace_trusts(session, row, records)
    elif kind is EstablishmentLinkRecord:
        await replace_links(session, row, records)
    elif kind is EstablishmentRecord:
        if None in column(records, "status"):
            known = await queries.lifetimes(session)
            ended = await queries.ended_by_succession(session, row.published_on)
            found = [with_status(each, known.get(each.urn), ended.get(each.urn), row.published_on) for each in records]
            records, guessed = [each for each, _ in found], {each.urn for each, guess in found if guess}
            said = lines(records, establishments.ESTABLISHMENT)
        if records:
            await establishments.upsert(session, row, records, said, guessed)
        if again or "trust_uid" not in records[0].unsaid:
            sights = await establishment_sights(session, row, {*again, *column(records, "urn")})
            await settle_memberships(session, sights, caller, now)
    elif kind is GroupLinkRecord:
        await settle_memberships(session, await group_sights(session, row, records, earlier), caller, now)
        await session.flush()
        await settle_memberships(session, await later_sights(session, row, records), caller, now)
    else:
        raise TypeError(f"{row.feed} gives {kind.__name__}, which is no reference data.")
    await settle_closings(session, caller, now)


async def settle_closings(session: AsyncSession, caller: Caller, now: datetime) -> None:
    """End memberships of closed trusts, by what counts now; groups that say the same again may be newer than links."""
    await session.flush()
    await settle_memberships(session, await closing_sights(session), caller, now)


async def upsert(session: AsyncSession, table: type[OutcomesTable], key: str, rows: list[dict[str, Any]]) -> None:
    """Add rows, or bring those with the same key up to date."""
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name != key}
    await session.exec(statement.on_conflict_do_update(index_elements=[key], set_=changed), params=rows)


async def replace_trusts(session: AsyncSession, row: Release, records: Sequence[TrustRecord]) -> None:
    """The trusts as the release has them; one that vanished is deleted, or `gone` where something names it."""
    await upsert(session, Trust, "uid", [{**asdict(each), "release_id": row.id} for each in records])
    named = exists().where(col(Membership.trust_uid) == col(Trust.uid))
    fenced = exists().where(col(RingFence.supplier_uid) == col(Trust.uid))
    vanished = col(Trust.release_id) != row.id
    for statement in (
        delete(Trust).where(vanished, ~named, ~fenced),
        update(Trust).where(vanished).values(status=GONE),
    ):
        await session.exec(statement.execution_options(synchronize_session=False))


async def replace_links(session: AsyncSession, row: Release, records: Sequence[EstablishmentLinkRecord]) -> None:
    """The links between establishments as the release has them, and the schools that follow from them."""
    await session.exec(delete(EstablishmentLink))
    session.add(RegisterChange(id=uuid7()))
    columns = ("urn", "linked_urn", "kind", "established_on", "release_id")
    rows = [(each.urn, each.linked_urn, each.kind, each.established_on, row.id) for each in records]
    await copy_rows(session, EstablishmentLink, columns, rows)
    await unite(session)


def with_status(
    each: EstablishmentRecord, known: Lifetime | None, succeeded_on: date | None, on: date
) -> tuple[EstablishmentRecord, bool]:
    """The establishment with a status, and whether that is guessed; see `rules.schools.lifetime`."""
    if each.status is not None:
        return each, False
    status, opened_on, closed_on, guessed = lifetime(known, each.opened_on, each.closed_on, succeeded_on, on)
    said = each.unsaid - DATED
    return each._replace(status=status, opened_on=opened_on, closed_on=closed_on, unsaid=said), guessed
