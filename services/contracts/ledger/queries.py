"""Every SELECT on the ledger."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import LedgerEntry
from services.contracts.rules.ledger import Account

Part = tuple[str, str]
Held = dict[Part, dict[tuple[Account, UUID | None], int]]


async def balances(session: AsyncSession, contract_ids: Sequence[UUID]) -> dict[UUID, Held]:
    """By contract: what each account holds of each part of its value, by claim where money is in one, in pence.

    A function of the database tells it, since who may make a contract move may not see every entry.
    """
    found: dict[UUID, Held] = {each: defaultdict(dict) for each in contract_ids}
    statement = text(
        "SELECT asked.id, b.* FROM unnest(CAST(:ids AS uuid[])) AS asked (id), contracts.balances(asked.id) AS b"
    )
    for contract_id, kind, code, account, claim_id, amount in await session.execute(
        statement, {"ids": list(contract_ids)}
    ):
        found[contract_id][kind, code][Account(account), claim_id] = amount
    return found


async def entries(session: AsyncSession, *, contract_ids: list[UUID]) -> list[LedgerEntry]:
    """All entries of contracts, in the order in which they were made."""
    statement = select(LedgerEntry).where(col(LedgerEntry.contract_id).in_(contract_ids))
    ordered = statement.order_by(col(LedgerEntry.recorded_at), col(LedgerEntry.id))
    return list(await session.exec(ordered))
