"""Every SELECT on assessments and findings."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import Finding, KpiAssessment


async def assessments(session: AsyncSession, contract_ids: list[UUID]) -> list[KpiAssessment]:
    """KPI assessments in the order in which they were made."""
    statement = select(KpiAssessment).where(col(KpiAssessment.contract_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(KpiAssessment.number))))


async def assessed(session: AsyncSession, contract_id: UUID, evaluation_id: UUID) -> bool:
    """Whether this evaluation has been taken as an assessment already."""
    made = (KpiAssessment.contract_id == contract_id, KpiAssessment.evaluation_id == evaluation_id)
    return (await session.exec(select(KpiAssessment.number).where(*made))).first() is not None


async def findings(session: AsyncSession, contract_ids: list[UUID]) -> list[Finding]:
    """Opportunities to improve and findings, in the order in which they were recorded."""
    statement = select(Finding).where(col(Finding.contract_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(Finding.number))))
