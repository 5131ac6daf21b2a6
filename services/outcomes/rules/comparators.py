"""Schools like this one: nearest by weighted distance on what the school was like before the contract."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = Sequence[float | None]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weighting:
    """What DfE compares schools by, and how much each characteristic weighs: per squared unit of it."""

    version: str
    weights: Mapping[str, float]

    def of(self, features: Sequence[str]) -> Floats:
        """The weights of these characteristics, in their order."""
        return np.array([self.weights[name] for name in features])


PRIMARY = Weighting(
    "dfe-primary-2025",
    {
        "CENSUS_FSM": 5.26760083e-4,
        "CENSUS_EAL": 9.9477003e-5,
        "CENSUS_SEN_SUPPORT": 2.18607623e-3,
        "CENSUS_EHCP": 4.63726593e-3,
        "CENSUS_NOR": 6.03098922e-7,
        "STABILITY": 8.3910228e-4,
        "POLAR4": 0.12976348,
        "IDACI": 7.86750879,
        "KS1_RWM": 7.6486366,
    },
)
"""Recovered from the distances that DfE's similar schools service stores (METHOD.md 3.3)."""
SECONDARY = Weighting(
    "dfe-secondary-2025",
    {
        "CENSUS_FSM": 1 / 14.20985**2,
        "CENSUS_EAL": 1 / 18.06654**2,
        "CENSUS_SEN_SUPPORT": 1 / 5.70462**2,
        "CENSUS_EHCP": 1 / 1.96881**2,
        "CENSUS_NOR": 1 / 392.46604**2,
        "STABILITY": 1 / 6.82636**2,
        "POLAR4": 1 / 1.00183**2,
        "IDACI": 1 / 0.07773**2,
        "KS2_RM": 1 / 2.54724**2,
    },
)
"""One over the squared published spreads of the characteristics; DfE's own weights are not known (METHOD.md 3.3)."""
FEATURES = ("CENSUS_FSM", "CENSUS_EAL", "CENSUS_SEN_SUPPORT", "CENSUS_EHCP", "CENSUS_NOR")
"""The characteristics that a feed brings: those of the census. Prior attainment, deprivation of the neighbourhood,
participation in higher education and stability are in no file that is published by school."""
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
    distances = distances_from(np.array(features, dtype=float), matrix, np.array(weights))
    return [(int(urns[place]), float(distances[place])) for place in nearest_places(distances, urns, k)]


def distances_from(features: Floats, matrix: Floats, weights: Floats) -> Floats:
    """The weighted distance of one school from every row of the matrix."""
    found: Floats = np.sqrt(squares_from(features, matrix, weights))
    return found


def squares_from(features: Floats, matrix: Floats, weights: Floats) -> Floats:
    """The squares of those distances."""
    found: Floats = ((matrix - features) ** 2) @ weights
    return found


def nearest_places(distances: Floats, urns: Ints, k: int) -> Ints:
    """Where the `k` smallest distances stand, nearest first, ties by URN."""
    if len(distances) > k:
        within = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1])
    else:
        within = np.arange(len(distances))
    found: Ints = within[np.lexsort((urns[within], distances[within]))[:k]]
    return found


def weighting_of(phase: str) -> Weighting:
    """The weights for schools of this phase, in the register's words; secondary ones for all that is not primary."""
    return PRIMARY if "primary" in phase.lower() else SECONDARY
