"""A country under contract: every school's results in memory, and so many contracts to be judged on them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from bench.england.country import Size
from services.kernel.auth import service_caller
from services.kernel.db import Database, role_url
from services.outcomes.panels import Panel, panel
from services.outcomes.rules.agreement import Agreed, Run, TargetMode
from services.outcomes.rules.evaluation import ContractResult, conclude
from services.outcomes.rules.gathering import Question
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import baseline

PRIMARY, SECONDARY = "Primary", "Secondary"
ASKED: Mapping[str, tuple[str, ...]] = {
    PRIMARY: ("KS2_RWM_EXP", "KS2_READ_AVG", "KS2_MAT_PROG", "ABS_OVERALL", "ABS_PA"),
    SECONDARY: ("KS4_A8", "KS4_P8", "KS4_EM94", "ABS_OVERALL", "ABS_PA"),
}
"""Five measures a contract."""
TERM = Term(date(2022, 9, 1), date(2025, 8, 31))
YEAR = 2023
BEFORE = range(2016, 2022)
OF_PRIMARY = 0.8


@dataclass(frozen=True, slots=True)
class Contract:
    """A school that is to be improved by a supplier, and what was agreed."""

    phase: str
    urn: int
    supplier_uid: str
    outcomes: tuple[Agreed, ...]

    @property
    def question(self) -> Question:
        """What is to be judged."""
        return Question(self.supplier_uid, TERM, YEAR, Run.FINAL)


Panels = Mapping[str, Panel]


def panels(url: str) -> Panels:
    """The schools of both phases with their results, as the product reads them."""
    return asyncio.run(panels_of(url))


async def panels_of(url: str) -> Panels:
    """The same, in a loop that runs."""
    database = Database("outcomes", role_url("outcomes", url))
    try:
        async with database.transaction(service_caller("operator")) as session:
            return {phase: await panel(session, phase, measures) for phase, measures in ASKED.items()}
    finally:
        await database.close()


def emptied(schools: Panels) -> Panels:
    """The same schools with nothing reckoned yet."""
    return {phase: Panel(each.register, each.observed) for phase, each in schools.items()}


def contracts(schools: Panels, size: Size, n: int) -> list[Contract]:
    """`n` contracts with schools that have results, by suppliers that they are not in; smaller lists begin alike."""
    rng = size.generator(77)
    found = []
    for phase, share in ((PRIMARY, OF_PRIMARY), (SECONDARY, 1 - OF_PRIMARY)):
        found.append(contracts_in(schools[phase], phase, rng, round(n * share)))
    whole = [each for some in found for each in some]
    return [whole[at] for at in rng.permutation(len(whole))]


def contracts_in(schools: Panel, phase: str, rng: np.random.Generator, n: int) -> list[Contract]:
    """Contracts with schools of a phase; a school may have several, of other suppliers, where there are few schools."""
    register = schools.register
    first = schools.observed[ASKED[phase][0]]
    complete = (~np.isnan(first.values[-2:])).all(axis=0) & (first.pupils[-2:] > 30).all(axis=0)
    complete &= (~np.isnan(first.values[:2])).all(axis=0) & register.open & register.mainstream
    places = np.flatnonzero(complete)
    suppliers = sorted(register.trust_uids)
    found = []
    for at in range(n):
        urn = int(register.urns[places[at * 7919 % len(places)]])
        supplier = suppliers[int(rng.integers(len(suppliers)))]
        found.append(Contract(phase, urn, supplier, agreed(schools, phase, urn)))
    return found


def agreed(schools: Panel, phase: str, urn: int) -> tuple[Agreed, ...]:
    """What would be agreed of a school: its own baselines, to be bettered by more than others."""
    place = schools.register.place_of[urn]
    return tuple(
        Agreed(
            code=f"M{at}",
            measure=MEASURES[code],
            weight=1 / len(ASKED[phase]),
            critical=False,
            mode=TargetMode.RELATIVE,
            target=float(MEASURES[code].direction),
            baseline=baseline(schools.observed[code].readings(place, BEFORE), MEASURES[code], TERM.starts_on),
        )
        for at, code in enumerate(ASKED[phase])
    )


def judged(schools: Panels, wanted: Sequence[Contract]) -> Iterator[ContractResult]:
    """The verdicts, one after the other, by the product's own two functions: gather, then conclude."""
    for each in wanted:
        question, own = each.question, schools[each.phase]
        pairs = [(one, own.gather(question, each.urn, one).gathered) for one in each.outcomes]
        yield conclude(question, pairs)
