"""How an analyst would judge the same contracts: pandas for the matching, statsmodels for the effect, one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from sqlalchemy import create_engine

from bench.national import TERM, YEAR, Contract, Panels
from services.outcomes.rules.agreement import Agreed
from services.outcomes.rules.comparators import CALIPER, FEATURES, NEIGHBOURS, OUTCOME_LAMBDA, weighting_of
from services.outcomes.rules.matching import ENOUGH_FOR_RANK, ENOUGH_PUPILS, WIDE_CALIPER
from services.outcomes.rules.ringfence import assessed_on, census_on

Frame = Any
"""A pandas DataFrame; pandas brings no types."""


@dataclass
class Notebook:
    """What the analyst has read in: a row a school, and results in the long form, exact and as others may be told."""

    phase: str
    schools: Frame
    moves: Frame
    results: Frame

    @cached_property
    def pooled(self) -> dict[tuple[str, tuple[int, ...]], Frame]:
        """What was pooled before; an analyst keeps it too."""
        return {}

    def pool(self, measure: str, years: tuple[int, ...]) -> Frame:
        """Results of these years, pupils pooled, of schools that have enough in each."""
        if (measure, years) not in self.pooled:
            rows = self.results[(self.results.measure == measure) & self.results.year.isin(years)]
            rows = rows[(rows.n >= ENOUGH_PUPILS) & rows.value.notna()]
            rows = rows.assign(value=rows.value * rows.n, exact=rows.exact * rows.n)
            sums = rows.groupby("urn").agg(
                value=("value", "sum"), exact=("exact", "sum"), n=("n", "sum"), years=("year", "count")
            )
            whole = sums[sums.years == len(years)]
            self.pooled[measure, years] = whole[["value", "exact"]].div(whole.n, axis=0).reset_index()
        return self.pooled[measure, years]


def notebooks(panels: Panels) -> Mapping[str, Notebook]:
    """The same figures as ours has, as frames."""
    return {phase: notebook(panels, phase) for phase in panels}


def notebook(panels: Panels, phase: str) -> Notebook:
    """The schools of a phase, as frames."""
    panel = panels[phase]
    population, _ = panel.population(TERM.starts_on)
    uids = {at: uid for uid, at in population.trust_uids.items()}
    schools = pd.DataFrame(population.features, columns=list(FEATURES)).assign(
        urn=population.urns,
        open=population.open,
        mainstream=population.mainstream,
        selective=population.selective,
        trust=[uids.get(at) for at in population.trusts.tolist()],
    )
    moves = pd.DataFrame({"urn": population.urns[population.moves.places], "day": population.moves.first})
    long = [
        pd.DataFrame(
            {
                "urn": population.urns,
                "measure": code,
                "year": year,
                "value": seen.fit[row],
                "exact": seen.values[row],
                "n": seen.pupils[row],
            }
        )
        for code, seen in panel.observed.items()
        if code not in FEATURES
        for row, year in enumerate(seen.years)
    ]
    return Notebook(phase, schools, moves, pd.concat(long, ignore_index=True))


def effect(book: Notebook, contract: Contract, agreed: Agreed, years: Sequence[int]) -> float | None:
    """The difference in differences against the fifty nearest, by regression with robust errors."""
    first = agreed.baseline
    if first is None:
        return None
    before, after = book.pool(agreed.measure.code, first.years), book.pool(agreed.measure.code, tuple(years))
    own = book.schools[book.schools.urn == contract.urn].iloc[0]
    outcome = after[after.urn == contract.urn]
    if outcome.empty:
        return None
    window = census_on(min(first.years)).toordinal(), assessed_on(agreed.measure.key_stage, max(years)).toordinal()
    moved = book.moves[(book.moves.day >= window[0]) & (book.moves.day <= window[1])].urn
    pool = book.schools[
        book.schools.open
        & book.schools.mainstream
        & (book.schools.selective == own.selective)
        & (book.schools.trust != contract.supplier_uid)
        & (book.schools.urn != contract.urn)
        & ~book.schools.urn.isin(moved)
    ].dropna(subset=list(FEATURES))
    pool = pool.merge(before, on="urn").merge(after, on="urn", suffixes=("_before", "_after"))
    near = nearest(book, pool, own, first.value)
    if near is None or len(near) < 2:
        return None
    y = np.concatenate(([first.value, outcome.exact.iloc[0]], near.value_before, near.value_after))
    rows = pd.DataFrame({"y": y, "treated": 0, "post": 0})
    rows.loc[:1, "treated"] = 1
    rows.loc[[1, *range(2 + len(near), len(rows))], "post"] = 1
    fitted = smf.ols("y ~ treated * post", data=rows).fit(cov_type="HC1")
    return float(fitted.params["treated:post"])


def nearest(book: Notebook, pool: Frame, own: Frame, baseline: float) -> Frame | None:
    """The fifty schools nearest on intake and baseline, within a quarter of its spread, or else half."""
    deviation = pool.value_before.std()
    if not deviation > 0:
        return None
    off = (pool.value_before - baseline).abs()
    close = pool[off <= CALIPER * deviation]
    if len(close) < ENOUGH_FOR_RANK:
        close = pool[off <= WIDE_CALIPER * deviation]
    weights = weighting_of(book.phase).weights
    squares = sum(weights[name] * (close[name] - own[name]) ** 2 for name in FEATURES)
    squares = squares + (OUTCOME_LAMBDA * (close.value_before - baseline) / deviation) ** 2
    return close.assign(distance=np.sqrt(squares)).nsmallest(NEIGHBOURS, ["distance", "urn"])


def effects(books: Mapping[str, Notebook], wanted: Sequence[Contract]) -> list[float | None]:
    """The effect on every outcome of these contracts."""
    found = []
    for each in wanted:
        for agreed in each.outcomes:
            found.append(effect(books[each.phase], each, agreed, YEARS))
    return found


YEARS = (YEAR - 1, YEAR)
"""The two years that count, by whose results the contracts are judged."""
READ = (
    "SELECT o.urn, o.measure, o.academic_year, o.value, o.denominator FROM outcomes.observation o"
    " JOIN outcomes.current_release c USING (release_id, academic_year, measure)"
    " JOIN outcomes.establishment e USING (urn)"
    " WHERE e.phase = 'Primary' AND o.state = 'ok' AND (o.measure LIKE 'CENSUS%%' OR o.measure LIKE 'ABS%%'"
    " OR o.measure IN ('KS2_RWM_EXP', 'KS2_READ_AVG', 'KS2_MAT_PROG'))"
)


def read(url: str) -> Frame:
    """The results by which primary schools are judged, out of the product's database."""
    engine = create_engine(url)
    try:
        return pd.read_sql(READ, engine)
    finally:
        engine.dispose()
