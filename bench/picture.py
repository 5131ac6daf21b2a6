"""The ratios of all rows as one picture: how far ours is ahead of the best peer, and how far from the limit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

REACHED, MISSED, NO_GOAL, MARK = "#2a6f97", "#e09f3e", "#b8c4cc", "#222222"
LONGEST = 58
TITLES = {
    "to_peer": "Times as fast, or as small, as the best peer\nfarther right is better",
    "to_limit": "Times the least that it can take\nfarther left is better",
}


def draw(measured: Path, file: Path) -> None:
    """Draw what was measured into an SVG file that is the same for the same figures."""
    rows = json.loads(measured.read_text())
    kinds = {kind: [each for each in rows if (each[kind] or 0) > 0] for kind in TITLES}
    with mpl.rc_context({"svg.hashsalt": "ringfence", "svg.fonttype": "none", "font.size": 9}):
        height = 1.2 + 0.34 * max(len(found) for found in kinds.values())
        figure = Figure(figsize=(13, height), layout="constrained")
        for place, (kind, found) in enumerate(kinds.items(), 1):
            bars(figure.add_subplot(1, 2, place), kind, found)
        figure.savefig(file, format="svg", metadata={"Date": None, "Title": "Ratios by make bench"})


def bars(axes: Axes, kind: str, rows: Sequence[dict[str, Any]]) -> None:
    """A bar a row from 1 to its ratio, on a logarithmic scale, with a mark where its goal lies."""
    for place, each in enumerate(reversed(rows)):
        ratio, goal = each[kind], each["goal"][kind]
        colour, hatch = NO_GOAL, None
        if goal is not None:
            fine = ratio >= goal if kind == "to_peer" else ratio <= goal
            colour, hatch = (REACHED, None) if fine else (MISSED, "///")
            axes.plot([goal, goal], [place - 0.42, place + 0.42], color=MARK, linewidth=2)
        axes.barh(place, ratio - 1, left=1, color=colour, hatch=hatch, edgecolor="white")
        axes.text(1.02, place, f"{ratio:.2g}", va="center", transform=axes.get_yaxis_transform())
    names = [f"{each['work'][:LONGEST]}{'…' if len(each['work']) > LONGEST else ''}  {each['row']}" for each in rows]
    axes.set_yticks(range(len(rows)), list(reversed(names)))
    axes.set_xscale("log")
    axes.axvline(1, color=MARK, linewidth=0.8)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_title(TITLES[kind], fontsize=10, loc="left")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
