"""Figures as SVG and PNG: the same bytes from the same figure, and readable without colour.

Everything is told apart by shape, dash or hatching; colours only help. matplotlib is used without its global state.
"""

import hashlib
import io
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from services.outcomes.plots.marks import DRAWN, HATCHED, INK, LOOKS, TERM
from services.outcomes.rules.plots.figure import About, Band, Bars, Figure, Panel, Points, Span
from services.pictures import Format

VERSION = f"1 (matplotlib {mpl.__version__})"
FONT, INSTEAD = "DejaVu Sans", "'DejaVu Sans', Verdana, Arial, sans-serif"
mpl.rcParams.update(
    {
        "font.family": FONT,
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": False,
        "hatch.linewidth": 0.6,
        "svg.fonttype": "none",
        "svg.hashsalt": "ringfence",
        "text.parse_math": False,
    }
)
ONE_AT_A_TIME = threading.Lock()
"""Fonts and their caches are shared by all drawings of a process."""
WIDTH, EDGE = 8.4, 0.15
LINE, SMALL_LINE = 0.25, 0.155
"""Inches: the picture's width, its empty edge, and the heights of lines of text."""


def svg(figure: Figure) -> bytes:
    """The picture as SVG, with its title and its description for those who do not see it."""
    drawn = saved(figure, "svg", {"Date": None, "Creator": "Ringfence", "Title": figure.title}).decode()
    name = hashlib.sha256((figure.title + figure.alt).encode()).hexdigest()[:12]
    head, mark, rest = drawn.partition("<svg ")
    attributes, end, body = rest.partition(">")
    named = f'role="img" aria-labelledby="title-{name} desc-{name}" '
    words = f'<title id="title-{name}">{escape(figure.title)}</title><desc id="desc-{name}">{escape(figure.alt)}</desc>'
    return (head + mark + named + attributes + end + words + body.replace(f"'{FONT}'", INSTEAD)).encode()


def png(figure: Figure) -> bytes:
    """The picture as PNG, with its title and description in its metadata."""
    return saved(figure, "png", {"Title": figure.title, "Description": figure.alt, "Software": "Ringfence"})


DRAW: Mapping[Format, Callable[[Figure], bytes]] = {Format.SVG: svg, Format.PNG: png}


def saved(figure: Figure, form: str, metadata: Mapping[str, str | None]) -> bytes:
    """The picture in a file format of matplotlib's."""
    with ONE_AT_A_TIME:
        out = io.BytesIO()
        drawn(figure).savefig(out, format=form, dpi=144, metadata=dict(metadata))
        return out.getvalue()


def drawn(figure: Figure) -> Canvas:
    """The picture: title, key, panels, notes and sources, one below the other."""
    title = textwrap.wrap(figure.title, 82)
    below = [line for each in (*figure.notes, *figure.sources) for line in textwrap.wrap(each, 138)]
    keys = key(figure.panels)
    columns = columns_for([str(each.get_label()) for each in keys])
    rows = -(-len(keys) // columns)
    heights = [height(each) for each in figure.panels] or [1.6]
    top, key_height, bottom = EDGE + LINE * len(title) + 0.05, 0.2 * rows + 0.05, SMALL_LINE * len(below) + EDGE + 0.05
    whole = top + key_height + sum(heights) + bottom
    area = (0.01, bottom / whole, 0.98, sum(heights) / whole)
    canvas = Canvas(figsize=(WIDTH, whole), layout=ConstrainedLayoutEngine(rect=area), facecolor="white")
    left, at = EDGE / WIDTH, 1 - EDGE / whole
    canvas.text(left, at, "\n".join(title), size=12, weight="bold", color=INK, va="top", linespacing=1.3)
    if keys:
        place = (left - 0.008, 1 - top / whole + 0.06 / whole)
        alike: dict[str, Any] = {
            "frameon": False,
            "borderaxespad": 0.0,
            "fontsize": 8.5,
            "handlelength": 2.6,
            "labelspacing": 0.35,
        }
        canvas.legend(handles=keys, loc="upper left", bbox_to_anchor=place, ncols=columns, **alike)
    if figure.panels:
        for axes, panel in zip(rows_of(canvas, heights), figure.panels, strict=True):
            draw(axes, panel)
    else:
        words = textwrap.fill(figure.why, 80)
        canvas.text(0.5, (bottom + sum(heights) / 2) / whole, words, size=11, ha="center", va="center", color=INK)
    small = "\n".join(below)
    canvas.text(left, EDGE / whole, small, size=7.5, color="#444444", va="bottom", linespacing=1.35)
    return canvas


def rows_of(canvas: Canvas, heights: Sequence[float]) -> list[Axes]:
    """A pair of axes for each panel, one below the other."""
    grid = canvas.add_gridspec(len(heights), 1, height_ratios=heights)
    return [canvas.add_subplot(grid[at, 0]) for at in range(len(heights))]


def height(panel: Panel) -> float:
    """How many inches a panel needs: a list as much as it has rows, others the same."""
    if panel.y.ticks:
        lines = max(words.count("\n") + 1 for _at, words in panel.y.ticks)
        return 0.8 + (0.16 + 0.16 * lines) * len(panel.y.ticks)
    return 2.6 if panel.title else 4.2


def columns_for(labels: Sequence[str]) -> int:
    """In how many columns the key fits."""
    longest = max(map(len, labels), default=1)
    return max(1, min(len(labels), int((WIDTH - 0.3) / (0.068 * longest + 0.6))))


def key(panels: Sequence[Panel]) -> list[Any]:
    """A sign for each mark that has a label, each label once."""
    found = {}
    for panel in panels:
        for mark in panel.marks:
            label = getattr(mark, "label", "")
            if label and label not in found:
                found[label] = sign(mark, label)
    return list(found.values())


def sign(mark: Any, label: str) -> Any:
    """The mark as the key shows it."""
    if isinstance(mark, Span):
        return Patch(**TERM, label=label)
    look = LOOKS[mark.about]
    if isinstance(mark, Band | Bars):
        return Patch(**HATCHED, label=label)
    marked = isinstance(mark, Points) or mark.about is About.PATH
    shape: dict[str, Any] = (
        {"marker": look.marker, "markersize": look.size, "markerfacecolor": look.fill} if marked else {}
    )
    joined = not isinstance(mark, Points) or any(each.ends for each in mark.points)
    dash: Any = "-" if isinstance(mark, Points) else look.dash
    return Line2D([], [], color=look.colour, linestyle=dash if joined else "none", lw=look.width, label=label, **shape)


def draw(axes: Axes, panel: Panel) -> None:
    """A panel with its axes and marks."""
    axes.set_xlabel(panel.x.label)
    axes.set_ylabel(textwrap.fill(panel.y.label, 50))
    if panel.title:
        axes.set_title(panel.title, loc="left", size=9.5, weight="bold")
    axes.grid(visible=True, axis="x" if panel.y.ticks else "y", color="#e4e4e4", lw=0.7)
    axes.set_axisbelow(True)
    axes.margins(x=0.04, y=0.12)
    for mark in panel.marks:
        DRAWN[type(mark)](axes, mark)
    for axis, ends, ticks, limit in (
        (axes.xaxis, panel.x.ends, panel.x.ticks, axes.set_xlim),
        (axes.yaxis, panel.y.ends, panel.y.ticks, axes.set_ylim),
    ):
        if ticks:
            axis.set_ticks([at for at, _ in ticks], labels=[shortened(words) for _, words in ticks])
        if ends:
            limit(*ends)
    if len(panel.x.ticks) > 10:
        axes.tick_params(axis="x", labelrotation=45)


def shortened(words: str) -> str:
    """The words beside a row, in as many lines as they need."""
    return "\n".join(textwrap.fill(each, 60) for each in words.split("\n"))
