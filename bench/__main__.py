"""Hold the contests: `python -m bench`, or `python -m bench 1 61` for some rows; see docs/performance.md."""

import logging
import sys
from typing import Annotated

import typer
from rich.console import Console

from bench import (
    applied,
    deliveries,
    door,
    evaluate,
    first_of_month,
    ingest,
    lists,
    memory,
    needs,
    picture,
    reading,
    start,
)
from bench.contest import TIMES, Result
from bench.england import Size
from bench.ground import ROOT, ground
from bench.told import keep, results_of, shown, tell
from services.cli import log_from

CONTESTS = (door, reading, lists, ingest, memory, evaluate, applied, first_of_month, deliveries, start)
"""Modules with a `run(ground, wanted)` that yields the results of its rows."""
ROWS = (1, 2, 3, 41, 42, *range(51, 56), *range(61, 65), 71, 72, 73, 81, 82, 83)
"""The first figure is the kind of work: 1 records, 2 bulk, 3 reading, 4 lists, 5 ingest, 6 evaluation, 7 background
work, 8 start and memory."""
WRITTEN, DOCUMENT = ROOT / "var" / "bench.json", ROOT / "docs" / "performance.md"
OPERATIONS, PICTURE = ROOT / "docs" / "operations.md", ROOT / "docs" / "img" / "performance.svg"
WIDE = 200
out = Console(width=None if sys.stdout.isatty() else WIDE)


def main(
    rows: Annotated[list[int] | None, typer.Argument(help="Which rows; default: all")] = None,
    scale: Annotated[float, typer.Option(help="How large the country is; 1 is England")] = 1.0,
    times: Annotated[int, typer.Option(help="How often each way is run, after once for nothing")] = TIMES,
    document: Annotated[bool, typer.Option(help="Write the ratios into docs/, as tables and picture")] = False,
) -> None:
    """Hold contests, print the table and write var/bench.json where the country is England.

    Rows not held keep what was written of them.
    """
    log_from(logging.ERROR)
    results: list[Result] = []
    with ground(Size(scale), times) as place:
        for contest in CONTESTS:
            for result in contest.run(place, set(rows or ROWS)):
                results.append(result)
                out.print(f"Row {result.row}: {result.work}", highlight=False)
                if scale == 1:
                    keep(WRITTEN, result)
    out.print(shown(results))
    if document:
        tell(DOCUMENT, results_of(WRITTEN))
        tell(OPERATIONS, needs.lines(WRITTEN))
        picture.draw(WRITTEN, PICTURE)


if __name__ == "__main__":
    typer.run(main)
