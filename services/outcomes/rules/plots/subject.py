"""What a picture is of: one agreed outcome of a verdict, and the words that all of its pictures share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.outcomes.rules.agreement import Agreed, Missing, Run, names_only
from services.outcomes.rules.gathering import Gathered
from services.outcomes.rules.intervals import Interval
from services.outcomes.rules.matching import Comparator
from services.outcomes.rules.measures import Measure
from services.outcomes.rules.plots.figure import Figure, Row
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import NOT_USABLE, Reading
from services.outcomes.rules.suppression import SUPPRESS_UP_TO
from services.outcomes.rules.values import ValueState
from services.outcomes.rules.years import academic_year_text


@dataclass(frozen=True, slots=True)
class Added:
    """The added value of a verdict: `tau` and its error in the measure's unit, over `k` comparators."""

    tau: float
    se: float
    ci95: Interval
    p_rank: float
    k: int


@dataclass(frozen=True, slots=True)
class Actual:
    """What was achieved in the years evaluated, in the measure's unit, over `n` pupils, with its 95% interval."""

    value: float
    n: int
    years: tuple[int, ...]
    ci95: Interval


@dataclass(frozen=True, slots=True)
class Source:
    """A release that the verdict rests on."""

    id: str
    feed: str
    stage: str
    published_on: date


@dataclass(frozen=True, slots=True)
class Subject:
    """One outcome of a verdict, with what it was reached from; `trajectory` as agreed, None for the usual path."""

    contract: str
    school: str
    supplier: str
    term: Term
    year: int
    run: Run
    method_version: str
    agreed: Agreed
    trajectory: tuple[float, ...] | None
    gathered: Gathered
    status: str
    reasons: tuple[str, ...]
    target: float | None
    actual: Actual | None
    effect: Added | None
    stage: str | None
    sources: tuple[Source, ...]

    @property
    def comparators(self) -> tuple[Comparator, ...]:
        """The comparators whose figures may be shown: all, or none of a verdict by an early method."""
        return () if names_only(self.method_version) else self.gathered.match.comparators

    @property
    def measure(self) -> Measure:
        """The measure that was agreed."""
        return self.agreed.measure


NOT_MEASURABLE: Mapping[str, str] = {
    Missing.NO_ACCOUNTABLE_SERIES: "the supplier does not answer for this year's results",
    Missing.FIRST_YEAR_ALONE: "the first of several years is not judged by itself",
    Missing.NOT_PRODUCED: "no result was published for the year",
    Missing.SUPPRESSED: "the result speaks of very few pupils and is withheld",
    Missing.LOW_COVERAGE: "the result covers too few of the pupils",
    Missing.NO_ENTRIES: "no pupil was entered",
    Missing.NOT_PUBLISHED: "the result is not published for schools like this one",
    Missing.NOT_APPLICABLE: "the measure does not apply to the school",
    Missing.UNAVAILABLE: "the result is not available",
    Missing.ROUNDS_TO_ZERO: "the result is published as rounding to zero, without a figure",
    Missing.LOW_RELIABILITY: "the result is published as too unreliable to use",
    Missing.MISSING: "the table has no figure for the school, as of a new one",
    Missing.UNREADABLE: "the figure cannot be read",
    Missing.PUPILS_NOT_KNOWN: "nobody knows how many pupils the result speaks of",
    Missing.N_TOO_SMALL: "ten pupils or fewer are too few to judge by",
    Missing.NO_COMPARATORS: "there are not enough schools to compare with",
    Missing.NO_BASELINE: "there is no baseline from before the contract",
    Missing.VERSION_BREAK: "the measure changed its meaning between baseline and result",
    Missing.COHORT_SHIFT: "the school's intake has shifted, so that a person must look first",
    Missing.PROVISIONAL_ONLY: "only provisional results are published",
}
GAPS: Mapping[ValueState, str] = {
    ValueState.SUPPRESSED: "withheld: few pupils",
    ValueState.LOW_COVERAGE: "withheld: low coverage",
    ValueState.NO_ENTRIES: "no entries",
    ValueState.NOT_PUBLISHED: "not published",
    ValueState.NOT_APPLICABLE: "not applicable",
    ValueState.UNAVAILABLE: "not available",
    ValueState.ROUNDS_TO_ZERO: "rounds to zero",
    ValueState.LOW_RELIABILITY: "unreliable",
    ValueState.NOT_PRODUCED: "not produced",
    ValueState.MISSING: "no figure",
    ValueState.UNREADABLE: "unreadable",
}
NO_RESULT, PANDEMIC, NO_PUPILS = "no result known", "pandemic: not published", "pupils not known"


def gap(year: int, reading: Reading | None) -> str | None:
    """Why a year's result cannot be drawn; None when it can."""
    if reading is None:
        return PANDEMIC if year in NOT_USABLE else NO_RESULT
    if reading.state is not ValueState.OK:
        return GAPS[reading.state]
    if not reading.usable:
        return NO_PUPILS
    return GAPS[ValueState.SUPPRESSED] if (reading.n or 0) <= SUPPRESS_UP_TO else None


def why_alone(subject: Subject) -> str:
    """Why the school cannot be drawn among its comparators."""
    if subject.gathered.match.comparators and names_only(subject.method_version):
        return f"method {subject.method_version} kept figures of comparators that could tell of single pupils"
    return why(subject) or "there are not enough schools to compare with"


def places(measure: Measure) -> int:
    """How many decimals a value of the measure is told with."""
    return 2 if measure.unit == "points" and float(measure.rounding_half_width) < 0.05 else 1


def level(measure: Measure, value: float) -> str:
    """A value with its unit."""
    number = f"{value:.{places(measure)}f}"
    return f"{number}%" if measure.unit == "percent" else f"{number} {measure.unit}"


def change(measure: Measure, value: float, *, signed: bool = True) -> str:
    """A difference of two values with its unit; without its sign where it has no direction."""
    number = bare(measure, value)
    return f"{number if signed else number[1:]} {change_unit(measure)}"


def bare(measure: Measure, value: float) -> str:
    """A difference of two values without its unit, which is told beside it."""
    return f"{rounded(value, places(measure)):+.{places(measure)}f}"


def change_unit(measure: Measure) -> str:
    """The unit of a difference of two values."""
    return "percentage points" if measure.unit == "percent" else measure.unit


def rounded(value: float | None, digits: int = 4) -> float | None:
    """A number as tables hold it; nothing stays nothing, and there is no negative zero."""
    return None if value is None else round(value, digits) + 0.0


def better(measure: Measure) -> str:
    """Which way is the better one."""
    return "more is better" if measure.direction > 0 else "less is better"


def listed(parts: Iterable[str]) -> str:
    """Parts as a sentence names them: a, b and c."""
    known = list(parts)
    return " and ".join(filter(None, [", ".join(known[:-1]), known[-1]])) if known else ""


def years_text(years: Iterable[int]) -> str:
    """Academic years as a sentence names them."""
    return listed(academic_year_text(each) for each in years)


def counted(count: int, thing: str) -> str:
    """So many of a thing."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def standing(subject: Subject) -> str:
    """How the outcome was judged, as a sentence."""
    verdict = f"Verdict on outcome {subject.agreed.code}: {subject.status.replace('_', ' ')}"
    if subject.status != "not_measurable":
        return f"{verdict}."
    return f"{verdict}, because {why(subject)}."


def why(subject: Subject) -> str:
    """Why the outcome could not be judged."""
    return listed(NOT_MEASURABLE[each] for each in subject.reasons if each in NOT_MEASURABLE)


def sources(subject: Subject, releases: Iterable[str] | None = None) -> tuple[str, ...]:
    """Whose verdict, on data of which year and status, from which releases; all of the verdict's where none are named.

    `releases` are the identifiers of those that the picture draws on.
    """
    wanted = None if releases is None else set(releases)
    used = [each for each in subject.sources if wanted is None or each.id in wanted]
    stage = f"{subject.stage} results" if subject.stage else "no results"
    said = (
        f"{subject.contract}, {subject.school} with {subject.supplier}, outcome {subject.agreed.code}."
        f" {subject.run.capitalize()} verdict as of {academic_year_text(subject.year)} on {stage},"
        f" method {subject.method_version}."
    )
    return (said, *published(used))


def published(used: Iterable[Source]) -> tuple[str, ...]:
    """Where and when these releases were published, in a sentence; nothing for none."""
    known = sorted({(each.feed, each.published_on, each.stage) for each in used})
    named = listed(f"{feed} ({stage}, published {day})" for feed, day, stage in known)
    return (f"Source: Department for Education, {named}.",) if known else ()


def own_releases(subject: Subject) -> set[str]:
    """The releases that the school's own results come from."""
    baseline = subject.agreed.baseline
    return {each.release_id for each in subject.gathered.readings.values()} | set(baseline.releases if baseline else ())


def undrawn(
    subject: Subject, name: str, title: str, columns: tuple[str, ...], reason: str, rows: tuple[Row, ...] = ()
) -> Figure:
    """A figure that says why there is nothing to draw; its table has what is known all the same."""
    words = f"Nothing is drawn, because {reason}."
    return Figure(
        name=name,
        title=title,
        alt=f"{title}. {words}",
        unit=subject.measure.unit,
        columns=columns,
        rows=rows,
        panels=(),
        sources=sources(subject),
        why=words,
    )
