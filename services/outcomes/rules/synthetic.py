"""A school beside a weighted mixture of others that went the same way before (METHOD.md 3.5)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CLEAN_YEARS = 5
FIT = 0.5
DOMINANT = 0.5


@dataclass(frozen=True, slots=True)
class Synthetic:
    """The mixture and what it leaves: `weights` by donor, above zero only, and summing to 1.

    `pre_rmspe` is the root mean square of the gaps before, `gaps` those after (school less mixture), `effect` their
    mean; all in the measure's unit. `usable` is the acceptance rule: five clean years before, a fit within half of
    the donors' spread; `dominated` warns that one donor has more than half of the weight.
    """

    weights: Mapping[str, float]
    pre_rmspe: float
    gaps: tuple[float, ...]
    effect: float
    usable: bool
    dominated: bool


def synthetic_control(
    treated_pre: Sequence[float],
    donors_pre: Mapping[str, Sequence[float]],
    treated_post: Sequence[float],
    donors_post: Mapping[str, Sequence[float]],
) -> Synthetic:
    """The mixture of donors nearest to the school before, by the exact quadratic programme, and the gaps after.

    Series are in the order of time and as long as the school's; raises ValueError for others, or without donors.
    Source: Abadie, Diamond and Hainmueller (2010), on outcomes alone.
    """
    names = sorted(donors_pre)
    if not names or set(names) != set(donors_post) or not treated_pre or not treated_post:
        raise ValueError("need at least one donor, and the same ones before and after")
    before = np.array([donors_pre[name] for name in names], dtype=np.float64).T
    after = np.array([donors_post[name] for name in names], dtype=np.float64).T
    own, later = np.asarray(treated_pre, dtype=np.float64), np.asarray(treated_post, dtype=np.float64)
    if len(before) != len(own) or len(after) != len(later):
        raise ValueError("need series as long as the school's")
    weights = nearest_mixture(own, before)
    rmspe = math.sqrt(float(((own - before @ weights) ** 2).mean()))
    gaps = later - after @ weights
    spread = float(before.std(axis=1, ddof=1).mean()) if len(names) > 1 else 0.0
    return Synthetic(
        weights={name: float(weight) for name, weight in zip(names, weights, strict=True) if weight > 0},
        pre_rmspe=rmspe,
        gaps=tuple(float(each) for each in gaps),
        effect=float(gaps.mean()),
        usable=len(own) >= CLEAN_YEARS and rmspe <= FIT * spread,
        dominated=bool(weights.max() > DOMINANT),
    )


def nearest_mixture(target: Floats, columns: Floats) -> Floats:
    """Weights, none negative and summing to 1, that bring the columns' mixture nearest to the target; exact.

    The point of a convex hull nearest to the origin follows from non-negative least squares: where `u` is nearest to
    solving `P u = 0, sum(u) = 1`, `u / sum(u)` is the mixture of P's columns of least norm (Lawson and Hanson 1974).
    """
    apart = columns - target[:, None]
    scale = float(np.abs(apart).max()) or 1.0
    system = np.vstack([apart / scale, np.ones(columns.shape[1])])
    found, _residual = scipy.optimize.nnls(system, np.append(np.zeros(len(target)), 1.0))
    found[found < DUST * found.max()] = 0.0
    weights: Floats = found / found.sum()
    return weights


DUST = 1e-12
"""Shares below this are what is left of nothing by rounding."""


def placebo_rank(
    treated: tuple[Sequence[float], Sequence[float]],
    donors: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> float:
    """The share of schools, each taken as if it were the treated one, whose gaps grew as much as the school's.

    Series are (before, after). Each donor is set beside the other donors; what is ranked is the mean square of the
    gaps after over that before. Raises ValueError for fewer than two donors.
    """
    if len(donors) < 2:
        raise ValueError("need at least two donors")
    own = growth(treated, donors)
    others = [growth(each, {key: donors[key] for key in donors if key != name}) for name, each in donors.items()]
    return (1 + sum(each >= own for each in others)) / (len(donors) + 1)


def growth(
    school: tuple[Sequence[float], Sequence[float]], donors: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> float:
    """Mean square of the gaps after, over that before."""
    before, after = ({name: each[at] for name, each in donors.items()} for at in (0, 1))
    found = synthetic_control(school[0], before, school[1], after)
    later = sum(gap**2 for gap in found.gaps) / len(found.gaps)
    return later / found.pre_rmspe**2 if found.pre_rmspe > 0 else math.inf if later > 0 else 0.0
