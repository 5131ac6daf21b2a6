"""Every change leaves an event in its own transaction; other services read them in order and skip none."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.kernel.db import Table
from services.kernel.types import plain, uuid7


class EventRow(Table):
    """One change: what happened to which subject, who did it, and the values that matter. Never updated.

    `txid` is the writing transaction. Readers go by (txid, position) below the oldest running transaction, so an
    event whose transaction commits late is never skipped.
    """

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    position: int = Field(default=None, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    txid: int = Field(
        default=None,
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text("(pg_current_xact_id()::text::bigint)")},
    )
    type: str = Field(max_length=60)
    subject_id: UUID = Field(index=True)
    data: dict[str, Any] = Field(sa_type=JSONB)
    actor: dict[str, Any] = Field(sa_type=JSONB)
    occurred_at: datetime = Field(sa_type=DateTime(timezone=True))


class CursorRow(Table):
    """How far the events of another service have been read."""

    source: str = Field(primary_key=True, max_length=20)
    txid: int = Field(default=0, sa_type=BigInteger)
    position: int = Field(default=0, sa_type=BigInteger)


def record(
    session: AsyncSession,
    table: type[EventRow],
    *,
    kind: str,
    subject_id: UUID,
    actor: dict[str, Any],
    data: dict[str, Any],
    now: datetime,
) -> None:
    """Write an event in the caller's transaction; `data` may not hold personal data."""
    session.add(table(**happened(kind=kind, subject_id=subject_id, actor=actor, data=data, now=now)))


def happened(
    *, kind: str, subject_id: UUID, actor: dict[str, Any], data: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """The values of an event."""
    row = {"id": uuid7(), "type": kind, "subject_id": subject_id, "occurred_at": now}
    return row | {"data": plain(data), "actor": plain(actor)}


async def read_after(
    session: AsyncSession, table: type[EventRow], *, after: tuple[int, int], limit: int
) -> list[dict[str, Any]]:
    """The next events after the place `(txid, position)`, in the order in which they may be relied on."""
    statement = text(
        f"SELECT id, txid, position, type, subject_id, data, actor, occurred_at FROM {table.__table__.fullname}"  # type: ignore[attr-defined]  # noqa: S608
        " WHERE txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AND (txid, position) > (:txid, :position)"
        " ORDER BY txid, position LIMIT :limit"
    )
    rows = await session.execute(statement, {"txid": after[0], "position": after[1], "limit": limit})
    return [dict(row) for row in rows.mappings()]


Cursor = TypeVar("Cursor", bound=CursorRow)


async def locked_cursor(session: AsyncSession, table: type[Cursor], source: str) -> Cursor:
    """How far a service's events were read, locked against another reader; made where it is missing."""
    row = (await session.exec(select(table).where(col(table.source) == source).with_for_update())).one_or_none()
    if row is None:
        row = table(source=source)
        session.add(row)
        await session.flush()
    return row
