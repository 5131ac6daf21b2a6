"""Every SELECT for shortlists."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.queries import among
from services.outcomes.schools import Establishment, Membership


async def present_members(session: AsyncSession, trust_uids: Sequence[str]) -> dict[str, list[Establishment]]:
    """By trust: the open establishments that are its members now, by URN."""
    statement = (
        select(Membership.trust_uid, Establishment)
        .join(Establishment, col(Establishment.urn) == col(Membership.urn))
        .where(among(Membership.trust_uid, trust_uids), col(Membership.left_on).is_(None))
        .where(col(Establishment.status).startswith("open", autoescape=True))
        .order_by(col(Establishment.urn))
    )
    found: dict[str, list[Establishment]] = {}
    for uid, row in await session.exec(statement):
        found.setdefault(uid, []).append(row)
    return found
