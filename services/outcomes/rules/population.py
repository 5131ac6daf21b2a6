"""All schools of a phase side by side: what they are, and what they achieved. Each place is one school."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.outcomes.rules.comparators import Floats, Ints
from services.outcomes.rules.ringfence import Term

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """Times of schools: the place of the school, first and last day as ordinals, both included."""

    places: Ints
    first: Ints
    last: Ints

    @classmethod
    def of(cls, spells: Sequence[tuple[int, date, date]]) -> "Spells":
        """These times, each of the school at a place."""
        places, first, last = zip(*spells, strict=True) if spells else ((), (), ())
        days = [np.array([day.toordinal() for day in each], dtype=np.int64) for each in (first, last)]
        return cls(np.array(places, dtype=np.int64), *days)

    def touching(self, window: tuple[date, date]) -> Ints:
        """The places with a time that has a day in the window, whose ends are included."""
        inside = (self.first <= window[1].toordinal()) & (self.last >= window[0].toordinal())
        found: Ints = self.places[inside]
        return found


@dataclass(frozen=True, eq=False)
class Population:
    """Schools that may be compared with one another, in the order of their URNs.

    `features` has one row a school and one column a characteristic of FEATURES, NaN where it is not known. `trusts`
    are places in `trust_uids`, -1 for none, on the day from which comparison counts. `moves` are the days of joining
    or leaving a trust, of mergers and of splits, `contracts` the terms during which a school was itself under contract.
    """

    phase: str
    urns: Ints
    open: Bools
    mainstream: Bools
    selective: Bools
    trusts: Ints
    trust_uids: Mapping[str, int]
    features: Floats
    moves: Spells
    contracts: Spells

    @cached_property
    def spreads(self) -> Floats:
        """The standard deviation of each characteristic among open mainstream schools; 0 where it is not known."""
        rows = self.features[self.open & self.mainstream]
        known = ~np.isnan(rows)
        if not known.any():
            return np.zeros(rows.shape[1])
        filled, n = np.where(known, rows, 0.0), np.maximum(known.sum(axis=0), 1)
        means = filled.sum(axis=0) / n
        found: Floats = np.sqrt((np.where(known, rows - means, 0.0) ** 2).sum(axis=0) / n)
        return found

    @cached_property
    def complete(self) -> Bools:
        """Which schools have every characteristic."""
        found: Bools = np.asarray(~np.isnan(self.features).any(axis=1))
        return found

    def comparable(self, place: int, supplier_uid: str, window: tuple[date, date]) -> Bools:
        """Which schools a school may be compared with: open, mainstream, as selective, left alone, and no spill-over.

        Left alone: no change of trust, no merger or split, and no contract of its own in the years compared. Schools of
        the supplier are out, since what it does for one it may do for all (METHOD.md 3.3).
        """
        found: Bools = self.left_alone(window) & (self.selective == self.selective[place])
        found &= self.trusts != self.trust_uids.get(supplier_uid, -2)
        found[place] = False
        return found

    def left_alone(self, window: tuple[date, date]) -> Bools:
        """Which open mainstream schools were left alone in a window; many contracts ask for the same."""
        if window not in self.kept:
            found = self.open & self.mainstream
            found[self.moves.touching(window)] = False
            found[self.contracts.touching(window)] = False
            self.kept[window] = found
        return self.kept[window]

    @cached_property
    def kept(self) -> dict[tuple[date, date], Bools]:
        """Which schools were left alone, by the windows that were asked for."""
        return {}


@dataclass(frozen=True, eq=False)
class Results:
    """One measure of all schools of a population: a row for each year, NaN where a school has no value.

    `values` are in the measure's unit, `pupils` 0 where they are not known.
    """

    years: tuple[int, ...]
    values: Floats
    pupils: Ints

    @cached_property
    def kept(self) -> dict[tuple[tuple[int, ...], int], tuple[Floats, Ints]]:
        """What was pooled before: many contracts ask for the same years."""
        return {}

    def pooled(self, years: Sequence[int], enough: int) -> tuple[Floats, Ints]:
        """Pupils of these years pooled, and how many they are; NaN unless each year has a value and enough pupils."""
        asked = tuple(years), enough
        if asked not in self.kept:
            self.kept[asked] = self.pool(*asked)
        return self.kept[asked]

    def changed(self, before: Sequence[int], after: Sequence[int], enough: int) -> Floats:
        """What the years after, pooled, have more than those before; NaN where either has no value."""
        asked = tuple(before), tuple(after), enough
        if asked not in self.changes:
            self.changes[asked] = self.pooled(after, enough)[0] - self.pooled(before, enough)[0]
        return self.changes[asked]

    def known(self, before: Sequence[int], after: Sequence[int], enough: int) -> Bools:
        """Which schools have such a change."""
        asked = tuple(before), tuple(after), enough
        if asked not in self.having:
            self.having[asked] = ~np.isnan(self.changed(*asked))
        return self.having[asked]

    @cached_property
    def changes(self) -> dict[tuple[tuple[int, ...], tuple[int, ...], int], Floats]:
        """The changes that were asked for before."""
        return {}

    @cached_property
    def having(self) -> dict[tuple[tuple[int, ...], tuple[int, ...], int], Bools]:
        """Which schools have them."""
        return {}

    def pool(self, years: Sequence[int], enough: int) -> tuple[Floats, Ints]:
        """What `pooled` answers, reckoned anew."""
        rows = [self.years.index(year) for year in years if year in self.years]
        if len(rows) < len(years) or not rows:
            return np.full(self.values.shape[1], np.nan), np.zeros(self.values.shape[1], dtype=np.int64)
        values, pupils = self.values[rows], self.pupils[rows]
        n: Ints = pupils.sum(axis=0)
        with np.errstate(invalid="ignore"):
            pooled = (values * pupils).sum(axis=0) / n
        pooled[(pupils < enough).any(axis=0)] = np.nan
        return pooled, n


def contract_spells(places: Mapping[int, int], terms: Sequence[tuple[int, Term]]) -> Spells:
    """Terms of contracts, each with the URN of its school, as times of the schools that are known."""
    return Spells.of([(places[urn], term.starts_on, term.ends_on) for urn, term in terms if urn in places])
