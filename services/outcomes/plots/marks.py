"""How marks look, and how each kind is drawn on a pair of axes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from services.outcomes.rules.plots.figure import About, Band, Bars, Gap, Guide, Line, Point, Points, Remark, Span

INK, BLUE, GREY, ORANGE = "#1a1a1a", "#003a70", "#666666", "#a84300"
HATCHED: Mapping[str, Any] = {"facecolor": "#e3e3e3", "edgecolor": "#8c8c8c", "hatch": "////"}
TERM: Mapping[str, Any] = {"facecolor": "#eef1f6", "edgecolor": "#b9c2d0"}


@dataclass(frozen=True, slots=True)
class Look:
    """How what a mark is about is drawn; a hollow marker is filled with white."""

    colour: str
    dash: Any = "-"
    width: float = 1.4
    marker: str = "o"
    size: float = 6.5
    hollow: bool = False
    over: int = 3

    @property
    def fill(self) -> str:
        """The inside of its markers."""
        return "white" if self.hollow else self.colour


LOOKS: Mapping[About, Look] = {
    About.SCHOOL: Look(BLUE, width=2.0, size=7.5, over=6),
    About.PROVISIONAL: Look(BLUE, hollow=True, size=7.5, over=6),
    About.COMPARATORS: Look(GREY, dash="--"),
    About.BASELINE: Look(BLUE, dash=(0, (1, 1.5)), width=2.2),
    About.TARGET: Look(ORANGE, dash="-."),
    About.PATH: Look(ORANGE, dash=":", marker="D", size=4.5, hollow=True),
    About.LIMIT: Look(GREY, dash=(0, (6, 2)), width=1.1),
    About.OUTER_LIMIT: Look(GREY, dash=":", width=1.1),
    About.RAW: Look(INK, hollow=True, size=5.5),
    About.OTHER: Look(GREY, marker="s", size=4.5),
    About.NOTHING: Look(INK, width=0.8, over=1),
    About.GREEN: Look("#00704a", marker="o", size=9),
    About.AMBER: Look("#b87700", marker="^", size=9.5),
    About.RED: Look("#a8201a", marker="s", size=8.5),
}


def line(axes: Axes, mark: Line) -> None:
    """A line that breaks off where there is no value."""
    look = LOOKS[mark.about]
    values = [float("nan") if y is None else y for _x, y in mark.points]
    shape: dict[str, Any] = (
        {"marker": look.marker, "ms": look.size, "mfc": look.fill} if mark.about is About.PATH else {}
    )
    xs = [x for x, _ in mark.points]
    axes.plot(xs, values, color=look.colour, ls=look.dash, lw=look.width, **shape, zorder=look.over)
    alone = lonely(mark)
    if alone and not shape:
        marker, size = ("_", 16) if mark.about is About.COMPARATORS else ("o", look.size - 2)
        axes.plot(*zip(*alone, strict=True), marker, color=look.colour, ms=size, mew=look.width, zorder=look.over)


def lonely(mark: Line) -> list[tuple[float, float]]:
    """Values between two that are missing: no line leads to them, so that they need a sign of their own."""
    values = [None, *(y for _x, y in mark.points), None]
    around = zip(mark.points, values, values[2:], strict=False)
    return [(x, y) for (x, y), before, after in around if y is not None and before is None and after is None]


def band(axes: Axes, mark: Band) -> None:
    """A hatched area."""
    xs, lows, highs = zip(*mark.points, strict=True)
    axes.fill_between(xs, lows, highs, **HATCHED, lw=0.8, zorder=2)


def points(axes: Axes, mark: Points) -> None:
    """Markers with their intervals and words."""
    look = LOOKS[mark.about]
    xs, ys = [each.x for each in mark.points], [each.y for each in mark.points]
    reach = tuple(zip(*(arms(each, mark.across) for each in mark.points), strict=True))
    shown: dict[str, Any] = {"xerr" if mark.across else "yerr": reach} if any(each.ends for each in mark.points) else {}
    axes.errorbar(
        xs,
        ys,
        fmt=look.marker,
        ms=look.size,
        mfc=look.fill,
        mec=look.colour,
        mew=1.3,
        ecolor=look.colour,
        elinewidth=1.3,
        capsize=3,
        zorder=look.over,
        **shown,
    )
    for each in mark.points:
        if each.word:
            axes.annotate(each.word, (each.x, each.y), (0, 9), textcoords="offset points", ha="center", size=8.5)


def arms(point: Point, across: bool) -> tuple[float, float]:
    """How far the interval reaches to both sides."""
    middle = point.x if across else point.y
    low, high = point.ends or (middle, middle)
    return max(0.0, middle - low), max(0.0, high - middle)


def bars(axes: Axes, mark: Bars) -> None:
    """Hatched columns."""
    widths = [right - left for left, right, _ in mark.bars]
    lefts, counts = [each[0] for each in mark.bars], [each[2] for each in mark.bars]
    axes.bar(lefts, counts, widths, align="edge", **HATCHED, zorder=2)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def guide(axes: Axes, mark: Guide) -> None:
    """A straight line through the panel."""
    look = LOOKS[mark.about]
    through = axes.axvline if mark.upright else axes.axhline
    through(mark.at, color=look.colour, ls=look.dash, lw=look.width, zorder=look.over)


def span(axes: Axes, mark: Span) -> None:
    """A shaded stretch with a line at both ends."""
    axes.axvspan(mark.start, mark.end, **TERM, lw=0.8, zorder=0)


def gap(axes: Axes, mark: Gap) -> None:
    """The reason for a missing value, upright from the bottom."""
    place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "rotation": 90, "ha": "center", "va": "bottom"}
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
    axes.text(mark.x, 0.03, mark.words, size=8, style="italic", color="#444444", zorder=5, bbox=box, **place)


def remark(axes: Axes, mark: Remark) -> None:
    """Words in place of a value."""
    axes.text(mark.x, mark.y, mark.words, size=8.5, style="italic", color="#444444", va="center")


DRAWN: Mapping[type, Callable[[Axes, Any], None]] = {
    Line: line,
    Band: band,
    Points: points,
    Bars: bars,
    Guide: guide,
    Span: span,
    Gap: gap,
    Remark: remark,
}
