"""Hold the contests: `python -m bench`, or `python -m bench 1 6` for some rows; see docs/performance.md."""

import json
import logging
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench import evaluate, ingest, memory
from bench.contest import TIMES, Result
from bench.england import Size
from bench.ground import VAR, ground
from services.cli import log_from

CONTESTS = (ingest, memory, evaluate)
"""Modules with a `run(ground, wanted)` that yields the results of its rows."""
ROWS = tuple(range(1, 10))
WRITTEN = VAR.parent / "bench.json"
WIDE = 200
out = Console(width=None if sys.stdout.isatty() else WIDE)


def shown(results: list[Result]) -> Table:
    """The table that a person reads."""
    table = Table("row", "work", "ours", "best peer", "limit", "to peer", "to limit", "goal", "spread", "reached")
    for each in results:
        best, limit = each.peers[each.best].median if each.best else None, each.limit.median if each.limit else None
        table.add_row(
            str(each.row),
            each.work,
            figure(each.ours.median, each.unit),
            f"{figure(best, each.unit)} {each.best or ''}",
            f"{figure(limit, each.unit)} {each.limit_is}",
            ratio(each.to_peer),
            ratio(each.to_limit),
            f"{ratio(each.goal.to_peer)} / {ratio(each.goal.to_limit)}",
            f"{each.ours.spread:.0%}",
            "yes" if each.reached else "no",
        )
    return table


def figure(value: float | None, unit: str) -> str:
    """A figure in its unit."""
    return "" if value is None else f"{value:.3g} {unit}"


def ratio(value: float | None) -> str:
    """A ratio."""
    return "-" if value is None else f"{value:.2g}"


def main(
    rows: Annotated[list[int] | None, typer.Argument(help="Which rows; default: all")] = None,
    scale: Annotated[float, typer.Option(help="How large the country is; 1 is England")] = 1.0,
    times: Annotated[int, typer.Option(help="How often each way is run, after once for nothing")] = TIMES,
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
                    keep(result)
    out.print(shown(results))


def keep(result: Result) -> None:
    """Write a result beside those of other rows."""
    held = json.loads(WRITTEN.read_text()) if WRITTEN.exists() else []
    others = [each for each in held if each["row"] != result.row]
    written = sorted([*others, result.plain()], key=lambda each: int(each["row"]))
    WRITTEN.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
