"""Every SELECT about contracts as the gateway follows them."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.models import ContractRef


async def frozen(session: AsyncSession, contract_ids: Sequence[str]) -> set[str]:
    """Which of these contracts are known here to be transferred: nothing of them changes any more."""
    wanted = [UUID(each) for each in contract_ids]
    statement = select(ContractRef.contract_id).where(
        col(ContractRef.contract_id).in_(wanted), ContractRef.status == "transferred"
    )
    return {str(each) for each in await session.exec(statement)}
