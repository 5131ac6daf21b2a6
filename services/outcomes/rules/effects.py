"""What changed beyond what happened to similar schools anyway."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from services.outcomes.rules.intervals import Interval
from services.outcomes.rules.synthetic import Synthetic, synthetic_control

__all__ = ["Effect", "Synthetic", "difference_in_differences", "synthetic_control", "t_quantile"]


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference in differences, in the measure's unit.

    `tau` keeps the measure's sign (for absence, less is better and so is a negative tau); `lower80` and `lower90`
    are one-sided lower bounds of the improvement (direction times tau), `upper80` the upper one. `p_rank` is the
    one-sided placebo rank.
    """

    tau: float
    se: float
    df: int
    t: float
    p_two_sided: float
    p_rank: float
    ci80: Interval
    ci90: Interval
    ci95: Interval
    lower80: float
    lower90: float
    upper80: float
    k: int


@lru_cache(maxsize=4096)
def t_quantile(level: float, df: int) -> float:
    """Student's t below which a share `level` lies; kept, since it is asked for the same few again and again."""
    return float(scipy.special.stdtrit(df, level))


def difference_in_differences(
    baseline: float,
    outcome: float,
    comparators: Sequence[tuple[float, float]],
    direction: int = 1,
    sampling: tuple[float, float] | None = None,
) -> Effect:
    """The change of one school less the mean change of its comparators, given as (baseline, outcome) pairs.

    One treated school has no spread of its own, so the comparators' spread is used (t with K-1 degrees of freedom)
    beside the rank of the change among theirs. `sampling` is given where cohorts differ much in size: the variance
    that chance in pupils gives the school's change, and that of the comparators' on average; the one then takes the
    place of the other. Raises ValueError for fewer than two comparators.

    Source: METHOD.md 3.4.
    """
    changes = np.array([after - before for before, after in comparators], dtype=float)
    k = len(changes)
    if k < 2:
        raise ValueError("need at least two comparators")
    own, mean = outcome - baseline, float(np.add.reduce(changes)) / k
    tau = own - mean
    variance = float(np.add.reduce((changes - mean) ** 2)) / (k - 1)
    own_variance = variance if sampling is None else max(0.0, variance - sampling[1]) + sampling[0]
    se = math.sqrt(own_variance + variance / k)
    df = k - 1
    t = tau / se if se > 0 else float(np.sign(tau)) * float("inf") if tau else 0.0
    as_good = int((direction * changes >= direction * own - 1e-12).sum())

    def two_sided(level: float) -> Interval:
        half = t_quantile(0.5 + level / 2, df) * se
        return Interval(tau - half, tau + half)

    def lower(level: float) -> float:
        return direction * tau - t_quantile(level, df) * se

    return Effect(
        tau=tau,
        se=se,
        df=df,
        t=t,
        p_two_sided=2 * float(scipy.special.stdtr(df, -abs(t))),
        p_rank=(1 + as_good) / (k + 1),
        ci80=two_sided(0.80),
        ci90=two_sided(0.90),
        ci95=two_sided(0.95),
        lower80=lower(0.80),
        lower90=lower(0.90),
        upper80=2 * direction * tau - lower(0.80),
        k=k,
    )
