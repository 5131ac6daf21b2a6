"""The effects of many contracts at once, each drawn towards their mean by how little it says itself (METHOD.md 3.7)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.outcomes.rules.plots.figure import About, Axis, Figure, Guide, Mark, Panel, Point, Points, Row, number
from services.outcomes.rules.plots.subject import Subject, bare, change, change_unit, counted, rounded, sources, undrawn
from services.outcomes.rules.shrinkage import paule_mandel, posterior, rank_intervals

COLUMNS = (
    *("place", "place_low", "place_high", "contract", "school", "this_contract", "academic_year", "release_status"),
    *("raw", "se", "raw_low95", "raw_high95", "shrunk", "low95", "high95"),
)
Z95 = 1.959963984540054
LONGEST = 36


@dataclass(frozen=True, slots=True)
class Judged:
    """A contract's latest verdict on the measure: its effect and standard error, in the measure's unit."""

    contract: str
    school: str
    academic_year: str
    stage: str
    tau: float
    se: float
    this: bool = False


def portfolio(subject: Subject, contracts: Sequence[Judged]) -> Figure:
    """A caterpillar of improvements beside comparators, the greatest on top: shrunk with 95% intervals, and raw.

    Where less is better, effects are turned round, so that more is always an improvement.
    """
    measure = subject.measure
    title = f"{measure.title}: improvement beside comparators, contract by contract"
    usable = [each for each in contracts if each.se > 0]
    if len(usable) < 2:
        reason = f"{counted(len(usable), 'contract')} that may be seen here with an effect on this measure is too few"
        return undrawn(subject, "portfolio", title, COLUMNS, f"{reason}; two are needed")
    raw, errors = [measure.direction * each.tau for each in usable], [each.se for each in usable]
    pooled = paule_mandel(raw, errors)
    means, variances = posterior(np.array(raw), np.array(errors) ** 2, pooled)
    places = rank_intervals(means.tolist(), variances.tolist())
    order = sorted(range(len(usable)), key=lambda at: (-means[at], usable[at].contract))
    rows = [
        row(
            place,
            usable[at],
            raw[at],
            (float(means[at]), float(variances[at])),
            (float(places.low[at]), float(places.high[at])),
        )
        for place, at in enumerate(order, start=1)
    ]
    spread = f"True effects differ between contracts by a standard deviation of {math.sqrt(pooled.tau2):.2f}"
    return Figure(
        name="portfolio",
        title=title,
        alt=alt(subject, rows, pooled.mean),
        unit=change_unit(measure),
        columns=COLUMNS,
        rows=tuple(rows),
        panels=(panel(subject, rows, pooled.mean),),
        notes=(
            f"{spread} (Paule and Mandel). Only contracts that the reader may see; the latest verdict of each.",
            "Places are uncertain: the table gives the 90% interval of each.",
        ),
        sources=sources(subject),
    )


def row(place: int, each: Judged, raw: float, drawn: tuple[float, float], between: tuple[float, float]) -> Row:
    """A contract in its place; `drawn` are mean and variance of its improvement, `between` the ends of its places."""
    half = Z95 * math.sqrt(drawn[1])
    return {
        "place": place,
        "place_low": int(between[0]),
        "place_high": int(between[1]),
        "contract": each.contract,
        "school": each.school,
        "this_contract": "yes" if each.this else "no",
        "academic_year": each.academic_year,
        "release_status": each.stage,
        "raw": rounded(raw),
        "se": rounded(each.se),
        "raw_low95": rounded(raw - Z95 * each.se),
        "raw_high95": rounded(raw + Z95 * each.se),
        "shrunk": rounded(drawn[0]),
        "low95": rounded(drawn[0] - half),
        "high95": rounded(drawn[0] + half),
    }


def panel(subject: Subject, rows: Sequence[Row], mean: float) -> Panel:
    """A row for each contract, the greatest improvement on top."""

    def at(each: Row) -> float:
        return float(len(rows) + 1 - int(str(each["place"])))

    def shrunk(chosen: Sequence[Row]) -> tuple[Point, ...]:
        return tuple(
            Point(number(each, "shrunk"), at(each), (number(each, "low95"), number(each, "high95"))) for each in chosen
        )

    raw = tuple(Point(number(each, "raw"), at(each)) for each in rows)
    this = [each for each in rows if each["this_contract"] == "yes"]
    others = [each for each in rows if each["this_contract"] == "no"]
    marks: list[Mark] = [
        Guide(About.NOTHING, "no difference from comparators", 0.0, upright=True),
        Guide(About.COMPARATORS, f"mean of contracts, {change(subject.measure, mean)}", mean, upright=True),
        Points(About.RAW, "raw effect", raw),
        Points(About.OTHER, "drawn towards the mean, with 95% interval", shrunk(others), across=True),
        Points(About.SCHOOL, "this contract", shrunk(this), across=True),
    ]
    ticks = tuple((at(each), f"{shortened(str(each['school']))}, {each['contract']}") for each in rows)
    x = Axis(f"Improvement beside comparators, {change_unit(subject.measure)}")
    kept = (each for each in marks if not isinstance(each, Points) or each.points)
    return Panel(x, Axis("", ticks, (0.3, len(rows) + 0.7)), tuple(kept))


def shortened(name: str) -> str:
    """A name that fits beside its row; the table has it in full."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}\u2026"


def alt(subject: Subject, rows: Sequence[Row], mean: float) -> str:
    """The picture in sentences."""
    measure = subject.measure

    def told(each: Row) -> str:
        low, high = (bare(measure, number(each, name)) for name in ("low95", "high95"))
        return f"{each['school']} ({each['contract']}) {bare(measure, number(each, 'shrunk'))} ({low} to {high})"

    apart = sum(number(each, "low95") > 0 for each in rows)
    said = [
        f"Caterpillar plot of {counted(len(rows), 'contract')} by improvement in {measure.title} beside comparators,"
        f" in {change_unit(measure)}, drawn towards their mean of {bare(measure, mean)}.",
        f"The greatest is {told(rows[0])}, the least {told(rows[-1])}.",
        f"The interval of {counted(apart, 'contract')} lies wholly above zero.",
    ]
    said += [
        f"This contract, {told(each)}, stands at place {each['place']}, between {each['place_low']} and"
        f" {each['place_high']} with 90% certainty."
        for each in rows
        if each["this_contract"] == "yes"
    ]
    return " ".join(said)
