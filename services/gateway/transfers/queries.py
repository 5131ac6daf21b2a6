"""Every SELECT and lock about transfers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, text
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.joining import Consent, Discrepancy, EffectiveDay, Fulfilment, HandOver, Transfer, TransferStep
from services.gateway.models import ContractRef
from services.gateway.rules.day import Listed
from services.gateway.rules.steps import Section
from services.kernel.errors import NotFound


async def transfer(session: AsyncSession, transfer_id: UUID, *, locked: bool = False) -> Transfer:
    """The transfer, on request locked until the end of the transaction; raises NotFound when it is not theirs."""
    statement = select(Transfer).where(Transfer.id == transfer_id)
    if locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = (await session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound("No such transfer.")
    return found


async def locked_transfers(session: AsyncSession, transfer_ids: Sequence[UUID]) -> list[Transfer]:
    """Transfers, locked until the end of the transaction, always in the same order; raises NotFound."""
    statement = select(Transfer).where(col(Transfer.id).in_(transfer_ids)).order_by(col(Transfer.id))
    found = list(await session.exec(statement.with_for_update().execution_options(populate_existing=True)))
    if len(found) < len(set(transfer_ids)):
        raise NotFound("No such transfer.")
    return found


async def live_transfer(session: AsyncSession, contract_id: UUID) -> Transfer | None:
    """The contract's transfer that was not cancelled, locked until the end of the transaction."""
    statement = select(Transfer).where(Transfer.contract_id == contract_id, Transfer.status != "cancelled")
    found = await session.exec(statement.with_for_update().execution_options(populate_existing=True))
    return found.one_or_none()


async def given_up(session: AsyncSession, contract_id: UUID, evaluation_id: str) -> bool:
    """Whether the commissioner has cancelled a transfer that was proposed on this verdict."""
    statement = select(Transfer.id).where(
        Transfer.contract_id == contract_id,
        Transfer.reason_code == "cancelled_by_commissioner",
        col(Transfer.evidence)[("evaluation", "id")].astext == evaluation_id,
    )
    return (await session.exec(statement)).first() is not None


def needs_attention(now: datetime) -> ColumnElement[bool]:
    """Whether something about a transfer waits for a person: a discrepancy, or a hand-over not acknowledged in time."""
    open_one = exists().where(col(Discrepancy.transfer_id) == col(Transfer.id), col(Discrepancy.closed_at).is_(None))
    late = exists().where(
        and_(
            col(HandOver.transfer_id) == col(Transfer.id),
            col(HandOver.acknowledged_at).is_(None),
            col(HandOver.due_at) < now,
        )
    )
    return or_(open_one, late)


async def transfers_page(
    session: AsyncSession, *, status: str | None, attention: bool | None, after: UUID | None, limit: int, now: datetime
) -> list[Transfer]:
    """Transfers after a place, oldest first: with this status, and with or without something to be cleared up."""
    statement = select(Transfer).order_by(col(Transfer.id)).limit(limit)
    if status is not None:
        statement = statement.where(Transfer.status == status)
    if attention is not None:
        statement = statement.where(needs_attention(now) if attention else ~needs_attention(now))
    if after is not None:
        statement = statement.where(Transfer.id > after)
    return list(await session.exec(statement))


async def consents(session: AsyncSession, transfer_ids: Sequence[UUID]) -> list[Consent]:
    """All decisions on transfers, in the order in which they were recorded."""
    statement = select(Consent).where(col(Consent.transfer_id).in_(transfer_ids)).order_by(col(Consent.id))
    return list(await session.exec(statement))


async def fulfilments(session: AsyncSession, consent_ids: Sequence[UUID]) -> dict[tuple[UUID, int], Fulfilment]:
    """By consent and number: the conditions of these consents that have been met."""
    if not consent_ids:
        return {}
    found = await session.exec(select(Fulfilment).where(col(Fulfilment.consent_id).in_(consent_ids)))
    return {(each.consent_id, each.number): each for each in found}


async def days(session: AsyncSession, transfer_ids: Sequence[UUID]) -> list[EffectiveDay]:
    """The days that were set for transfers, in the order in which they were."""
    statement = select(EffectiveDay).where(col(EffectiveDay.transfer_id).in_(transfer_ids))
    return list(await session.exec(statement.order_by(col(EffectiveDay.id))))


async def steps(session: AsyncSession, transfer_id: UUID) -> list[TransferStep]:
    """The steps of a transfer, in their order."""
    statement = select(TransferStep).where(TransferStep.transfer_id == transfer_id)
    return list(await session.exec(statement.order_by(col(TransferStep.place), col(TransferStep.key))))


async def step(session: AsyncSession, transfer_id: UUID, key: str) -> TransferStep:
    """One step of a transfer's list."""
    return await session.get_one(TransferStep, (transfer_id, key))


async def acts(session: AsyncSession, transfer_ids: Sequence[UUID]) -> dict[tuple[UUID, str], TransferStep]:
    """The acts of the day of transfers, by transfer and key."""
    statement = select(TransferStep).where(col(TransferStep.transfer_id).in_(transfer_ids))
    found = await session.exec(statement.where(TransferStep.section == Section.THE_DAY))
    return {(each.transfer_id, each.key): each for each in found}


async def listed(session: AsyncSession, transfer_ids: Sequence[UUID]) -> dict[UUID, list[Listed]]:
    """The lists of transfers as the rules of the day see them: columns, not rows, for a day on which many are due."""
    names = ("transfer_id", "key", "section", "status", "gate", "optional", "answer")
    columns = [col(getattr(TransferStep, name)) for name in names]
    statement = sa_select(*columns).where(col(TransferStep.transfer_id).in_(transfer_ids))
    found: dict[UUID, list[Listed]] = {}
    for row in await session.execute(statement.order_by(col(TransferStep.place))):
        transfer_id, key, section, status, gate, optional, answer = row
        found.setdefault(transfer_id, []).append(Listed(key, section, status, gate, optional, answer or {}))
    return found


async def hand_over(session: AsyncSession, transfer_id: UUID, *, locked: bool = False) -> HandOver | None:
    """The package of a transfer, where it has been made; on request locked until the end of the transaction."""
    statement = select(HandOver).where(HandOver.transfer_id == transfer_id)
    if locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.exec(statement)).one_or_none()


async def discrepancies(session: AsyncSession, transfer_id: UUID) -> list[Discrepancy]:
    """What did not agree with a transfer, in the order in which it was found."""
    statement = select(Discrepancy).where(Discrepancy.transfer_id == transfer_id)
    return list(await session.exec(statement.order_by(col(Discrepancy.id))))


async def completed_contracts(session: AsyncSession, supplier_uid: str | None = None) -> list[UUID]:
    """Contracts that may lead, or lead, to a transfer: completed ones, of this supplier or of all."""
    statement = select(ContractRef.contract_id).where(ContractRef.status == "completed")
    if supplier_uid is not None:
        statement = statement.where(ContractRef.supplier_uid == supplier_uid)
    return list(await session.exec(statement.order_by(col(ContractRef.contract_id))))


async def next_reference(session: AsyncSession, year: int) -> str:
    """The next public reference of a transfer, such as TRF-2024-000001."""
    number = (await session.execute(select(func.nextval(text("'gateway.reference'"))))).scalar_one()
    return f"TRF-{year}-{number:06d}"
