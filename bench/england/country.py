"""The schools of an invented country: who they are, whom they teach, and how well."""

from dataclasses import dataclass

import numpy as np

from bench.england.words import Floats, Ints, ordinal, table

TODAY = ordinal(2026, 3, 2)
FIRST_URN = 100000
FIRST_YEAR = 2018
YEARS = 6
NOT_PUBLISHED = (2019, 2020)
"""Academic years without results; absence and the census have them all the same."""
OPEN = ("1", "3")
OF_THE_STATE = ("4", "10", "11")
ALONE = 0.5
"""The share of trusts that run a single school."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the country is: 1 is England; and from which seed it grows."""

    scale: float = 1.0
    seed: int = 2026

    def of(self, n: int) -> int:
        """So many in England, so many here; never none."""
        return max(1, round(n * self.scale))

    def generator(self, what: int) -> np.random.Generator:
        """Random numbers for one purpose, the same ones every time."""
        return np.random.default_rng([self.seed, what])


NATIONAL = Size()


@dataclass(frozen=True, slots=True, eq=False)
class Country:
    """Every establishment, one to a place, in the order of their URNs.

    `kinds` are places in kinds.csv, `authorities` in authorities.csv; `trusts` are places among the trusts, -1 for
    none. Days are ordinals, 0 for none. `predecessors` are places of the school that an academy was before, -1 for
    none. Characteristics are percentages; `quality` is in standard deviations between schools, `trend` a year's gain.
    """

    size: Size
    urns: Ints
    kinds: Ints
    authorities: Ints
    trusts: Ints
    alone: Ints
    opened: Ints
    closed: Ints
    joined: Ints
    predecessors: Ints
    easting: Ints
    northing: Ints
    pupils: Ints
    meals: Floats
    language: Floats
    support: Floats
    plan: Floats
    quality: Floats
    trend: Floats

    def said(self, column: str) -> list[str]:
        """What kinds.csv says of each establishment in a column."""
        words = [row[column] for row in table("kinds.csv")]
        return [words[kind] for kind in self.kinds.tolist()]

    def open_in(self, *phases: str) -> Ints:
        """The places of open, mainstream, state-funded schools of these phases."""
        rows = table("kinds.csv")
        fit = [
            each["status_code"] in OPEN and each["group_code"] in OF_THE_STATE and each["phase"] in phases
            for each in rows
        ]
        return np.flatnonzero(np.array(fit)[self.kinds])

    def special(self) -> Ints:
        """The places of open special schools."""
        fit = [each["status_code"] in OPEN and "special" in each["kind"].lower() for each in table("kinds.csv")]
        return np.flatnonzero(np.array(fit)[self.kinds])

    def independent(self) -> Ints:
        """The places of open independent schools."""
        fit = [each["status_code"] in OPEN and each["kind_code"] == "11" for each in table("kinds.csv")]
        return np.flatnonzero(np.array(fit)[self.kinds])


def country(size: Size = NATIONAL) -> Country:
    """The country of this size; its newest URNs are those of academies, as in the register."""
    rng = size.generator(1)
    rows = table("kinds.csv")
    counts = [size.of(int(row["count"])) for row in rows]
    kinds = np.repeat(np.arange(len(rows)), counts)
    newer = np.array([row["trusted"] == "1" or row["status_code"] == "4" for row in rows])[kinds]
    order = np.lexsort((rng.random(len(kinds)), newer))
    kinds = kinds[order]
    n = len(kinds)
    authorities = rng.choice(len(table("authorities.csv")), n, p=shares(rng, len(table("authorities.csv"))))
    easting, northing = places(rng, authorities)
    trusts, alone = trusts_of(size, rng, np.array([row["trusted"] == "1" for row in rows])[kinds])
    opened, closed, joined = lives(rng, kinds, trusts)
    meals = rng.beta(1.6, 4.4, n) * 100
    quality = rng.normal(0, 1, n) - (meals - 27) / 30
    return Country(
        size,
        FIRST_URN + np.arange(n) + np.cumsum(rng.random(n) < 0.05),
        kinds,
        authorities,
        trusts,
        alone,
        opened,
        closed,
        joined,
        before(rng, kinds),
        easting,
        northing,
        rolls(rng, kinds),
        meals,
        rng.beta(0.5, 2.0, n) * 100,
        rng.beta(5.0, 30.0, n) * 100,
        rng.beta(2.5, 60.0, n) * 100,
        quality,
        rng.normal(0.0, 0.05, n),
    )


def shares(rng: np.random.Generator, n: int) -> Floats:
    """How the establishments are spread over `n` local authorities: a few are large."""
    found = rng.lognormal(0, 0.7, n)
    share: Floats = found / found.sum()
    return share


def places(rng: np.random.Generator, authorities: Ints) -> tuple[Ints, Ints]:
    """Eastings and northings in metres: schools lie within some kilometres of the middle of their authority."""
    centres = rng.uniform((180_000, 60_000), (620_000, 620_000), (len(table("authorities.csv")), 2))
    spread = centres[authorities] + rng.normal(0, 9_000, (len(authorities), 2))
    found = np.clip(spread, 5_000, 655_000).astype(np.int64)
    return found[:, 0], found[:, 1]


def trusts_of(size: Size, rng: np.random.Generator, trusted: np.ndarray) -> tuple[Ints, Ints]:
    """Which trust each academy is in, -1 for none; and which trusts have one school only."""
    n = size.of(2_500)
    members = rng.permutation(np.flatnonzero(trusted))
    alone = np.arange(int(n * ALONE))
    found = np.full(len(trusted), -1)
    found[members[: len(alone)]] = alone
    others = members[len(alone) :]
    weights = rng.lognormal(0, 0.9, n - len(alone))
    found[others] = len(alone) + rng.choice(n - len(alone), len(others), p=weights / weights.sum())
    found[others[: n - len(alone)]] = len(alone) + np.arange(min(n - len(alone), len(others)))
    return found, alone


def lives(rng: np.random.Generator, kinds: Ints, trusts: Ints) -> tuple[Ints, Ints, Ints]:
    """When schools opened and closed, and when academies joined their trusts; many days are not recorded."""
    n = len(kinds)
    status = np.array([row["status_code"] for row in table("kinds.csv")])[kinds]
    academies = trusts >= 0
    old = rng.integers(ordinal(1900, 9, 1), ordinal(2000, 9, 1), n)
    opened = np.where(rng.random(n) < 0.35, old, 0)
    months = np.array([ordinal(year, month, 1) for year in range(2011, 2026) for month in (1, 4, 9)])
    opened[academies] = rng.choice(months, academies.sum())
    opened[status == "4"] = ordinal(2026, 9, 1)
    ends = np.array([ordinal(year, month, 31) for year in range(2002, 2026) for month in (3, 8, 12)])
    closed = np.where(status == "2", rng.choice(ends, n), 0)
    opened[(closed > 0) & (opened >= closed)] = 0
    moved = np.minimum(opened + rng.integers(1, 8, n) * 365, TODAY - 200)
    joined = np.where(academies, np.where(rng.random(n) < 0.3, np.maximum(moved, opened), opened), 0)
    return opened, closed, joined


def before(rng: np.random.Generator, kinds: Ints) -> Ints:
    """Which closed school an academy was before: of the same phase, each used once; -1 for none."""
    rows = table("kinds.csv")
    found = np.full(len(kinds), -1)
    for phase in ("Primary", "Secondary"):
        old = [
            row["phase"] == phase and row["status_code"] == "2" and row["group_code"] == "4" and row["count"] != "0"
            for row in rows
        ]
        new = [row["phase"] == phase and row["kind_code"] in {"34", "28"} and row["trusted"] == "1" for row in rows]
        closed = rng.permutation(np.flatnonzero(np.array(old)[kinds]))
        academies = np.flatnonzero(np.array(new)[kinds])
        both = min(len(closed), len(academies))
        found[academies[:both]] = closed[:both]
    return found


def rolls(rng: np.random.Generator, kinds: Ints) -> Ints:
    """Pupils on roll, by what sort of school it is."""
    typical = {"Primary": 260, "Secondary": 1_020, "All-through": 1_200, "Nursery": 90, "Middle deemed secondary": 480}
    middle = np.array([typical.get(row["phase"], 160) for row in table("kinds.csv")])[kinds]
    found: Ints = np.maximum(8, rng.lognormal(np.log(middle), 0.42)).astype(np.int64)
    return found
