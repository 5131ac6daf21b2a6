"""Many rows at once: by COPY, in the session's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.outcomes import progress
from services.outcomes.models import OutcomesTable


async def copy_rows(
    session: AsyncSession, table: type[OutcomesTable], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add many rows in the session's transaction, by COPY, after all that the session was told before."""
    await session.flush()
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    name = table.__table__.fullname  # type: ignore[attr-defined]
    async with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            await copy.write_row(row)
            progress.add(1)


AT_ONCE = 5_000


async def copy_lines(session: AsyncSession, name: str, columns: Sequence[str], lines: Sequence[str]) -> None:
    """Add many rows that are written as COPY takes them to a table, in the session's transaction."""
    await session.flush()
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    async with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for start in range(0, len(lines), AT_ONCE):
            batch = lines[start : start + AT_ONCE]
            await copy.write("\n".join(batch) + "\n")
            progress.add(len(batch))
