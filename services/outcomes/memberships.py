"""Who belongs to which trust: what snapshots of the register show, brought together with what is known."""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.auth import Caller
from services.kernel.events import record
from services.kernel.types import uuid7
from services.outcomes import queries, sightings
from services.outcomes.copies import copy_rows
from services.outcomes.feeds.records import GroupLinkRecord
from services.outcomes.models import Event, Release
from services.outcomes.rules.membership import TRANSFER, Member, Sight, one_trust, reconcile
from services.outcomes.rules.releases import a_part
from services.outcomes.schools import Membership

Sights = dict[int, list[Sight]]
"""What a snapshot shows of schools; of one in a trust that has closed and in another, the closed one first."""
URNS = re.compile("[1-9][0-9]{5}")
Earlier = Callable[[], Awaitable[Sequence[GroupLinkRecord]]]
"""Reads the group links that counted before, if they are of an earlier day."""


async def establishment_sights(session: AsyncSession, row: Release, urns: Collection[int]) -> Sights:
    """What the register's establishments say about trusts: no joining days; a closed school has left on closing.

    Only of those among `urns` of which something else is known, or a transfer that is to be confirmed.
    """
    shown = await sightings.trusts_shown(session, row.published_on)
    return {urn: [Sight(uid, None, row.published_on, row.feed, left)] for urn, uid, left in shown if urn in urns}


async def group_sights(
    session: AsyncSession, row: Release, records: Sequence[GroupLinkRecord], earlier: Earlier
) -> Sights:
    """What the register's group links say: who is in which trust, and who was in one until it closed.

    The files list some schools that have closed themselves: these are in no trust.
    """
    on, shown = row.published_on, dict[int, list[tuple[str, date | None]]]()
    newer, trusts = await sightings.closed_trusts(session, on)
    schools = await sightings.closed_schools(session, on)
    found = await absent(session, row, records, earlier)
    for each in records:
        known = each.trust_uid in trusts and (newer or each.closed is None)
        if each.closed or known or each.urn in schools:
            days = (each.closed_on, trusts.get(each.trust_uid) if known else None, schools.get(each.urn))
            left = min((day for day in days if day is not None and day <= on), default=None)
            over = Sight(each.trust_uid, each.joined_on, on, row.feed, left, closed=True)
            found.setdefault(each.urn, []).append(over)
        else:
            shown.setdefault(each.urn, []).append((each.trust_uid, each.joined_on))
    for urn, trusts_of in shown.items():
        found.setdefault(urn, []).append(Sight(*one_trust(trusts_of), on, row.feed))
    return found


async def absent(session: AsyncSession, row: Release, records: Sequence[GroupLinkRecord], earlier: Earlier) -> Sights:
    """Schools in a trust that the group links lack, though links of an earlier day showed them there: they have left.

    The file lists all schools in trusts, so that a school which it lacks is in none. That is not concluded of schools
    whose row was rejected, or that the establishments of the same or a later day show in the trust; nor of any, where a
    rejected row does not tell which school it is about, or the file lacks so many members that it may be a part of all.
    """
    lacking = await sightings.unlisted(session, [each.urn for each in records], row.published_on)
    rejected = await sightings.rejected_keys(session, row.id) if lacking else set()
    if not lacking or not all(map(URNS.fullmatch, rejected)):
        return {}
    before = {(each.urn, each.trust_uid) for each in await earlier() if not each.closed}
    listed = {each.urn for each in records} | set(map(int, rejected))
    gone = [
        urn
        for urn, uid, source in lacking
        if before and urn not in listed and ((urn, uid) in before or source in {row.feed, TRANSFER})
    ]
    if a_part(len(gone), len(gone) + len(listed)):
        return {}
    return {urn: [Sight(None, None, row.published_on, row.feed)] for urn in gone}


async def later_sights(session: AsyncSession, row: Release, records: Sequence[GroupLinkRecord]) -> Sights:
    """What establishments of a later day show of schools that these group links put into a trust; not of transfers."""
    on = await sightings.trusts_told_on(session)
    if on <= row.published_on:
        return {}
    listed = {each.urn for each in records}
    shown = [each for each in await sightings.trusts_shown(session, on) if each[0] in listed]
    known = await queries.memberships(session, [urn for urn, _, _ in shown])
    put = {each.urn for each in known if each.left_on is None and each.source == row.feed}
    return {urn: [Sight(uid, None, on, "gias_establishments", left)] for urn, uid, left in shown if urn in put}


async def closing_sights(session: AsyncSession) -> Sights:
    """Members of trusts that have closed as the groups have it, where nothing newer shows that they are there still."""
    on, closed = await sightings.members_of_closed_trusts(session)
    return {urn: [Sight(uid, None, on, "gias_groups", left, closed=True)] for urn, uid, left in closed}


async def settle_memberships(session: AsyncSession, sights: Sights, caller: Caller, now: datetime) -> None:
    """Bring the memberships of these schools to what a snapshot shows of them."""
    known: dict[int, list[Membership]] = {}
    looked_for: list[tuple[Membership, Sight, str]] = []
    for row in await queries.memberships(session, list(sights)):
        known.setdefault(row.urn, []).append(row)
    opened = []
    for urn, shown in sights.items():
        rows = known.get(urn, [])
        if not rows and shown[-1].trust_uid is None:
            continue
        for sight in shown:
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
