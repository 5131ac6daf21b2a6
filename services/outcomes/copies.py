"""Adding many rows at once, by COPY."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import progress
from services.outcomes.models import OutcomesTable

AT_ONCE = 1_000
"""Lines that are sent together: few, so that the database begins early, and it is seen how far the work has come."""


async def driver(session: AsyncSession) -> Any:
    """The connection of the session's transaction as the driver has it, after all that the session was told before."""
    await session.flush()
    return (await (await session.connection()).get_raw_connection()).driver_connection


async def copy_rows(
    session: AsyncSession, table: type[OutcomesTable], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add many rows in the session's transaction."""
    connection = await driver(session)
    name = table.__table__.fullname  # type: ignore[attr-defined]
    async with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            await copy.write_row(row)
            progress.add(1)


async def copy_lines(session: AsyncSession, name: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Add many rows that are written as COPY takes them to a table, in the session's transaction.

    Lines that are made as they are taken are made while the database works on those before.
    """
    connection, left = await driver(session), iter(lines)
    async with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        while batch := list(islice(left, AT_ONCE)):
            await copy.write("\n".join(batch) + "\n")
            progress.add(len(batch))
