"""The catalogue of DfE measures: code, unit, direction, and how it was rounded when published (METHOD.md 1.1)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

import numpy as np

from services.outcomes.rules.comparators import Floats, Ints

ON_ROLL = "CENSUS_NOR"
"""Pupils by the census, who stand in where a table does not tell how many it speaks of."""
PUPILS = "pupils"


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
    proportion has none. `pupil_sds` are those of single academic years, where they are known. `changed_from` are the
    academic years from which its definition was another. `part_of` is the measure of all pupils, of whom this one is
    about some; `of_sessions` says that a percentage is one of sessions. `bounds` are the least and the greatest value
    that it can have.
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
    pupil_sds: tuple[tuple[int, float], ...] = ()
    changed_from: tuple[int, ...] = ()
    part_of: str | None = None
    of_sessions: bool = False
    bounds: tuple[int, int] = (0, 100)

    def can_be(self, number: Decimal) -> bool:
        """Whether the measure can have this value; pupils are whole."""
        low, high = self.bounds
        return low <= number <= high and (self.unit != PUPILS or number == number.to_integral_value())

    @property
    def judged(self) -> bool:
        """Whether it tells how a school does, in contrast to what its intake is like."""
        return self.kind is not Kind.CONTEXT

    @property
    def version(self) -> str:
        """The latest version of its definition."""
        return str(1 + len(self.changed_from))

    def version_in(self, year: int) -> str:
        """The version of its definition in the academic year that starts in `year`."""
        return str(1 + sum(first <= year for first in self.changed_from))

    def unchanged(self, years: Iterable[int]) -> bool:
        """Whether the measure means the same in all of these academic years, so that they may be compared."""
        return not self.changed_from or len({self.version_in(year) for year in years}) <= 1

    def over(self, years: Iterable[int]) -> "Measure":
        """The measure with the national spread between pupils of these academic years: the root of their mean square.

        A year whose spread is not known has that of the nearest one that is, the later of two.
        """
        return over(self, tuple(years))

    def spread_at(self, value: float) -> float:
        """The standard deviation between pupils where the mean is `value`, in the measure's unit; always positive."""
        if self.kind is not Kind.PROPORTION:
            return self.pupil_sd
        share = min(max(value / 100, SMALLEST_SHARE), 1 - SMALLEST_SHARE)
        return 100 * math.sqrt(share * (1 - share))

    def sampling_variance(self, value: float, n: int) -> float:
        """What chance in `n` pupils alone adds to the variance of a value, in the squared unit (METHOD.md 3.4)."""
        return self.spread_at(value) ** 2 / n

    def sampling_variances(self, values: Floats, n: Ints) -> Floats:
        """The same of many values at once."""
        if self.kind is not Kind.PROPORTION:
            return self.pupil_sd**2 / n
        shares = np.clip(values / 100, SMALLEST_SHARE, 1 - SMALLEST_SHARE)
        found: Floats = 10_000 * shares * (1 - shares) / n
        return found


@lru_cache(maxsize=1024)
def over(measure: Measure, years: tuple[int, ...]) -> Measure:
    """What `Measure.over` gives; kept, since all contracts ask for the same few years."""
    known = dict(measure.pupil_sds)
    found = [known[min(known, key=lambda each: (abs(each - year), -each))] for year in years] if known else []
    if not found:
        return measure
    return replace(measure, pupil_sd=math.sqrt(sum(each**2 for each in found) / len(found)))


FLOORED_FROM = (2017,)


def percentage(
    code: str, title: str, domain: Domain, key_stage: KeyStage, direction: int, half: str, *, of_sessions: bool = False
) -> Measure:
    """A share of pupils, or of sessions, in percent."""
    unit = ("percent", Decimal(half))
    return Measure(code, title, Kind.PROPORTION, domain, key_stage, direction, *unit, of_sessions=of_sessions)


def mean(code: str, title: str, key_stage: KeyStage, half: str, pupil_sd: float, *, bounds: tuple[int, int]) -> Measure:
    """An average over pupils, in points; the spread between pupils is not published and so a default."""
    spread = ("points", Decimal(half), pupil_sd)
    return Measure(code, title, Kind.MEAN, Domain.ATTAINMENT, key_stage, 1, *spread, bounds=bounds)


def progress(
    code: str, title: str, key_stage: KeyStage, half: str, *pupil_sds: tuple[int, float], bounds: tuple[int, int]
) -> Measure:
    """Value added from one key stage to the next; zero is the national mean. The last of the spreads is the latest.

    From 2017/18 extreme negative scores of pupils are floored, so that earlier years are not compared with later ones.
    Spreads: METHOD.md 1.2; those of 2016/17 are what the intervals that DfE published with its tables follow from.
    """
    spread = ("points", Decimal(half), pupil_sds[-1][1], pupil_sds, FLOORED_FROM)
    return Measure(code, title, Kind.PROGRESS, Domain.ATTAINMENT, key_stage, 1, *spread, bounds=bounds)


def disadvantaged(whole: Measure) -> Measure:
    """The same measure of the disadvantaged pupils alone."""
    title = f"{whole.title}: disadvantaged pupils"
    return replace(whole, code=f"{whole.code}_DIS", title=title, domain=Domain.INCLUSION, part_of=whole.code)


def context(code: str, title: str, unit: str, half: str, *, bounds: tuple[int, int] = (0, 100)) -> Measure:
    """What a school's intake is like; used to find comparators, never to judge."""
    return Measure(code, title, Kind.CONTEXT, Domain.CONTEXT, KeyStage.CENSUS, 1, unit, Decimal(half), bounds=bounds)


SCALED = (80, 120)
"""The scale of the tests at key stage 2."""
GAINED = (-61, 61)
"""From 59 points, which stand for work far below the tests, to 120: no pupil can be further from those like them."""
RWM_EXPECTED = percentage(
    "KS2_RWM_EXP", "Expected standard in reading, writing and maths", Domain.ATTAINMENT, KeyStage.KS2, 1, "0.5"
)
ATTAINMENT_8 = mean("KS4_A8", "Attainment 8", KeyStage.KS4, "0.05", 20.0, bounds=(0, 90))
"""Ten slots, English and maths counting twice, of grade 9 at most; Progress 8 is a difference of a tenth of it."""
PROGRESS_8 = progress(
    *("KS4_P8", "Progress 8", KeyStage.KS4, "0.005"),
    *((2016, 1.2285), (2018, 1.2828), (2021, 1.40975), (2022, 1.414), (2023, 1.41628)),
    bounds=(-9, 9),
)
MEASURES: dict[str, Measure] = {
    measure.code: measure
    for measure in (
        percentage(
            *("ABS_OVERALL", "Overall absence rate", Domain.ATTENDANCE, KeyStage.ABSENCE, -1, "0.000005"),
            of_sessions=True,
        ),
        percentage(
            "ABS_PA", "Pupils persistently absent (10% or more)", Domain.ATTENDANCE, KeyStage.ABSENCE, -1, "0.000005"
        ),
        RWM_EXPECTED,
        percentage(
            "KS2_RWM_HIGH", "Higher standard in reading, writing and maths", Domain.ATTAINMENT, KeyStage.KS2, 1, "0.5"
        ),
        mean("KS2_READ_AVG", "Average scaled score in reading", KeyStage.KS2, "0.5", 7.5, bounds=SCALED),
        mean("KS2_MAT_AVG", "Average scaled score in maths", KeyStage.KS2, "0.5", 7.5, bounds=SCALED),
        progress(
            *("KS2_READ_PROG", "Progress in reading", KeyStage.KS2, "0.05"),
            *((2016, 6.24), (2018, 6.175), (2021, 6.289), (2022, 6.289)),
            bounds=GAINED,
        ),
        progress(
            *("KS2_WRIT_PROG", "Progress in writing", KeyStage.KS2, "0.05"),
            *((2016, 6.03), (2018, 5.694), (2021, 6.038), (2022, 6.049)),
            bounds=GAINED,
        ),
        progress(
            *("KS2_MAT_PROG", "Progress in maths", KeyStage.KS2, "0.05"),
            *((2016, 5.63), (2018, 5.39), (2021, 5.852), (2022, 5.914)),
            bounds=GAINED,
        ),
        ATTAINMENT_8,
        PROGRESS_8,
        percentage("KS4_EM95", "Grade 5 or above in English and maths", Domain.ATTAINMENT, KeyStage.KS4, 1, "0.5"),
        percentage("KS4_EM94", "Grade 4 or above in English and maths", Domain.ATTAINMENT, KeyStage.KS4, 1, "0.5"),
        mean("KS4_EBACC_APS", "EBacc average point score", KeyStage.KS4, "0.005", 2.0, bounds=(0, 9)),
        percentage(
            "KS4_EBACC_ENTRY", "Entered for all subjects of the EBacc", Domain.ATTAINMENT, KeyStage.KS4, 1, "0.5"
        ),
        disadvantaged(RWM_EXPECTED),
        disadvantaged(ATTAINMENT_8),
        disadvantaged(PROGRESS_8),
        context(ON_ROLL, "Pupils on roll", PUPILS, "0", bounds=(0, 99_999)),
        context("CENSUS_FSM", "Eligible for free school meals in the past six years", "percent", "0.05"),
        context("CENSUS_EAL", "English as an additional language", "percent", "0.05"),
        context("CENSUS_SEN_SUPPORT", "SEN support", "percent", "0.05"),
        context("CENSUS_EHCP", "Education, health and care plan", "percent", "0.05"),
    )
}
