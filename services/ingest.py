"""Ingesting a published file from the command line: the same steps as through the API, done at once."""

import asyncio
import csv
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from services.kernel.auth import service_caller
from services.kernel.db import Database
from services.kernel.types import london_date, real_now
from services.outcomes.feeds import FEEDS
from services.outcomes.models import Rejection, Release
from services.outcomes.releases import jobs, queries, service
from services.outcomes.rules.releases import Stage, Status

__all__ = ["FEEDS", "Publication", "Summary", "ingest_file", "write_rejections"]
OPERATOR = service_caller("operator")
ALL_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Publication:
    """What a file is: `academic_year` is the year in which it starts, None where the file names its own."""

    feed: str
    academic_year: int | None
    stage: Stage
    published_on: date


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file."""

    release: Release
    rejections: list[Rejection]

    @property
    def refused(self) -> bool:
        """Whether nothing of the file was kept."""
        return self.release.status == Status.REFUSED

    def words(self) -> str:
        """A sentence or two for the person who sent it."""
        row = self.release
        if self.refused:
            return f"Refused ({row.reason_code}): {row.detail}"
        counts = f"{row.rows_read} rows: {row.rows_accepted} accepted, {row.rows_ignored} ignored"
        why = f" ({row.reason_code})" if row.reason_code else ""
        return f"Release {row.number} of {row.feed} is {row.status}{why}. {counts}, {row.rows_rejected} rejected."


async def ingest_file(database: Database, file: Path, asked: Publication, now: datetime) -> Summary:
    """Receive the file and read it now; raises a 422 for what no feed could read."""
    content = await asyncio.to_thread(file.read_bytes)
    async with database.transaction(OPERATOR) as session:
        row = await service.receive(
            session,
            feed=asked.feed,
            academic_year=asked.academic_year,
            stage=asked.stage,
            published_on=asked.published_on,
            filename=file.name,
            content=content,
            caller=OPERATOR,
            today=london_date(real_now()),
            now=now,
        )
    await jobs.ingest(database, str(row.id), now, content)
    async with database.transaction(OPERATOR) as session:
        found = await queries.release(session, row.id)
        return Summary(found, await queries.rejections_page(session, row.id, after=None, limit=ALL_ROWS))


def write_rejections(path: Path, rejections: list[Rejection]) -> None:
    """List rejected rows in a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "key", "code", "detail"))
        writer.writerows((each.row, each.key, each.code, each.detail) for each in rejections)
