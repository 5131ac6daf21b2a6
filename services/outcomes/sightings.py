"""What the register shows of who is in which trust, and what is known to be over: SELECTs for memberships."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.feeds.gias_establishments import WITHOUT_TRUST
from services.outcomes.models import Rejection

CLOSED_TRUST = "t.status = 'closed' AND coalesce(t.closed_on, :told) <= :on"
SHOWN = text(
    "SELECT e.urn, e.trust_uid, e.left_on FROM (SELECT urn, CASE WHEN NOT closed THEN trust_uid END AS trust_uid,"  # noqa: S608
    " CASE WHEN closed THEN closed_on END AS left_on FROM (SELECT urn, trust_uid, closed_on,"
    " status = 'closed' OR coalesce(closed_on <= :on, false) AS closed FROM outcomes.establishment) AS said) AS e"
    " LEFT JOIN outcomes.membership AS m ON m.urn = e.urn AND (m.left_on IS NULL OR m.left_inferred"
    " AND m.left_on >= e.left_on) WHERE (e.trust_uid IS DISTINCT FROM m.trust_uid OR m.source = 'transfer'"
    " OR (m.joined_inferred AND m.joined_on > :on)) AND (:told < :on OR NOT EXISTS (SELECT FROM outcomes.trust AS t"
    f" WHERE t.uid = e.trust_uid AND {CLOSED_TRUST})) ORDER BY e.urn"
)


async def trusts_shown(session: AsyncSession, on: date) -> list[tuple[int, str | None, date | None]]:
    """URN, trust and, for a closed one, day of closing of establishments whose membership is to be looked at.

    That is where it is another one or none, came by a transfer, began on a day that was inferred and after this one, or
    ended on such a day after the closing. Not those in a trust of which no older groups say that it has closed.
    """
    facts = {"on": on, "told": await told_on(session, "gias_groups")}
    return [(urn, uid, left) for urn, uid, left in await session.execute(SHOWN, facts)]


TOLD_ON = text(
    "SELECT max(r.confirmed_on) FROM outcomes.current_release AS c JOIN outcomes.release AS r"
    " ON r.id = c.release_id WHERE c.feed = :feed"
)


async def told_on(session: AsyncSession, feed: str) -> date:
    """The last day of which what counts of a feed of the register is told."""
    return (await session.execute(TOLD_ON, {"feed": feed})).scalar_one() or date.min


async def trusts_told_on(session: AsyncSession) -> date:
    """The day of which the establishments that count tell trusts; the first of all days where they do not."""
    asked = text(
        "SELECT r.layout FROM outcomes.current_release AS c JOIN outcomes.release AS r ON r.id = c.release_id"
        " WHERE c.feed = 'gias_establishments'"
    )
    layout = (await session.execute(asked)).scalar_one_or_none()
    return date.min if layout in WITHOUT_TRUST else await told_on(session, "gias_establishments")


async def closed_trusts(session: AsyncSession, on: date) -> tuple[bool, dict[str, date | None]]:
    """Trusts that had closed by this day as the groups have it, and whether these are as new as that day."""
    told = await told_on(session, "gias_groups")
    asked = text(f"SELECT t.uid, t.closed_on FROM outcomes.trust AS t WHERE {CLOSED_TRUST}")  # noqa: S608
    found = await session.execute(asked, {"on": on, "told": told})
    return told >= on, {uid: closed_on for uid, closed_on in found}  # noqa: C416


async def closed_schools(session: AsyncSession, on: date) -> dict[int, date | None]:
    """Establishments that had closed by this day, with the day of it."""
    asked = text("SELECT urn, closed_on FROM outcomes.establishment WHERE closed_on <= :on OR status = 'closed'")
    return {urn: closed_on for urn, closed_on in await session.execute(asked, {"on": on})}  # noqa: C416


UNLISTED = text(
    "SELECT m.urn, m.trust_uid, m.source FROM outcomes.membership AS m WHERE m.left_on IS NULL AND m.joined_on < :on"
    " AND m.urn <> ALL(:urns) AND (:shown < :on OR NOT EXISTS (SELECT FROM outcomes.establishment AS e"
    " WHERE e.urn = m.urn AND e.trust_uid = m.trust_uid AND e.status <> 'closed')) ORDER BY m.urn"
)


async def unlisted(session: AsyncSession, urns: Sequence[int], on: date) -> list[tuple[int, str, str]]:
    """URN, trust and source of memberships from before this day of none of these schools.

    Without those that the establishments of the day, or a later one, show.
    """
    facts = {"urns": list(urns), "on": on, "shown": await told_on(session, "gias_establishments")}
    return [(urn, uid, source) for urn, uid, source in await session.execute(UNLISTED, facts)]


async def rejected_keys(session: AsyncSession, release_id: UUID) -> set[str]:
    """What the rejected rows of a release are known by."""
    return {key or "" for key in await session.exec(select(Rejection.key).where(Rejection.release_id == release_id))}


CLOSED_WITH_TRUST = text(
    "SELECT m.urn, m.trust_uid, t.closed_on FROM outcomes.membership AS m JOIN outcomes.trust AS t"
    " ON t.uid = m.trust_uid WHERE t.status = 'closed' AND coalesce(t.closed_on <= :told, true)"
    " AND ((m.left_inferred AND t.closed_on > m.joined_on AND t.closed_on <= m.left_on) OR (m.left_on IS NULL"
    " AND :linked <= :told AND (m.source <> 'transfer' OR t.closed_on > m.joined_on) AND (:shown <= :told"
    " OR NOT EXISTS (SELECT FROM outcomes.establishment AS e WHERE e.urn = m.urn AND e.trust_uid = m.trust_uid"
    " AND e.status <> 'closed')))) ORDER BY m.urn, m.joined_on"
)


async def members_of_closed_trusts(session: AsyncSession) -> tuple[date, list[tuple[int, str, date | None]]]:
    """The day of the groups, and URN, trust and its closing of memberships that go beyond the closing, or may do so.

    Without those that are shown by group links or establishments of a later day.
    """
    told, linked, shown = [
        await told_on(session, feed) for feed in ("gias_groups", "gias_group_links", "gias_establishments")
    ]
    found = await session.execute(CLOSED_WITH_TRUST, {"told": told, "linked": linked, "shown": shown})
    return told, [(urn, uid, closed_on) for urn, uid, closed_on in found]
