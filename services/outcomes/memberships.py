"""Who belongs to which trust: what snapshots of the register show, brought together with what is known."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.types import uuid7
from services.outcomes import queries
from services.outcomes.copies import copy_rows
from services.outcomes.feeds.records import GroupLinkRecord
from services.outcomes.models import Event, Release
from services.outcomes.rules.membership import Member, Sight, one_trust, reconcile
from services.outcomes.schools import Membership


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
