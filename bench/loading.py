"""Ingesting files by the product's own path, on a database of one's own."""

import asyncio
from datetime import date
from pathlib import Path

from bench.england.country import FIRST_YEAR, NOT_PUBLISHED, YEARS
from bench.england.files import Files
from bench.ground import Ground, code_version
from services.ingest import Arrival, ingest_file
from services.kernel.db import Database, role_url
from services.kernel.types import real_now
from services.outcomes.rules.releases import Stage

ON = date(2026, 3, 2)
RESULT_YEARS = tuple(year for year in range(FIRST_YEAR, FIRST_YEAR + YEARS) if year not in NOT_PUBLISHED)
ALL_YEARS = tuple(range(FIRST_YEAR, FIRST_YEAR + YEARS))


class NotIngested(RuntimeError):
    """The product refused or rejected what the benchmark gave it, so there is nothing to compare."""


Sent = tuple[str, int | None, Path]
"""Feed, academic year, file."""


def registers(files: Files) -> list[Sent]:
    """The register in the order in which it is published."""
    return [
        ("gias_groups", None, files.groups),
        ("gias_group_links", None, files.group_links),
        ("gias_links", None, files.links),
        ("gias_establishments", None, files.establishments),
    ]


def national(files: Files) -> list[Sent]:
    """Everything of six years."""
    found = registers(files)
    for year in RESULT_YEARS:
        found += [("ks2", year, files.ks2(year)), ("ks4", year, files.ks4(year))]
    for year in ALL_YEARS:
        found += [("absence", year, files.absence(year)), ("census", year, files.census(year))]
    return found


def ingest(url: str, sent: list[Sent], on: date = ON) -> None:
    """Ingest these files one after another, to the end; raises NotIngested when one is not taken whole."""
    asyncio.run(ingest_all(url, sent, on))


async def ingest_all(url: str, sent: list[Sent], on: date) -> None:
    """The same, in a loop that runs."""
    database = Database("outcomes", role_url("outcomes", url))
    try:
        for feed, year, path in sent:
            summary = await ingest_file(database, path, Arrival(feed, year, Stage.FINAL, on), real_now())
            if summary.refused or summary.rejections:
                raise NotIngested(f"{path.name}: {summary.words()} {summary.rejections[:1]}")
    finally:
        await database.close()


def prepared(ground: Ground, name: str, sent: list[Sent], template: str) -> str:
    """The name of a database into which these files were ingested; made once for this code."""
    full = f"{name}_{code_version(ground.files)}"
    if not ground.exists(full):
        made = ground.database(template)
        ingest(made, sent)
        ground.rename(made, full)
    return full


def grouped(ground: Ground) -> str:
    """Trusts and links are there, establishments are not."""
    return prepared(ground, "grouped", registers(ground.files)[:3], ground.migrated())


def registered(ground: Ground) -> str:
    """The register of the first day is there."""
    return prepared(ground, "registered", registers(ground.files)[3:], grouped(ground))


def with_results(ground: Ground) -> str:
    """The register, and six years of results."""
    return prepared(ground, "national", national(ground.files)[4:], registered(ground))
