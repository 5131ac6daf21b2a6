"""The results as people read them: a table on the screen, and the ratios in docs/performance.md."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.contest import Result

BEGINS, ENDS = "<!-- measured: make bench -->", "<!-- end -->"


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
    """A ratio, to two figures and without an exponent."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def keep(path: Path, result: Result) -> None:
    """Write a result beside those of other rows."""
    held = json.loads(path.read_text()) if path.exists() else []
    others = [each for each in held if each["row"] != result.row]
    written = sorted([*others, result.plain()], key=lambda each: int(each["row"]))
    path.write_text(json.dumps(written, indent=1) + "\n")


def tell(document: Path, lines: list[str]) -> None:
    """Write lines between the marks of a document."""
    before, _, rest = document.read_text().partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    document.write_text("\n".join([f"{before}{BEGINS}", *lines, f"{ENDS}{after}"]))


def results_of(measured: Path) -> list[str]:
    """The ratios of all measured rows, as a table of Markdown."""
    head = ["| Row | Work | Peers: times ours | Times the limit | Goal | Spread | Reached |", "|---" * 7 + "|"]
    return [*head, *map(line, json.loads(measured.read_text()))]


def line(each: dict[str, Any]) -> str:
    """A measured row as a row of the document: ratios alone."""
    peers = "; ".join(
        f"{name} {ratio(median / each['ours'])}{'*' if name in each['extrapolated'] else ''}"
        for name, median in each["peers"].items()
    )
    limit = f"{ratio(each['to_limit'])} ({each['limit_is']})" if each["limit"] else "-"
    goals = [f"peer {ratio(each['goal']['to_peer'])}"] if each["goal"]["to_peer"] is not None else []
    goals += [f"limit {ratio(each['goal']['to_limit'])}"] if each["goal"]["to_limit"] is not None else []
    reached = "yes" if each["reached"] else "**no**"
    spread = f"{each['spread']['ours']:.0%}"
    return f"| {each['row']} | {each['work']} | {peers or '-'} | {limit} | {', '.join(goals)} | {spread} | {reached} |"
