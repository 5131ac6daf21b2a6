"""How much the school changed, among the changes of its comparators."""

from collections.abc import Sequence

import numpy as np

from services.outcomes.rules.plots.figure import About, Axis, Bars, Figure, Guide, Panel, Row
from services.outcomes.rules.plots.subject import (
    Actual,
    Subject,
    bare,
    better,
    change,
    change_unit,
    rounded,
    sources,
    standing,
    undrawn,
    why_alone,
    years_text,
)
from services.outcomes.rules.series import Pooled

COLUMNS = ("what", "from", "to", "schools", "change")
Bin = tuple[float, float, float]


def changes(subject: Subject) -> Figure:
    """A histogram of the comparators' changes from baseline to result, with the school's, in the measure's unit."""
    measure, before, after, effect = subject.measure, subject.agreed.baseline, subject.actual, subject.effect
    title = f"{measure.title}: the change at {subject.school} among those of its comparators"
    others = [each.outcome - each.baseline for each in subject.comparators]
    if before is None or after is None or effect is None or not others:
        return undrawn(subject, "changes", title, COLUMNS, why_alone(subject))
    own, mean = after.value - before.value, sum(others) / len(others)
    bins = histogram(others)
    rows: list[Row] = [
        {"what": "comparators", "from": low, "to": high, "schools": int(count), "change": None}
        for low, high, count in bins
    ]
    rows.append({"what": "school", "from": None, "to": None, "schools": 1, "change": rounded(own)})
    rows.append(
        {"what": "mean of comparators", "from": None, "to": None, "schools": len(others), "change": rounded(mean)}
    )
    school = f"school, {change(measure, own)}"
    panel = Panel(
        Axis(f"Change from baseline to result, {change_unit(measure)}"),
        Axis("Schools"),
        (
            Bars(About.COMPARATORS, f"comparators, {len(others)} schools", bins),
            Guide(About.COMPARATORS, f"mean of comparators, {change(measure, mean)}", mean, upright=True),
            Guide(About.SCHOOL, school, own, upright=True),
        ),
    )
    found = (
        f"Beside its comparators the school changed by {change(measure, effect.tau)} (95% interval"
        f" {bare(measure, effect.ci95.low)} to {bare(measure, effect.ci95.high)});"
        f" its rank among them has p = {effect.p_rank:.3f}."
    )
    return Figure(
        name="changes",
        title=title,
        alt=alt(subject, bins, own, mean, found, (before, after)),
        unit=change_unit(measure),
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(panel,),
        notes=(found, f"A negative change is {'worse' if measure.direction > 0 else 'better'}."),
        sources=sources(subject),
    )


def histogram(values: Sequence[float]) -> tuple[Bin, ...]:
    """Values counted in stretches of equal width (Sturges): from, to, how many."""
    counts, edges = np.histogram(values, np.histogram_bin_edges(values, "sturges"))
    ends = [round(float(each), 6) + 0.0 for each in edges]
    return tuple(
        (low, high, float(count)) for low, high, count in zip(ends[:-1], ends[1:], counts.tolist(), strict=True)
    )


def alt(
    subject: Subject,
    bins: Sequence[Bin],
    own: float,
    mean: float,
    found: str,
    between: tuple[Pooled, Actual],
) -> str:
    """The picture in sentences."""
    measure, (before, after) = subject.measure, between
    most = max(bins, key=lambda each: each[2])
    return " ".join(
        [
            f"Histogram of how {measure.title} changed from {years_text(before.years)} to {years_text(after.years)},"
            f" {better(measure)}.",
            f"{subject.school} changed by {change(measure, own)}; its {len(subject.comparators)} comparators by"
            f" {change(measure, mean)} on average,"
            f" between {bare(measure, bins[0][0])} and {bare(measure, bins[-1][1])};"
            f" most of them, {most[2]:.0f}, between {bare(measure, most[0])} and {bare(measure, most[1])}.",
            found,
            standing(subject),
        ]
    )
