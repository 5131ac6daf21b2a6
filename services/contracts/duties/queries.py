"""Every SELECT for duties."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.conduct import Finding, KpiAssessment, Notice, Variation
from services.contracts.models import Contract, Payment
from services.contracts.queries import scope, those_with
from services.contracts.rules.performance import FindingKind
from services.contracts.rules.variations import VariationStatus
from services.kernel.auth import Caller


async def entered(session: AsyncSession, caller: Caller, contract_id: UUID | None) -> list[Contract]:
    """Contracts that were signed by all: one, or every one that the caller may see."""
    statement = select(Contract).where(col(Contract.entered_on).is_not(None), *those_with(scope(caller)))
    if contract_id is not None:
        statement = statement.where(Contract.id == contract_id)
    return list(await session.exec(statement.order_by(col(Contract.id))))


async def notices(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Notice]:
    """Notices that were published, in the order in which they were noted."""
    statement = select(Notice).where(col(Notice.contract_id).in_(contract_ids))
    return list(await session.exec(statement.order_by(col(Notice.contract_id), col(Notice.number))))


async def variations(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Variation]:
    """Variations that every party has signed."""
    signed = (VariationStatus.AGREED, VariationStatus.IN_FORCE)
    wanted = (col(Variation.contract_id).in_(contract_ids), col(Variation.status).in_(signed))
    return list(await session.exec(select(Variation).where(*wanted)))


async def assessments(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[KpiAssessment]:
    """Assessments of the suppliers."""
    return list(await session.exec(select(KpiAssessment).where(col(KpiAssessment.contract_id).in_(contract_ids))))


async def findings(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Finding]:
    """Findings of poor performance."""
    wanted = (col(Finding.contract_id).in_(contract_ids), Finding.kind == FindingKind.POOR_PERFORMANCE)
    return list(await session.exec(select(Finding).where(*wanted)))


async def claimed(session: AsyncSession, contract_ids: Sequence[UUID]) -> list[Payment]:
    """Payments that a certified claim asks for."""
    wanted = (col(Payment.contract_id).in_(contract_ids), col(Payment.due_on).is_not(None))
    return list(await session.exec(select(Payment).where(*wanted)))
