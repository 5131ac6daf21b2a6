"""What a release does to the register: trusts, links, establishments, and who belongs to which trust."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.types import uuid7
from services.outcomes import establishments, queries
from services.outcomes.bulk import copy_rows
from services.outcomes.feeds.records import (
    EstablishmentLinkRecord,
    EstablishmentRecord,
    GroupLinkRecord,
    TrustRecord,
)
from services.outcomes.models import (
    EstablishmentLink,
    Event,
    Membership,
    OutcomesTable,
    Release,
    RingFence,
    Trust,
)
from services.outcomes.rules.columnar import column
from services.outcomes.rules.membership import Member, Sight, one_trust, reconcile
from services.outcomes.rules.statements import lines

GONE = "gone"


async def apply(
    session: AsyncSession,
    *,
    row: Release,
    records: Sequence[Any],
    said: Sequence[str],
    again: Sequence[int],
    caller: Caller,
    now: datetime,
) -> None:
    """Bring the register to what a release of reference data shows; `said` is a line of text for each record.

    Of the establishments with the URNs `again` it says what the register has.
    """
    kind = type(records[0]) if records else EstablishmentRecord
    if kind is TrustRecord:
        await replace_trusts(session, row, records)
    elif kind is EstablishmentLinkRecord:
        await replace_links(session, row, records)
    elif kind is EstablishmentRecord:
        if None in column(records, "status"):
            ended = await queries.ended_by_succession(session, row.published_on)
            records = [with_status(each, ended.get(each.urn)) for each in records]
            said = lines(records, establishments.ESTABLISHMENT)
        if records:
            await establishments.upsert(session, row, records, said, now)
        if again or records[0].says_trust:
            sights = await establishment_sights(session, row, {*again, *column(records, "urn")})
            await settle_memberships(session, sights, caller, now)
    elif kind is GroupLinkRecord:
        await settle_memberships(session, await group_sights(session, row, records), caller, now)
    else:
        raise TypeError(f"{row.feed} gives {kind.__name__}, which is no reference data.")


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
    """The links between establishments as the release has them."""
    await session.exec(delete(EstablishmentLink))
    columns = ("urn", "linked_urn", "kind", "established_on", "release_id")
    rows = [(each.urn, each.linked_urn, each.kind, each.established_on, row.id) for each in records]
    await copy_rows(session, EstablishmentLink, columns, rows)


def with_status(each: EstablishmentRecord, succeeded_on: date | None) -> EstablishmentRecord:
    """The establishment with a status: where its layout has none, it is open unless another has succeeded it."""
    if each.status is not None:
        return each
    if succeeded_on is None:
        return each._replace(status="open")
    return each._replace(status="closed", closed_on=each.closed_on or succeeded_on)


async def establishment_sights(session: AsyncSession, row: Release, urns: Collection[int]) -> dict[int, Sight]:
    """What the register's establishments say about trusts: no joining days; a closed school has left on closing.

    Only of those among `urns` of which something else is known, or a transfer that is to be confirmed.
    """
    shown = await queries.trusts_shown(session, row.published_on)
    return {urn: Sight(uid, None, row.published_on, row.feed, left) for urn, uid, left in shown if urn in urns}


async def group_sights(session: AsyncSession, row: Release, records: Sequence[GroupLinkRecord]) -> dict[int, Sight]:
    """What the register's group links say; a school that they lack is not thereby without a trust."""
    trusts = await queries.trusts(session, list({each.trust_uid for each in records}))
    closed = {each.uid for each in trusts if each.closed_on is not None and each.closed_on <= row.published_on}
    shown: dict[int, list[tuple[str, date | None]]] = {}
    for each in records:
        if each.trust_uid not in closed:
            shown.setdefault(each.urn, []).append((each.trust_uid, each.joined_on))
    return {urn: Sight(*one_trust(found), row.published_on, row.feed) for urn, found in shown.items()}


async def settle_memberships(session: AsyncSession, sights: dict[int, Sight], caller: Caller, now: datetime) -> None:
    """Bring the memberships of these schools to what a snapshot shows of them."""
    known: dict[int, list[Membership]] = {}
    looked_for: list[tuple[Membership, Sight, str]] = []
    for row in await queries.memberships(session, list(sights)):
        known.setdefault(row.urn, []).append(row)
    opened = []
    for urn, sight in sights.items():
        rows = known.get(urn, [])
        if not rows and sight.trust_uid is None:
            continue
        changes = reconcile([member(row) for row in rows], sight)
        changed = {each.id: each for each in changes.changed}
        for row in rows:
            if row.id in changed:
                each = changed[row.id]
                row.joined_on, row.joined_inferred = each.joined_on, each.joined_inferred
                row.left_on, row.left_inferred = each.left_on, each.left_inferred
                session.add(row)
        for each in changes.opened:
            opened.append((uuid7(), urn, each.trust_uid, each.joined_on, each.joined_inferred, False, each.source))
        if changes.unconfirmed or changes.confirmed:
            told = "confirmed" if changes.confirmed else "unconfirmed"
            looked_for.append((max(rows, key=lambda each: each.joined_on), sight, f"membership.{told}"))
    columns = ("id", "urn", "trust_uid", "joined_on", "joined_inferred", "left_inferred", "source")
    await copy_rows(session, Membership, columns, opened)
    last = await queries.last_events(session, [row.id for row, _sight, _kind in looked_for])
    for row, sight, kind in looked_for:
        if kind != "membership.confirmed" or last.get(row.id) != kind:
            flag(session, row, sight, kind, caller, now)


def member(row: Membership) -> Member:
    """The membership as the rules see it."""
    return Member(row.id, row.trust_uid, row.joined_on, row.joined_inferred, row.left_on, row.left_inferred, row.source)


def flag(session: AsyncSession, present: Membership, sight: Sight, kind: str, caller: Caller, now: datetime) -> None:
    """A later snapshot shows a transfer that was carried out, or does not: note it, and keep the transfer."""
    facts = {
        "urn": present.urn,
        "trust_uid": present.trust_uid,
        "transfer_id": present.transfer_id,
        "shown_trust_uid": sight.trust_uid,
        "shown_on": sight.on,
    }
    record(session, Event, kind=kind, subject_id=present.id, actor=caller.actor(), data=facts, now=now)
