"""Every SELECT for evaluations: the contracts that have one."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.models import Contract

MOST = 1000


async def evaluated(session: AsyncSession) -> list[Contract]:
    """The contracts that the caller may see and that have a verdict, the newest contracts first; a thousand at most."""
    has_one = col(Contract.evaluation)["id"].as_string().is_not(None)
    return list(await session.exec(select(Contract).where(has_one).order_by(col(Contract.id).desc()).limit(MOST)))
