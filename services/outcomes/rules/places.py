"""Where schools lie, and how far it is from one to another."""

import math
from dataclasses import dataclass

METRES = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A point of the British National Grid, in metres east and north."""

    easting: int
    northing: int


def place(easting: int | None, northing: int | None) -> Place | None:
    """The place of a school; None where the register does not say it."""
    if easting is None or northing is None:
        return None
    return Place(easting, northing)


def distance_km(one: Place, other: Place) -> float:
    """How far it is as the crow flies, in kilometres; the grid is plane, so Pythagoras holds to 0.1%."""
    return math.hypot(one.easting - other.easting, one.northing - other.northing) / METRES
