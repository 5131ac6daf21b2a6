"""What is published must not tell of single pupils, neither by itself nor by reckoning (METHOD.md 1.4).

One rule for a result, for the rest of its school, and for several results together: whatever can be reckoned from what
is shown must itself be fit to be shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from services.outcomes.rules.comparators import Floats
from services.outcomes.rules.measures import Kind, Measure
from services.outcomes.rules.population import Bools

SUPPRESS_UP_TO = 5
"""Of so many pupils or fewer nothing is published."""
STANDING_OUT = (1, 2)
"""So many pupils who did, or did not, would be known by a percentage."""
Of = TypeVar("Of", float, Floats)


@dataclass(frozen=True, slots=True)
class Count:
    """A result: `value` in the measure's unit over `n` pupils, who are some of `whole_n` with `whole_value`.

    The whole is that of all pupils where the measure is about a group of them; None where it is not, or not known.
    """

    value: float
    n: int
    whole_value: float | None = None
    whole_n: int | None = None


def fit(measure: Measure, counts: Sequence[Count]) -> bool:
    """Whether these results together may be told: more than five pupils, not one or two who stand out in them.

    And the same for the other pupils of their schools, whom the whole less the group would tell of.
    """
    n = sum(each.n for each in counts)
    achieved = sum(achieving(each.value, each.n) for each in counts)
    if not tellable(measure, achieved, n):
        return False
    wholes = [(each.whole_value, each.whole_n) for each in counts]
    others = sum(whole or 0 for _value, whole in wholes) - n
    if any(None in each for each in wholes) or others <= 0:
        return True
    elsewhere = sum(achieving(value or 0.0, whole or 0) for value, whole in wholes) - achieved
    return bool(tellable(measure, elsewhere, others))


def achieving(percent: Of, n: Of | int) -> Of:
    """The pupils behind a percentage of `n`: a whole number of them."""
    found: Of = np.round(percent * n / 100)
    return found


def tellable(measure: Measure, achieved: float | Floats, n: float | Floats) -> Bools:
    """Whether a result of `n` pupils may be told, of whom in a percentage of pupils so many `achieved` it."""
    found: Bools = np.asarray(n) > SUPPRESS_UP_TO
    if measure.kind is Kind.PROPORTION and not measure.of_sessions:
        found = found & ~np.isin(achieved, STANDING_OUT) & ~np.isin(np.asarray(n) - achieved, STANDING_OUT)
    return found


def withheld(measure: Measure, values: Floats, n: Floats, wholes: tuple[Floats, Floats]) -> Bools:
    """For many results at once (arrays of one shape): which may not be told alone; False where there is no result.

    `wholes` are values and pupils of all pupils, for a measure of a group; NaN where not known.
    """
    (value, whole), achieved = wholes, achieving(values, n)
    others = whole - n
    apart = ~np.isnan(value) & (others > 0)
    allowed = tellable(measure, achieved, n)
    allowed &= ~apart | tellable(measure, achieving(value, whole) - achieved, others)
    found: Bools = ~np.isnan(values) & (n > 0) & ~allowed
    return found


def protected(measure: Measure, values: Floats, n: Floats, wholes: tuple[Floats, Floats]) -> Floats:
    """What schools are compared and listed by: their results, and what stands for those that may not be told alone.

    That is the middle of what everybody knows such a result to be who knows why it is withheld: where one or two pupils
    stand out, as if it were one and a half; of a group, the middle of withheld results next to one another (`middles`);
    of nearly all pupils, the result of all. So it tells of no single pupil, and no school is left out for its result,
    which would make the others look better or worse than schools like them. NaN for five pupils or fewer. Arrays as for
    `withheld`.
    """
    hidden = withheld(measure, values, n, wholes)
    if not hidden.any():
        return values
    nothing, others = np.full(n.shape, np.nan), wholes[1] - n
    whole = wholes[0] if np.isnan(wholes[0]).all() else protected(measure, *wholes, (nothing, nothing))
    achieved, of_all, middle = achieving(values, n), whole * wholes[1] / 100, sum(STANDING_OUT) / len(STANDING_OUT)
    elsewhere = achieving(*wholes) - achieved
    stands_for = {
        "few": (n <= SUPPRESS_UP_TO, nothing),
        "few others": ((others > 0) & (others <= SUPPRESS_UP_TO), whole),
        "who did": (np.isin(achieved, STANDING_OUT), percent(middle, n)),
        "who did not": (np.isin(n - achieved, STANDING_OUT), percent(n - middle, n)),
        "others who did": (np.isin(elsewhere, STANDING_OUT), percent(of_all - middle, n)),
        "others who did not": (np.isin(others - elsewhere, STANDING_OUT), percent(of_all - (others - middle), n)),
    }
    found: Floats = values
    for why, instead in reversed(stands_for.values()):
        found = np.where(hidden & why, instead, found)
    whole_known = tellable(measure, achieved + elsewhere, wholes[1])
    apart = np.nonzero(hidden & whole_known & (n > SUPPRESS_UP_TO) & (others > SUPPRESS_UP_TO))
    counts = [each[apart].astype(int).tolist() for each in (n, others, achieved + elsewhere, achieved)]
    alike = np.array([middles(*beside).get(own, np.nan) for *beside, own in zip(*counts, strict=True)])
    found[apart] = np.where(np.isnan(alike), found[apart], percent(alike, n[apart]))
    return found


@lru_cache(maxsize=65_536)
def middles(n: int, others: int, whole: int) -> Mapping[int, float]:
    """How many pupils stand for each withheld result of a group, by how many of its `n` did, as `whole` of all did.

    Reasons overlap in a group and its `others`, so that one of them may leave a single result: of 20, beside 20 others,
    it is 3 where 4 of all did and neither one nor two of the group. So withheld results next to one another have their
    middle in common; none is by itself where group and others are more than five.
    """
    runs: list[list[int]] = []
    for each in range(max(0, whole - others), min(n, whole) + 1):
        if not {each, n - each, whole - each, others - whole + each}.isdisjoint(STANDING_OUT):
            if not runs or each - runs[-1][-1] > 1:
                runs.append([])
            runs[-1].append(each)
    return {each: sum(run) / len(run) for run in runs for each in run}


def percent(achieved: float | Floats, n: Floats) -> Floats:
    """So many of `n` pupils as a percentage, between 0 and 100."""
    found: Floats = np.clip(100 * np.asarray(achieved) / np.maximum(n, 1), 0, 100)
    return found


def poolable(measure: Measure, shown: Mapping[int, Count], atoms: Iterable[Mapping[int, Count]]) -> dict[int, Count]:
    """The results by URN that make up a total: those shown, and the groups of withheld ones that are fit together.

    Somebody who takes what is shown from the total, or one total from another, learns no more than such a group. A
    result may be in one of the `atoms` only, of all totals that are told.
    """
    found = dict(shown)
    for atom in atoms:
        if atom and fit(measure, list(atom.values())):
            found |= atom
    return found


def total_tells(measure: Measure, counts: Sequence[Count]) -> bool:
    """Whether a total of several years would tell of single pupils, as any does that holds a withheld year.

    Not only beside the years that may be told alone: totals of other years, that hold some of the same withheld ones,
    leave a single one over; and one child may be counted in each of several years.
    """
    return not fit(measure, counts) or not all(fit(measure, [each]) for each in counts)
