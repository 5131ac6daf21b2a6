"""Every SELECT on single milestones and on records that have arrived."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.models import AppliedRecord, AppliedWithdrawal, Milestone
from services.contracts.rules.milestones import Applied


async def applied_record(session: AsyncSession, record_id: UUID) -> AppliedRecord | None:
    """What became of a record, when it has arrived before."""
    return await session.get(AppliedRecord, record_id)


async def results(session: AsyncSession, record_ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """What became of those of these records that have arrived before."""
    named = (AppliedRecord.record_id, AppliedRecord.contract_id, AppliedRecord.milestone_code, AppliedRecord.result)
    found = await session.execute(select(*named).where(col(AppliedRecord.record_id).in_(record_ids)))
    return {row["record_id"]: dict(row) for row in found.mappings()}


async def milestone(session: AsyncSession, contract_id: UUID, code: str) -> Milestone | None:
    """One milestone of a contract."""
    return await session.get(Milestone, (contract_id, code))


async def applied_withdrawal(session: AsyncSession, withdrawal_id: UUID) -> AppliedWithdrawal | None:
    """What became of a withdrawal, when it has arrived before."""
    return await session.get(AppliedWithdrawal, withdrawal_id)


async def standing_records(session: AsyncSession, contract_id: UUID, code: str) -> list[AppliedRecord]:
    """A milestone's records that were not taken back and of which it is known what they say, as they arrived."""
    statement = (
        select(AppliedRecord)
        .outerjoin(AppliedWithdrawal, col(AppliedWithdrawal.record_id) == AppliedRecord.record_id)
        .where(
            AppliedRecord.contract_id == contract_id,
            AppliedRecord.milestone_code == code,
            col(AppliedRecord.result).in_([Applied.APPLIED, Applied.ALREADY_MET]),
            col(AppliedRecord.status).is_not(None),
            col(AppliedRecord.occurred_on).is_not(None),
            col(AppliedWithdrawal.withdrawal_id).is_(None),
        )
        .order_by(col(AppliedRecord.applied_at), col(AppliedRecord.record_id))
    )
    return list(await session.exec(statement))
