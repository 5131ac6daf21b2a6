"""Every SELECT about contracts as the gateway knows them, and about milestone records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.logbook import LogEntry
from services.gateway.models import ContractRef, Delivery, MilestoneRecord, Withdrawal
from services.gateway.wire import Wire
from services.kernel.auth import Caller
from services.kernel.idempotency import KEPT_HOURS

Json = dict[str, Any]
BEFORE_RECORDING = (
    "SELECT answers, refs FROM gateway.before_recording(%(callers)s::jsonb, make_interval(hours => %(kept)s))"
)
RECORD_MILESTONES = "SELECT gateway.record_milestones(%(callers)s::jsonb, %(beliefs)s::jsonb, %(jobs)s::jsonb) AS key"
"""Whole batches in a statement each; the functions act for one caller after another, under row-level security."""
UNDELIVERED = text(
    "SELECT r.id AS record_id, r.contract_id, r.milestone_code, r.status, r.occurred_on, r.recorded_at,"
    " r.recorded_by ->> 'client_id' AS recorded_by FROM gateway.milestone_record r"
    " LEFT JOIN gateway.delivery d ON d.record_id = r.id"
    " WHERE r.contract_id = ANY (CAST(:contract_ids AS uuid[])) AND d.record_id IS NULL"
    " ORDER BY r.contract_id, r.id LIMIT :limit"
)


async def contract_ref(session: AsyncSession, contract_id: UUID) -> ContractRef | None:
    """What the gateway knows of a contract, where the caller may see it."""
    statement = select(ContractRef).where(ContractRef.contract_id == contract_id)
    return (await session.exec(statement.execution_options(populate_existing=True))).one_or_none()


async def contract_refs(session: AsyncSession, wanted: Iterable[UUID]) -> list[ContractRef]:
    """What the gateway knows of these contracts, of those that the caller may see."""
    statement = select(ContractRef).where(col(ContractRef.contract_id).in_(sorted(wanted)))
    return list(await session.exec(statement.execution_options(populate_existing=True)))


@dataclass(frozen=True, slots=True)
class Ref:
    """What recording needs to know of a contract."""

    contract_id: UUID
    version: int
    reference: str
    status: str
    milestones: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was given under a key."""

    key: str
    fingerprint: str
    status: int
    body: str
    headers: dict[str, str]


async def before_recording(
    wire: Wire, wanted: Mapping[Caller, tuple[Sequence[str], Iterable[UUID]]]
) -> list[tuple[dict[str, Kept], dict[UUID, Ref]]]:
    """Answers under the keys, and the contracts, that each caller asks for and may see; old answers are forgotten."""
    callers = [
        {"bounds": caller.bounds(), "keys": keys, "contracts": [str(each) for each in contracts]}
        for caller, (keys, contracts) in wanted.items()
    ]
    found = await wire.rows(BEFORE_RECORDING, {"callers": to_json(callers).decode(), "kept": KEPT_HOURS})
    return [
        (
            {each["key"]: Kept(**each) for each in row["answers"] or ()},
            {(ref := ref_of(each)).contract_id: ref for each in row["refs"] or ()},
        )
        for row in found
    ]


def ref_of(found: Mapping[str, Any]) -> Ref:
    """The contract as the database tells it."""
    return Ref(
        UUID(found["contract_id"]),
        found["version"],
        found["reference"],
        found["status"],
        frozenset(found["milestones"]),
    )


async def record_milestones(wire: Wire, callers: Sequence[Json], jobs: Sequence[Json]) -> set[str]:
    """Write records with their answers, leaves and events, for each caller what it may, and jobs; durably.

    Gives the keys under which that was done. Nothing is written under a key that is taken, nor under one of whose
    records a contract has another version than was thought or is not the caller's, nor for a caller that is not what
    it was believed to be.
    """
    sent = {"callers": callers, "beliefs": [caller["belief"] for caller in callers], "jobs": jobs}
    values = {name: to_json(each).decode() for name, each in sent.items()}
    return {row["key"] for row in await wire.rows(RECORD_MILESTONES, values)}


Standing = tuple[MilestoneRecord, str | None, int | None, datetime | None]
"""A record, what became of it at its contract, its place in the log, and when it was withdrawn."""


async def records_page(session: AsyncSession, contract_id: UUID, *, after: UUID | None, limit: int) -> list[Standing]:
    """A contract's records after a place, oldest first, each with what became of it."""
    statement = (
        select(MilestoneRecord, Delivery.result, Withdrawal.withdrawn_at)
        .outerjoin(Delivery, col(Delivery.record_id) == MilestoneRecord.id)
        .outerjoin(Withdrawal, col(Withdrawal.record_id) == MilestoneRecord.id)
        .where(MilestoneRecord.contract_id == contract_id)
        .order_by(col(MilestoneRecord.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(MilestoneRecord.id > after)
    found = list(await session.exec(statement))
    in_log = await log_places(session, [row.leaf_hash for row, _, _ in found])
    return [(row, result, in_log.get(row.leaf_hash), gone) for row, result, gone in found]


async def log_places(session: AsyncSession, leaf_hashes: Sequence[str]) -> dict[str, int]:
    """By leaf hash: the place in the log. Row-level security lets no join through `decode` use the index."""
    wanted = [bytes.fromhex(each) for each in leaf_hashes]
    statement = select(LogEntry.leaf_hash, LogEntry.index).where(col(LogEntry.leaf_hash).in_(wanted))
    return {digest.hex(): place for digest, place in await session.exec(statement)}


async def undelivered(session: AsyncSession, contract_ids: Sequence[UUID], limit: int) -> list[Mapping[str, Any]]:
    """What contracts are to know of records that have not reached them, each contract's oldest first."""
    found = await session.execute(UNDELIVERED, {"contract_ids": list(contract_ids), "limit": limit})
    return [dict(row) for row in found.mappings()]


async def withdrawal_of(session: AsyncSession, record_id: UUID) -> Withdrawal | None:
    """The withdrawal of a record, where it was taken back."""
    return (await session.exec(select(Withdrawal).where(Withdrawal.record_id == record_id))).one_or_none()
