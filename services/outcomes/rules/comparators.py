"""Schools like this one: nearest by weighted distance on what the school was like before the contract."""

import math
from collections.abc import Sequence

import numpy as np

Features = Sequence[float | None]

CENSUS_WEIGHTS: dict[str, float] = {
    "CENSUS_FSM": 1 / 14.20985**2,
    "CENSUS_EAL": 1 / 18.06654**2,
    "CENSUS_SEN_SUPPORT": 1 / 5.70462**2,
    "CENSUS_EHCP": 1 / 1.96881**2,
    "CENSUS_NOR": 1 / 392.46604**2,
}
"""One over the squared spread of each characteristic among English secondary schools (METHOD.md 3.3, version 1).

Prior attainment, deprivation of the neighbourhood, participation and stability are not in the census; they take part
where a release holds them.
"""
OUTCOME_LAMBDA = 3.0
CALIPER = 0.25
NEIGHBOURS = 50
ENOUGH = 10


def weighted_distance(a: Sequence[float], b: Sequence[float], weights: Sequence[float]) -> float:
    """Square root of the weighted sum of squared differences; the sequences are in the order of the weights.

    Source: DfE similar schools method (METHOD.md 3.3).
    """
    return math.sqrt(sum(w * (x - y) ** 2 for x, y, w in zip(a, b, weights, strict=True)))


def nearest(
    treated: tuple[int, Features], pool: Sequence[tuple[int, Features]], weights: Sequence[float], k: int
) -> list[tuple[int, float]]:
    """The `k` schools of the pool nearest to the treated one, as (URN, distance), nearest first, ties by URN.

    A school that lacks a feature is left out, and so is the treated school itself; raises ValueError when the
    treated school lacks one.
    """
    urn, features = treated
    if any(value is None for value in features):
        raise ValueError("the treated school lacks a feature")
    complete = [(other, row) for other, row in pool if other != urn and all(value is not None for value in row)]
    if not complete:
        return []
    urns = np.array([other for other, _ in complete])
    matrix = np.array([row for _, row in complete], dtype=float)
    distances = np.sqrt((np.array(weights) * (matrix - np.array(features, dtype=float)) ** 2).sum(axis=1))
    order = np.lexsort((urns, distances))[:k]
    return [(int(urns[place]), float(distances[place])) for place in order]
