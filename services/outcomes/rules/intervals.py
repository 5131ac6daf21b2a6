"""Intervals: of proportions, of their differences and of progress, and between which limits chance alone leads."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends, in the unit of what was put in."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value lies inside, ends included."""
        return self.low <= value <= self.high


def by_rounding(value: float, found: Interval, half_width: float) -> Interval:
    """The 95% interval of a value that may be off by `half_width` besides: a third of its square is added to each end.

    In quadrature, as rounding is uniform and has nothing to do with chance in pupils (METHOD.md 1.4).
    """
    off = 1.96 * half_width / math.sqrt(3)
    return Interval(value - math.hypot(value - found.low, off), value + math.hypot(found.high - value, off))


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, as fractions of 1; raises ValueError unless 0 <= successes <= n > 0.

    Source: Wilson (1927); METHOD.md 3.6. Counts may be fractional where they were recovered from percentages.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError("need 0 <= successes <= n and n > 0")
    z = float(scipy.special.ndtri(0.5 + confidence / 2))
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def progress_interval(mean: float, n: float, sigma: float) -> Interval:
    """DfE's 95% interval of a mean of progress scores: national pupil standard deviation over the root of n.

    Source: DfE secondary accountability measures guide; METHOD.md 1.2.
    """
    if n <= 0 or sigma <= 0:
        raise ValueError("need n > 0 and sigma > 0")
    half = 1.96 * sigma / math.sqrt(n)
    return Interval(mean - half, mean + half)


def funnel_limits(p0: float, n: int, coverage: float = 0.95) -> Interval:
    """Between which shares of 1 a proportion of `n` lies with this probability where the true one is `p0`.

    Exact binomial limits, interpolated so that they do not jump with whole counts; raises ValueError unless
    0 <= p0 <= 1, n > 0 and 0 < coverage < 1. Source: Spiegelhalter (2005), appendix A.1; METHOD.md 3.6.
    """
    if not 0 <= p0 <= 1 or n <= 0 or not 0 < coverage < 1:
        raise ValueError("need 0 <= p0 <= 1, n > 0 and 0 < coverage < 1")

    def limit(level: float) -> float:
        r = least_count(level, n, p0)
        under, reached = at_most(r - 1, n, p0), at_most(r, n, p0)
        return min(1.0, max(0.0, (r - (reached - level) / (reached - under)) / n))

    return Interval(limit(0.5 - coverage / 2), limit(0.5 + coverage / 2))


def at_most(count: int, n: int, p0: float) -> float:
    """The probability of `count` or fewer successes in `n`, each of probability `p0`."""
    return float(scipy.special.bdtr(count, n, p0)) if count >= 0 else 0.0


def least_count(level: float, n: int, p0: float) -> int:
    """The least count that as many or fewer successes reach with probability `level`."""
    return bisect_left(range(n), level, key=lambda count: at_most(count, n, p0))


def newcombe_difference(x1: float, n1: float, x2: float, n2: float, confidence: float = 0.95) -> Interval:
    """Interval of the difference p1 - p2 of two proportions, as fractions of 1, from their Wilson intervals.

    Source: Newcombe (1998), method 10. Raises ValueError as `wilson` does.
    """
    first, second = wilson(x1, n1, confidence), wilson(x2, n2, confidence)
    p1, p2 = x1 / n1, x2 / n2
    below = math.hypot(p1 - first.low, second.high - p2)
    above = math.hypot(first.high - p1, p2 - second.low)
    return Interval(p1 - p2 - below, p1 - p2 + above)


def overdispersion(z: Sequence[float], cut: float = 0.1) -> float:
    """How much more than chance the scores of a funnel vary: the mean of squared z, its tails drawn in by a tenth.

    Limits are widened by its root where it exceeds 1. Source: Spiegelhalter (2005), section 6. Raises ValueError
    without scores.
    """
    if not len(z):
        raise ValueError("need at least one score")
    return float((np.clip(z, *np.quantile(z, [cut, 1 - cut])) ** 2).mean())


def progress8_band(score: float, low: float, high: float) -> int:
    """DfE's band of a Progress 8 score and its 95% interval: 1 well above average, 3 average, 5 well below.

    Source: DfE, secondary accountability measures guide.
    """
    if low > 0:
        return 1 if score >= WELL_APART else 2
    if high < 0:
        return 5 if score < -WELL_APART else 4
    return 3


WELL_APART = 0.5
