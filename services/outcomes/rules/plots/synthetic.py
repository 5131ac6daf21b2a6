"""The school beside a weighted mixture of its comparators, where there are enough clean years (METHOD.md 3.5)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.kernel.errors import NotFound
from services.outcomes.rules.plots.figure import About, Axis, Figure, Guide, Line, Panel, Point, Points, Row, number
from services.outcomes.rules.plots.subject import (
    Subject,
    better,
    change,
    change_unit,
    counted,
    level,
    rounded,
    sources,
    years_text,
)
from services.outcomes.rules.ringfence import assessed_on
from services.outcomes.rules.series import NOT_USABLE
from services.outcomes.rules.synthetic import CLEAN_YEARS, Synthetic, growth, synthetic_control
from services.outcomes.rules.years import academic_year_text

COLUMNS = ("what", "academic_year", "urn", "school", "synthetic", "gap", "weight", "ratio")
Series = Mapping[int, float]


class NoSyntheticControl(NotFound):
    """The evaluation has no synthetic control; the other pictures of it are there."""

    code = "no_synthetic_control"
    title = "This evaluation has no synthetic control"


@dataclass(frozen=True, slots=True)
class Mixture:
    """A synthetic control with what it was made from: the years, the school's results, the donors' by URN."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    own: Series
    donors: Mapping[int, Series]
    found: Synthetic

    def path(self, year: int) -> float:
        """What the mixture achieved in a year."""
        return sum(weight * self.donors[int(urn)][year] for urn, weight in self.found.weights.items())

    def ratios(self) -> tuple[float, dict[int, float]]:
        """How much the gaps grew, the school's and each donor's as if it were the school: roots of mean squares."""

        def parts(series: Series) -> tuple[list[float], list[float]]:
            return [series[year] for year in self.before], [series[year] for year in self.after]

        whole = {str(urn): parts(series) for urn, series in self.donors.items()}
        others = {
            urn: math.sqrt(growth(each, {name: whole[name] for name in whole if name != urn}))
            for urn, each in whole.items()
        }
        return math.sqrt(growth(parts(self.own), whole)), {int(urn): ratio for urn, ratio in others.items()}


def mixture(subject: Subject, own: Series, others: Mapping[int, Series]) -> Mixture:
    """The mixture of comparators that goes with the school before the contract; raises NoSyntheticControl without one.

    `own` and `others` (by URN) are results by academic year, none of five pupils or fewer. Clean years are those
    before the term, of one version of the measure, that were published for accountability.
    """
    measure, starts_on = subject.measure, subject.term.starts_on
    after = subject.actual.years if subject.actual else ()
    before = [
        year for year in sorted(own) if assessed_on(measure.key_stage, year) < starts_on and year not in NOT_USABLE
    ]
    clean = tuple(year for year in before if measure.unchanged((year, *after)))
    if len(clean) < CLEAN_YEARS or not after:
        raise NoSyntheticControl(
            f"It takes {CLEAN_YEARS} clean years before the contract and a result after it; this school has"
            f" {counted(len(clean), 'year')} of them. Ask for the plots school and changes instead."
        )
    whole = {urn: series for urn, series in others.items() if {*clean, *after} <= series.keys()}
    if len(whole) < 3:
        raise NoSyntheticControl("Fewer than three comparators have a result in each of the years.")
    found = synthetic_control(
        [own[year] for year in clean],
        {str(urn): [series[year] for year in clean] for urn, series in whole.items()},
        [own[year] for year in after],
        {str(urn): [series[year] for year in after] for urn, series in whole.items()},
    )
    if not found.usable:
        raise NoSyntheticControl("No mixture of comparators went the same way as the school before the contract.")
    return Mixture(clean, after, own, whole, found)


def synthetic(subject: Subject, own: Series, others: Mapping[int, Series]) -> Figure:
    """The school's path beside the mixture's, the gap between them, and the gaps' growth among placebos."""
    measure, made = subject.measure, mixture(subject, own, others)
    ratio, placebos = made.ratios()
    years = (*made.before, *made.after)
    rows: list[Row] = [
        {
            **dict.fromkeys(COLUMNS),
            "what": "year",
            "academic_year": academic_year_text(year),
            "school": rounded(own[year]),
            "synthetic": rounded(made.path(year)),
            "gap": rounded(own[year] - made.path(year)),
        }
        for year in years
    ]
    ranked = sorted(placebos.items(), key=lambda each: (-each[1], each[0]))
    rows.append({**dict.fromkeys(COLUMNS), "what": "school", "ratio": finite(ratio)})
    rows += [
        {
            **dict.fromkeys(COLUMNS),
            "what": "comparator",
            "urn": str(urn),
            "weight": rounded(made.found.weights.get(str(urn), 0.0)),
            "ratio": finite(each),
        }
        for urn, each in ranked
    ]
    p = (1 + sum(each >= ratio for each in placebos.values())) / (len(placebos) + 1)
    effect = change(measure, made.found.effect)
    dominated = ("One school has more than half of the weight.",) if made.found.dominated else ()
    return Figure(
        name="synthetic",
        title=f"{measure.title}: {subject.school} beside a mixture of comparators",
        alt=alt(subject, made, ratio, p),
        unit=measure.unit,
        columns=COLUMNS,
        rows=tuple(rows),
        panels=panels(subject, made, rows, years),
        notes=(f"Effect {effect}, p = {p:.3f} among {counted(len(placebos), 'placebo')}.", *dominated),
        sources=sources(subject),
    )


def alt(subject: Subject, made: Mixture, ratio: float, p: float) -> str:
    """The picture in sentences."""
    measure, last = subject.measure, made.after[-1]
    apart, effect = change(measure, made.found.pre_rmspe, signed=False), change(measure, made.found.effect)
    return " ".join(
        [
            f"Three panels on {measure.title} at {subject.school} beside a mixture of"
            f" {counted(len(made.found.weights), 'comparator')}, {better(measure)}.",
            f"Before the contract, {years_text(made.before)}, they are {apart} apart (root mean square).",
            f"After it, in {years_text(made.after)}, the school differs by {effect} on average:"
            f" {level(measure, made.own[last])} beside {level(measure, made.path(last))}"
            f" in {academic_year_text(last)}.",
            f"The gap grew {ratio:.1f} times; {counted(len(made.donors), 'comparator')} as placebos give p = {p:.3f}.",
        ]
    )


def finite(ratio: float) -> float | None:
    """A ratio as a table can hold it; one without a bound is left out."""
    return rounded(ratio) if math.isfinite(ratio) else None


def panels(subject: Subject, made: Mixture, rows: Sequence[Row], years: Sequence[int]) -> tuple[Panel, ...]:
    """Path, gap, and the growth of the gap among placebos."""
    measure, begins = subject.measure, made.after[0] - 0.5
    of = [each for each in rows if each["what"] == "year"]

    def through(name: str) -> tuple[tuple[float, float | None], ...]:
        """The values of the years, broken off where a year is left out."""
        known = {year: number(each, name) for year, each in zip(years, of, strict=True)}
        return tuple((year, known.get(year)) for year in range(years[0], years[-1] + 1))

    ticks = tuple((float(year), academic_year_text(year)) for year in years)
    x, start = Axis("Academic year", ticks), Guide(About.BASELINE, "contract begins", begins, upright=True)
    ratios = [
        (each["what"], number(each, "ratio")) for each in rows if each["what"] != "year" and each["ratio"] is not None
    ]
    placebos = tuple(Point(ratio, 1.0) for what, ratio in ratios if what == "comparator")
    own = tuple(Point(ratio, 1.0) for what, ratio in ratios if what == "school")
    return (
        Panel(
            x,
            Axis(measure.unit.capitalize()),
            (
                start,
                Line(About.COMPARATORS, "mixture of comparators", through("synthetic")),
                Line(About.SCHOOL, "school", through("school")),
            ),
            title="Path",
        ),
        Panel(
            x,
            Axis(change_unit(measure).capitalize()),
            (start, Guide(About.NOTHING, "", 0.0), Line(About.SCHOOL, "", through("gap"))),
            title="Gap: school less mixture",
        ),
        Panel(
            Axis("Growth of the gap: after, over before"),
            Axis("", ((1.0, "schools"),), (0.5, 1.5)),
            (Points(About.OTHER, "comparators as placebos", placebos), Points(About.SCHOOL, "", own)),
            title="Placebos",
        ),
    )
