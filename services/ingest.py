"""Ingesting a published file from the command line: the same steps as through the API, done at once."""

import asyncio
import csv
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.types import london_date, real_now
from services.outcomes import progress
from services.outcomes.arrivals import service
from services.outcomes.arrivals.service import Arrival
from services.outcomes.feeds import FEEDS
from services.outcomes.models import Rejection, Release
from services.outcomes.progress import Phase
from services.outcomes.releases import jobs, queries
from services.outcomes.releases.reading import Base
from services.outcomes.releases.schemas import years_of
from services.outcomes.rules.releases import Part, Status

__all__ = ["FEEDS", "Arrival", "Summary", "ingest_bytes", "ingest_file", "write_rejections"]
OPERATOR = service_caller("operator")
ALL_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file, and what it counts for."""

    release: Release
    rejections: list[Rejection]
    parts: list[Part]

    @property
    def refused(self) -> bool:
        """Whether nothing of the file was kept."""
        return self.release.status == Status.REFUSED

    def words(self) -> str:
        """A few sentences for the person who sent it."""
        row = self.release
        if self.refused:
            return f"Refused ({row.reason_code}): {row.detail}"
        why = f" ({row.reason_code})" if row.reason_code else ""
        counts = f"{row.rows_read:,} rows: {row.rows_accepted:,} accepted, {row.rows_ignored:,} ignored"
        reasons = Counter(each.code for each in self.rejections).most_common()
        named = f" ({', '.join(f'{code} {count:,}' for code, count in reasons)})" if reasons else ""
        years = years_of(self.parts)
        counting = f" Counts for {', '.join(years)}." if years else ""
        said = f"Release {row.number} of {row.feed} is {row.status}{why}. {counts}, {row.rows_rejected:,} rejected"
        return f"{said}{named}.{counting}{f' {row.detail}' if row.detail else ''}"


def read_file(path: Path) -> bytes:
    """The bytes of a file."""
    progress.begin(Phase.READING, path.stat().st_size)
    content = path.read_bytes()
    progress.add(len(content))
    return content


async def ingest_file(database: Database, file: Path, asked: Arrival, now: datetime) -> Summary:
    """Receive the file and read it now; raises a 422 for what no feed could read."""
    service.feed_of(asked.feed, asked.academic_year)
    content, base = await asyncio.gather(asyncio.to_thread(read_file, file), jobs.base_of(database, asked.feed))
    return await ingest(database, file.name, content, base, asked, now)


async def ingest_bytes(database: Database, name: str, content: bytes, asked: Arrival, now: datetime) -> Summary:
    """Receive the bytes of a file and read them now; raises a 422 for what no feed could read."""
    service.feed_of(asked.feed, asked.academic_year)
    return await ingest(database, name, content, await jobs.base_of(database, asked.feed), asked, now)


async def ingest(
    database: Database, name: str, content: bytes, base: Base | None, asked: Arrival, now: datetime
) -> Summary:
    """Receive the bytes of a file and read them meanwhile, beside the release that counts."""
    reading = asyncio.create_task(jobs.found_in(asked.feed, asked.academic_year, content, base))
    try:
        async with database.transaction(OPERATOR) as session:
            row = await service.receive(
                session,
                asked=asked,
                filename=name,
                content=content,
                caller=OPERATOR,
                today=london_date(real_now()),
                now=now,
            )
    except BaseException:
        reading.cancel()
        raise
    await jobs.settle(database, row, content, await reading, now)
    async with database.transaction(OPERATOR) as session:
        found = await queries.release(session, row.id)
        rejections = await queries.rejections_page(session, row.id, after=None, limit=ALL_ROWS)
        return Summary(found, rejections, (await queries.held(session, [row.id]))[row.id])


def write_rejections(path: Path, rejections: list[Rejection]) -> None:
    """List rejected rows in a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "key", "code", "detail"))
        writer.writerows((each.row, each.key, each.code, each.detail) for each in rejections)
