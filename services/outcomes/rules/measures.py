"""The catalogue of DfE measures: code, unit, direction, and how it was rounded when published (METHOD.md 1.1)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """How a measure is pooled: numerators over denominators, or means weighted by pupils."""

    PROPORTION = "proportion"
    MEAN = "mean"
    PROGRESS = "progress"
    CONTEXT = "context"


class Domain(StrEnum):
    """The field of school life that a measure speaks of; a contract must agree measures in two (METHOD.md 3.11)."""

    ATTAINMENT = "attainment"
    ATTENDANCE = "attendance"
    INCLUSION = "inclusion"
    CONTEXT = "context"


SMALLEST_SHARE = 0.005
"""A share of 0 or 1 would have no spread at all; half a percent stands in for it."""


class KeyStage(StrEnum):
    """The performance table that a measure belongs to."""

    KS2 = "KS2"
    KS4 = "KS4"
    ABSENCE = "ABS"
    CENSUS = "CENSUS"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as DfE defines it.

    `direction` is +1 where more is better and -1 where less is. `rounding_half_width` is half of the last place
    published, in the measure's own unit (0.5 for an integer percentage), carried into intervals and target tests.
    `pupil_sd` is the national spread between pupils of a mean or a progress score, for its interval; 0 where a
    proportion has none. `changed_from` are the academic years from which its definition was another.
    """

    code: str
    title: str
    kind: Kind
    domain: Domain
    key_stage: KeyStage
    direction: int
    unit: str
    rounding_half_width: Decimal
    pupil_sd: float = 0.0
    changed_from: tuple[int, ...] = ()

    @property
    def version(self) -> str:
        """The latest version of its definition."""
        return str(1 + len(self.changed_from))

    def version_in(self, year: int) -> str:
        """The version of its definition in the academic year that starts in `year`."""
        return str(1 + sum(first <= year for first in self.changed_from))

    def unchanged(self, years: Iterable[int]) -> bool:
        """Whether the measure means the same in all of these academic years, so that they may be compared."""
        return len({self.version_in(year) for year in years}) <= 1

    def spread_at(self, value: float) -> float:
        """The standard deviation between pupils where the mean is `value`, in the measure's unit; always positive."""
        if self.kind is not Kind.PROPORTION:
            return self.pupil_sd
        share = min(max(value / 100, SMALLEST_SHARE), 1 - SMALLEST_SHARE)
        return 100 * math.sqrt(share * (1 - share))

    def sampling_variance(self, value: float, n: int) -> float:
        """What chance in `n` pupils alone adds to the variance of a value, in the squared unit (METHOD.md 3.4)."""
        return self.spread_at(value) ** 2 / n


FLOORED_FROM = (2017,)


def percentage(code: str, title: str, domain: Domain, key_stage: KeyStage, direction: int, half: str) -> Measure:
    """A share of pupils, in percent."""
    return Measure(code, title, Kind.PROPORTION, domain, key_stage, direction, "percent", Decimal(half))


def mean(
    code: str, title: str, key_stage: KeyStage, half: str, pupil_sd: float, domain: Domain = Domain.ATTAINMENT
) -> Measure:
    """An average over pupils, in points; the spread between pupils is not published and so a default."""
    return Measure(code, title, Kind.MEAN, domain, key_stage, 1, "points", Decimal(half), pupil_sd)


def progress(
    code: str, title: str, key_stage: KeyStage, half: str, pupil_sd: float, domain: Domain = Domain.ATTAINMENT
) -> Measure:
    """Value added from one key stage to the next; zero is the national mean (spread: METHOD.md 1.2, latest year).

    From 2017/18 extreme negative scores of pupils are floored, so that earlier years are not compared with later ones.
    """
    return Measure(code, title, Kind.PROGRESS, domain, key_stage, 1, "points", Decimal(half), pupil_sd, FLOORED_FROM)


def context(code: str, title: str, unit: str, half: str) -> Measure:
    """What a school's intake is like; used to find comparators, never to judge."""
    return Measure(code, title, Kind.CONTEXT, Domain.CONTEXT, KeyStage.CENSUS, 1, unit, Decimal(half))


MEASURES: dict[str, Measure] = {
    measure.code: measure
    for measure in (
        percentage("ABS_OVERALL", "Overall absence rate", Domain.ATTENDANCE, KeyStage.ABSENCE, -1, "0.000005"),
        percentage(
            "ABS_PA", "Pupils persistently absent (10% or more)", Domain.ATTENDANCE, KeyStage.ABSENCE, -1, "0.000005"
        ),
        percentage(
            "KS2_RWM_EXP", "Expected standard in reading, writing and maths", Domain.ATTAINMENT, KeyStage.KS2, 1, "0.5"
        ),
        percentage(
            "KS2_RWM_HIGH", "Higher standard in reading, writing and maths", Domain.ATTAINMENT, KeyStage.KS2, 1, "0.5"
        ),
        mean("KS2_READ_AVG", "Average scaled score in reading", KeyStage.KS2, "0.5", 7.5),
        mean("KS2_MAT_AVG", "Average scaled score in maths", KeyStage.KS2, "0.5", 7.5),
        progress("KS2_READ_PROG", "Progress in reading", KeyStage.KS2, "0.05", 6.289),
        progress("KS2_WRIT_PROG", "Progress in writing", KeyStage.KS2, "0.05", 6.049),
        progress("KS2_MAT_PROG", "Progress in maths", KeyStage.KS2, "0.05", 5.914),
        mean("KS4_A8", "Attainment 8", KeyStage.KS4, "0.05", 20.0),
        progress("KS4_P8", "Progress 8", KeyStage.KS4, "0.005", 1.41628),
        percentage("KS4_EM95", "Grade 5 or above in English and maths", Domain.ATTAINMENT, KeyStage.KS4, 1, "0.5"),
        percentage("KS4_EM94", "Grade 4 or above in English and maths", Domain.ATTAINMENT, KeyStage.KS4, 1, "0.5"),
        mean("KS4_EBACC_APS", "EBacc average point score", KeyStage.KS4, "0.005", 2.0),
        percentage(
            "KS2_RWM_EXP_DIS",
            "Expected standard in reading, writing and maths: disadvantaged pupils",
            *(Domain.INCLUSION, KeyStage.KS2, 1, "0.5"),
        ),
        mean("KS4_A8_DIS", "Attainment 8: disadvantaged pupils", KeyStage.KS4, "0.05", 20.0, Domain.INCLUSION),
        progress("KS4_P8_DIS", "Progress 8: disadvantaged pupils", KeyStage.KS4, "0.005", 1.41628, Domain.INCLUSION),
        context("CENSUS_NOR", "Pupils on roll", "pupils", "0"),
        context("CENSUS_FSM", "Eligible for free school meals in the past six years", "percent", "0.05"),
        context("CENSUS_EAL", "English as an additional language", "percent", "0.05"),
        context("CENSUS_SEN_SUPPORT", "SEN support", "percent", "0.05"),
        context("CENSUS_EHCP", "Education, health and care plan", "percent", "0.05"),
    )
}
