"""Rows 51 to 54: taking in a published file, beside loading it as text and beside what analysts do."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

from bench.contest import Goal, Result, Way, interleaved
from bench.ground import Ground
from bench.loading import ON, Sent, grouped, ingest, registered

SAMPLE = 400
"""Rows that the slowest peer is given; what it takes is reckoned up to the whole file."""
PARAMETERS = 65_535
"""The protocol of PostgreSQL takes no more in one statement."""


@dataclass(frozen=True, slots=True)
class Work:
    """A file to be taken in: by us into a database like `template`; by the others into an empty one."""

    row: int
    words: str
    sent: Sent
    encoding: str
    template: Callable[[Ground], str]
    goal: Goal

    @property
    def path(self) -> Path:
        """The file."""
        return self.sent[2]


def works(ground: Ground) -> list[Work]:
    """The files."""
    files = ground.files
    return [
        Work(
            51,
            "First ingest of the register (52,000 rows of 135 columns)",
            ("gias_establishments", None, files.establishments),
            "cp1252",
            grouped,
            Goal(to_limit=2),
        ),
        Work(
            52,
            "The register of the next day (one row in a hundred changed)",
            ("gias_establishments", None, files.next_day),
            "cp1252",
            registered,
            Goal(to_peer=10, to_limit=1),
        ),
        Work(
            53,
            "Key stage 2 table (16,000 rows of 318 columns)",
            ("ks2", 2018, files.ks2(2018)),
            "utf-8-sig",
            registered,
            Goal(to_limit=4),
        ),
        Work(
            54,
            "Key stage 4 table (5,000 rows of 507 columns)",
            ("ks4", 2018, files.ks4(2018)),
            "utf-8-sig",
            registered,
            Goal(to_limit=4),
        ),
    ]


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The rows that are wanted."""
    for work in works(ground):
        if work.row in wanted:
            yield contest(ground, work)


def contest(ground: Ground, work: Work) -> Result:
    """Ours, the peers and the limit in turn."""
    made: list[str] = []

    def fresh(template: Callable[[Ground], str] | None = None) -> str:
        for url in made:
            ground.drop(url)
        made[:] = [ground.database(template(ground) if template else None)]
        return made[0]

    found = interleaved(
        {
            "ours": Way(lambda url: ingest(url, [work.sent], ON + timedelta(days=1)), lambda: fresh(work.template)),
            "\\copy as text": Way(lambda url: copy(ground, url, work), fresh),
            "pandas to_sql": Way(lambda url: by_pandas(url, work.path, work.encoding), fresh),
            "pandas to_sql, multi": Way(lambda url: by_pandas_multi(url, work), fresh, rows(work.path) / SAMPLE),
            "sqlite-utils": Way(lambda _: by_sqlite(work), warmed=False),
        },
        ground.times,
    )
    for url in made:
        ground.drop(url)
    ours, limit = found.pop("ours"), found.pop("\\copy as text")
    return Result(work.row, work.words, "s", ours, found, limit, "\\copy of the same bytes as text", work.goal)


def columns(work: Work) -> list[str]:
    """The columns of the file."""
    with work.path.open(newline="", encoding=work.encoding) as file:
        return next(csv.reader(file))


def copy(ground: Ground, url: str, work: Work) -> None:
    """Load the file by psql into a table of text of the same width."""
    names = ", ".join('"' + name.replace('"', '""') + '" text' for name in columns(work))
    encoding = "WIN1252" if work.encoding == "cp1252" else "UTF8"
    ground.psql(
        url,
        f"CREATE TABLE staged ({names})",
        f"\\copy staged FROM '{work.path}' (FORMAT csv, HEADER true, ENCODING '{encoding}')",
    )


def by_pandas(url: str, path: Path, encoding: str) -> None:
    """Read the file and write it to a table, as the manual begins."""
    frame = pd.read_csv(path, encoding=encoding, dtype=str)
    engine = create_engine(url)
    frame.to_sql("t", engine, index=False)
    engine.dispose()


def by_pandas_multi(url: str, work: Work) -> None:
    """The same with many rows in a statement, which is advised everywhere; so slow here that it gets a part only."""
    frame = pd.read_csv(work.path, encoding=work.encoding, dtype=str, nrows=SAMPLE)
    engine = create_engine(url)
    frame.to_sql("t", engine, index=False, method="multi", chunksize=PARAMETERS // len(frame.columns))
    engine.dispose()


def rows(path: Path) -> int:
    """How many rows a file has, its header not counted."""
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1


def by_sqlite(work: Work) -> None:
    """Insert the file into a new SQLite file by sqlite-utils."""
    target = work.path.with_suffix(".sqlite")
    target.unlink(missing_ok=True)
    words = [sys.executable, "-m", "sqlite_utils", "insert", str(target), "t", str(work.path), "--csv"]
    try:
        subprocess.run([*words, "--encoding", work.encoding], check=True, capture_output=True, env=dict(os.environ))
    finally:
        target.unlink(missing_ok=True)
