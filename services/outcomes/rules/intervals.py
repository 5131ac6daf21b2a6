"""Confidence intervals: Wilson for proportions, national pupil spread for progress."""

import math
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends, in the unit of what was put in."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value lies inside, ends included."""
        return self.low <= value <= self.high


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, as fractions of 1; raises ValueError unless 0 <= successes <= n > 0.

    Source: Wilson (1927); METHOD.md 3.6. Counts may be fractional where they were recovered from percentages.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError("need 0 <= successes <= n and n > 0")
    z = float(stats.norm.ppf(0.5 + confidence / 2))
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
