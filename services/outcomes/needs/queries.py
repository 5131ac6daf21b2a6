"""Every SELECT for needs."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select as sa_select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes.evidence import Inspection
from services.outcomes.queries import among
from services.outcomes.schools import Establishment


class Named(NamedTuple):
    """A school as a list names it."""

    urn: int
    name: str
    region: str
    la_code: str
    la_name: str


async def named(session: AsyncSession, urns: Sequence[int]) -> dict[int, Named]:
    """These schools by their URN."""
    statement = sa_select(*(col(getattr(Establishment, name)) for name in Named._fields))
    rows = await session.execute(statement.where(among(Establishment.urn, urns)))
    return {row.urn: Named(*row) for row in rows}


async def last_inspected(session: AsyncSession) -> UUID | None:
    """The latest release that added an inspection: until there is another, nothing is known that was not."""
    last = sa_select(col(Inspection.release_id)).order_by(col(Inspection.release_id).desc()).limit(1)
    return (await session.execute(last)).scalar_one_or_none()
