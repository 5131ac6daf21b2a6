"""A trust's table: pupils of its schools pooled, never schools averaged (METHOD.md 2.1)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.outcomes.rules.intervals import Interval, by_rounding, wilson
from services.outcomes.rules.ringfence import ENOUGH_SCHOOLS
from services.outcomes.rules.suppression import SUPPRESS_UP_TO

PLAIN = "none"
"""Schools weigh by their pupils alone."""


@dataclass(frozen=True, slots=True)
class Member:
    """One school's result: `value` in the measure's unit over `n` pupils, after `full_years` in the trust.

    `half_width` is how far the value may be off by rounding, 0 where the exact figure was recovered.
    """

    urn: int
    n: int
    value: float
    full_years: int
    half_width: float = 0.0


@dataclass(frozen=True, slots=True)
class TrustMeasure:
    """The pooled value with its 95% interval; all None, with a reason in `state`, where it is not published."""

    state: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    schools: int


def pool_trust(
    members: Sequence[Member], sigma: float | None, time_weighting: str = PLAIN, enough: int = ENOUGH_SCHOOLS
) -> TrustMeasure:
    """Pool members' pupils; fewer than `enough` schools: NOT_PUBLISHED_TOO_FEW; five pupils or fewer: SUPPRESSED.

    `sigma` is the national pupil standard deviation of a progress measure, for its interval; None means that the
    values are percentages (Wilson, over as many pupils as the weights leave: Kish). `time_weighting` is `none`, or
    `cap4` for the weights of 2015/16 and 2016/17. What rounding took from each school widens the interval in quadrature
    (METHOD.md 1.4), as it does that of several years of a school.
    """
    if time_weighting not in {PLAIN, "cap4"}:
        raise ValueError("time_weighting is none or cap4")
    schools, n = len(members), sum(member.n for member in members)
    if schools < enough:
        return TrustMeasure("NOT_PUBLISHED_TOO_FEW", None, None, None, n, schools)
    if n <= SUPPRESS_UP_TO:
        return TrustMeasure("SUPPRESSED", None, None, None, n, schools)
    weights = [min(max(member.full_years, 1), 4) if time_weighting == "cap4" else 1 for member in members]
    mass = sum(w * member.n for w, member in zip(weights, members, strict=True))
    value = sum(w * member.n * member.value for w, member in zip(weights, members, strict=True)) / mass
    off = math.hypot(*(w * member.n * member.half_width / mass for w, member in zip(weights, members, strict=True)))
    squares = sum(w * w * member.n for w, member in zip(weights, members, strict=True))
    if sigma is None:
        effective = mass**2 / squares
        share = wilson(min(max(value / 100, 0.0), 1.0) * effective, effective)
        bounds = by_rounding(value, Interval(share.low * 100, share.high * 100), off)
        return TrustMeasure("OK", value, max(bounds.low, 0.0), min(bounds.high, 100.0), n, schools)
    half = 1.96 * sigma * math.sqrt(squares) / mass
    bounds = by_rounding(value, Interval(value - half, value + half), off)
    return TrustMeasure("OK", value, bounds.low, bounds.high, n, schools)


def counted_together(members: Sequence[Member], enough: int = ENOUGH_SCHOOLS) -> TrustMeasure:
    """All pupils of the members: a sum, which has no interval; fewer than `enough` schools: NOT_PUBLISHED_TOO_FEW."""
    n = sum(member.n for member in members)
    if len(members) < enough:
        return TrustMeasure("NOT_PUBLISHED_TOO_FEW", None, None, None, n, len(members))
    return TrustMeasure("OK", sum(member.value for member in members), None, None, n, len(members))
