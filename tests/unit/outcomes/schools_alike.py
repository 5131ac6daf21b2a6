"""Schools of one phase in three years, from which populations and results are made for the tests of the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from services.outcomes.rules.comparators import FEATURES
from services.outcomes.rules.population import Population, Results, Spells, contract_spells
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import Reading
from services.outcomes.rules.values import ValueState

YEARS = (2021, 2022, 2023)
INTAKE = (30.0, 15.0, 12.0, 2.5, 900.0)
Intake = tuple[float | None, ...]


@dataclass(frozen=True)
class One:
    """A school: its values by year, pupils in every year, and what decides whether it may be compared."""

    urn: int
    values: Mapping[int, float | None]
    n: int = 900
    intake: Intake = INTAKE
    open: bool = True
    mainstream: bool = True
    selective: bool = False
    trust: str | None = "1"
    moves: Sequence[date] = ()
    contracts: Sequence[Term] = field(default_factory=tuple)


def school(urn: int, before: float, after: float, *, n: int = 900, size: float = 900.0) -> One:
    return One(urn, {2021: before, 2022: before, 2023: after}, n, (*INTAKE[:4], size))


def schools(count: int, start: float = 20.0, step: float = 0.5) -> list[One]:
    return [school(100_001 + place, start + step * place, start + step * place - 1.0) for place in range(count)]


def population(rows: Sequence[One], phase: str = "Secondary") -> Population:
    """The rows, which are in the order of their URNs."""
    uids = {uid: at for at, uid in enumerate(sorted({each.trust for each in rows if each.trust}))}
    places = {each.urn: place for place, each in enumerate(rows)}
    intakes = [[np.nan if value is None else value for value in each.intake] for each in rows]
    return Population(
        phase,
        np.array(list(places), dtype=np.int64),
        np.array([each.open for each in rows], dtype=np.bool_),
        np.array([each.mainstream for each in rows], dtype=np.bool_),
        np.array([each.selective for each in rows], dtype=np.bool_),
        np.array([-1 if each.trust is None else uids[each.trust] for each in rows], dtype=np.int64),
        uids,
        np.array(intakes, dtype=np.float64).reshape(len(rows), len(FEATURES)),
        Spells.of([(places[each.urn], day, day) for each in rows for day in each.moves]),
        contract_spells(places, [(each.urn, term) for each in rows for term in each.contracts]),
    )


def results(rows: Sequence[One]) -> Results:
    values = [[each.values.get(year) for each in rows] for year in YEARS]
    filled = np.array([[np.nan if value is None else value for value in row] for row in values], dtype=np.float64)
    return Results(YEARS, filled, np.array([[each.n for each in rows]] * len(YEARS), dtype=np.int64))


def readings(row: One, stage: Stage = Stage.FINAL) -> dict[int, Reading]:
    return {
        year: Reading(year, ValueState.OK, value, row.n, False, "r", stage)
        for year, value in row.values.items()
        if value is not None
    }
