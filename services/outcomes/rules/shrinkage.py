"""Many noisy estimates at once: how far they truly differ, what each is worth, and how sure their order is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """What estimates have in common: the variance between what they estimate, its mean, and Cochran's Q.

    `tau2` is in the squared unit of the estimates and never negative; `se` is the standard error of `mean`.
    """

    tau2: float
    mean: float
    se: float
    q: float


def arrays(y: Sequence[float] | Floats, se: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Estimates and their variances; raises ValueError unless there are two or more, each with a positive error."""
    estimates, errors = np.asarray(y, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if len(estimates) < 2 or len(estimates) != len(errors) or not np.minimum.reduce(errors) > 0:
        raise ValueError("need two or more estimates, each with a standard error above zero")
    return estimates, errors**2


def weighted(estimates: Floats, variances: Floats, tau2: float) -> tuple[float, float, float]:
    """Mean weighted by the inverse of both variances, its variance, and the weighted sum of squares around it."""
    weights = 1 / (variances + tau2)
    total = float(np.add.reduce(weights))
    mean = float(np.add.reduce(weights * estimates)) / total
    return mean, 1 / total, float(np.add.reduce(weights * (estimates - mean) ** 2))


def pooled(estimates: Floats, variances: Floats, tau2: float) -> Pooled:
    """What the estimates have in common, given the variance between what they estimate."""
    mean, variance, _spread = weighted(estimates, variances, tau2)
    return Pooled(tau2, mean, math.sqrt(variance), weighted(estimates, variances, 0.0)[2])


def dersimonian_laird(y: Sequence[float], se: Sequence[float]) -> Pooled:
    """Moment estimate, cut off at zero (some libraries do not). Source: DerSimonian and Laird (1986)."""
    estimates, variances = arrays(y, se)
    weights = 1 / variances
    excess = weighted(estimates, variances, 0.0)[2] - (len(estimates) - 1)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    return pooled(estimates, variances, max(0.0, excess / scale))


def paule_mandel(y: Sequence[float] | Floats, se: Sequence[float] | Floats) -> Pooled:
    """The variance that makes the weighted sum of squares what is expected. Source: Paule and Mandel (1982).

    The sum falls ever more slowly as the variance grows, so Newton's steps from none approach it from below.
    """
    estimates, variances = arrays(y, se)
    tau2, least = 0.0, LEAST_STEP * float(variances.min())
    while True:
        weights = 1 / (variances + tau2)
        total = np.add.reduce(weights)
        shares = weights * (estimates - np.add.reduce(weights * estimates) / total) ** 2
        excess = np.add.reduce(shares) - (len(estimates) - 1)
        step = float(excess / np.add.reduce(weights * shares)) if excess > 0 else 0.0
        if step <= least + LEAST_STEP * tau2:
            return pooled(estimates, variances, tau2)
        tau2 += step


LEAST_STEP = 1e-14


def reml(y: Sequence[float], se: Sequence[float]) -> Pooled:
    """Restricted maximum likelihood. Source: Viechtbauer (2005); the highest of the likelihood's peaks is taken."""
    estimates, variances = arrays(y, se)

    def unlikely(tau2: float) -> float:
        _mean, variance, spread = weighted(estimates, variances, tau2)
        return 0.5 * float(np.log(variances + tau2).sum() - math.log(variance) + spread)

    top = 10 * float(estimates.var(ddof=1)) + 10 * float(variances.max())
    grid = np.concatenate(([0.0], np.geomspace(top * 1e-9, top, 100)))
    least = int(np.argmin([unlikely(each) for each in grid]))
    around = (float(grid[max(least - 1, 0)]), float(grid[min(least + 1, len(grid) - 1)]))
    found = scipy.optimize.minimize_scalar(unlikely, bounds=around, method="bounded", options={"xatol": 1e-12 * top})
    tau2 = float(found.x) if unlikely(float(found.x)) < unlikely(0.0) else 0.0
    return pooled(estimates, variances, tau2)


def empirical_bayes(y: Sequence[float], se: Sequence[float], pooled: Pooled) -> list[float]:
    """Each estimate drawn towards the mean, the further the less it says itself (METHOD.md 3.7)."""
    means, _variances = posterior(*arrays(y, se), pooled)
    return [float(each) for each in means]


def posterior(estimates: Floats, variances: Floats, pooled: Pooled) -> tuple[Floats, Floats]:
    """Mean and variance of what each estimate estimates; the mean's own uncertainty is part of the variance."""
    own = pooled.tau2 / (pooled.tau2 + variances)
    return own * estimates + (1 - own) * pooled.mean, own * variances + ((1 - own) * pooled.se) ** 2


def reliability(n: float, tau: float, sigma: float) -> float:
    """The share of the variance of a mean of `n` pupils that is true difference between schools (METHOD.md 3.2).

    `tau` is the standard deviation between schools, `sigma` that between pupils; raises ValueError unless n > 0.
    """
    if n <= 0:
        raise ValueError("need n > 0")
    return tau**2 / (tau**2 + sigma**2 / n)


DRAWS = 10_000
SEED = 20_260_901
AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """For each of many, its place when the greatest is first: expected, its 90% interval, and the chance to be in
    the first tenth."""

    expected: Floats
    low: Floats
    high: Floats
    first_tenth: Floats


def ranks(draw: Callable[[np.random.Generator, int], Floats], count: int, draws: int = DRAWS) -> Ranks:
    """Places over many draws; `draw` gives, for a number of draws, a row each with a value for every one of `count`.

    Deterministic: the generator is always seeded the same.
    """
    generator = np.random.default_rng(SEED)
    batch = max(1, min(draws, AT_ONCE // max(count, 1)))
    places = np.empty((draws, count), dtype=np.uint16 if count < 2**16 else np.uint32)
    for start in range(0, draws, batch):
        rows = min(batch, draws - start)
        order = np.argsort(-draw(generator, rows), axis=1, kind="stable")
        np.put_along_axis(places[start : start + rows], order, np.arange(1, count + 1, dtype=places.dtype)[None], 1)
    low, high = np.percentile(places, [5, 95], axis=0, method="inverted_cdf")
    tenth = max(1, math.ceil(count / 10))
    return Ranks(places.mean(axis=0), low.astype(np.float64), high.astype(np.float64), (places <= tenth).mean(axis=0))


def rank_intervals(means: Sequence[float], variances: Sequence[float], draws: int = DRAWS) -> Ranks:
    """Places of independent normal quantities, the greatest first (METHOD.md 3.7)."""
    centre, spread = np.asarray(means, dtype=np.float64), np.sqrt(np.asarray(variances, dtype=np.float64))
    return ranks(lambda generator, rows: generator.normal(centre, spread, (rows, len(centre))), len(centre), draws)
