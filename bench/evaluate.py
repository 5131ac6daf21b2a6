"""Rows 61 and 62: judging every contract of a country."""

import asyncio
import gc
import math
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from bench import analyst, evaluate_one
from bench.contest import Goal, Result, Way, interleaved, timed
from bench.ground import Ground
from bench.loading import with_results
from bench.national import TERM, Contract, Panels, contracts, emptied, judged, panels
from services import protocol
from services.kernel.auth import service_caller
from services.outcomes.rules.comparators import CALIPER, FEATURES, NEIGHBOURS, OUTCOME_LAMBDA, weighting_of
from services.outcomes.rules.matching import ENOUGH_PUPILS

CONTRACTS = 5_000
GROWTH = (500, 1_000, 2_000, 5_000)
SAMPLE = 10
BY_API = 50
ALIKE = 1e-9
FORK = multiprocessing.get_context("fork")
CONTRACTS_SERVICE = service_caller("contracts")


class Disagreement(RuntimeError):
    """Ours and the peer's effects differ, so that they have not done the same work."""


def run(ground: Ground, wanted: set[int]) -> Iterator[Result]:
    """The rows that are wanted."""
    if not wanted & {61, 62, 63, 64}:
        return
    url = ground.database(with_results(ground))
    try:
        schools = panels(url)
        if 61 in wanted:
            yield national(ground, schools)
        if 62 in wanted:
            yield growth(ground, schools)
        if wanted & {63, 64}:
            yield from asyncio.run(evaluate_one.by_api(ground, url, schools, wanted))
    finally:
        ground.drop(url)


def national(ground: Ground, schools: Panels) -> Result:
    """Every contract at once: ours in full, the analyst a part, and the bare arithmetic of it."""
    whole = contracts(schools, ground.size, ground.size.of(CONTRACTS))
    books, part = analyst.notebooks(schools), whole[: min(SAMPLE, len(whole))]
    agree(schools, books, part)
    found = interleaved(
        {
            "ours": Way(lambda fresh: timed(lambda: shared(fresh, whole)), lambda: emptied(schools)),
            "bare numpy": Way(lambda _: timed(lambda: arithmetic(schools, whole))),
            "pandas and statsmodels": Way(
                lambda _: timed(lambda: analyst.effects(books, part)), factor=len(whole) / len(part)
            ),
        },
        ground.times,
    )
    ours, limit = found.pop("ours"), found.pop("bare numpy")
    words = "5,000 contracts of 5 measures, each against the 50 nearest of 20,000 schools"
    goal, detail = Goal(to_peer=50, at_most={"seconds": 20}), {"seconds": ours.median}
    return Result(61, words, "s", ours, found, limit, "matching and differences alone, in numpy", goal, detail)


def shared(schools: Panels, whole: Sequence[Contract]) -> None:
    """Judge as workers do: a process for each core, with its part of the contracts; garbage is looked for as seldom."""
    cores = os.cpu_count() or 1

    def work(at: int) -> None:
        gc.freeze()
        gc.set_threshold(protocol.ALLOCATIONS, 20, 50)
        done(judged(schools, whole[at::cores]))

    workers = [FORK.Process(target=work, args=(at,)) for at in range(cores)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
        if each.exitcode:
            raise RuntimeError(f"A process that judges ended with {each.exitcode}.")


def done(work: Iterable[Any]) -> None:
    """Do it all and keep nothing."""
    deque(work, maxlen=0)


def agree(schools: Panels, books: Any, part: Sequence[Contract]) -> None:
    """Raise Disagreement unless ours and the analyst's effects are the same."""
    ours = [one.effect.tau if one.effect else None for each in judged(schools, part) for one in each.measures]
    theirs = analyst.effects(books, part)
    compared = [pair for pair in zip(ours, theirs, strict=True) if None not in pair]
    off = [pair for pair in compared if not math.isclose(*pair, rel_tol=ALIKE, abs_tol=ALIKE)]  # type: ignore[arg-type]
    if off or len(compared) < len(ours) / 2:
        raise Disagreement(f"{len(off)} of {len(compared)} effects differ, of {len(ours)}: {off[:3]}")


def arithmetic(schools: Panels, wanted: Sequence[Contract]) -> float:
    """The least that matching takes: near baselines by a sorted list, distances, the fifty nearest, the difference."""
    total, prepared = 0.0, {}
    for each in wanted:
        panel = schools[each.phase]
        weights = weighting_of(each.phase).of(FEATURES)
        features = panel.population(TERM.starts_on)[0].features
        place = panel.register.place_of[each.urn]
        for agreed in each.outcomes:
            if agreed.baseline is None:
                continue
            key = each.phase, agreed.measure.code, agreed.baseline.years
            if key not in prepared:
                results = panel.results[agreed.measure.code]
                prepared[key] = by_baseline(
                    features,
                    results.pool(agreed.baseline.years, ENOUGH_PUPILS)[0],
                    results.pool(analyst.YEARS, ENOUGH_PUPILS)[0],
                )
            rows, before, changes, deviation = prepared[key]
            low, high = np.searchsorted(before, agreed.baseline.value + np.array((-1, 1)) * CALIPER * deviation)
            near = ((rows[low:high] - features[place]) ** 2) @ weights
            near += ((before[low:high] - agreed.baseline.value) * OUTCOME_LAMBDA / deviation) ** 2
            if len(near) > NEIGHBOURS:
                total += float(changes[low:high][np.argpartition(near, NEIGHBOURS)[:NEIGHBOURS]].mean())
    return total


def by_baseline(features: Any, before: Any, after: Any) -> tuple[Any, Any, Any, float]:
    """Schools that have everything, in the order of their baselines: features, baselines, changes; their spread."""
    whole = np.flatnonzero(~np.isnan(before) & ~np.isnan(after) & ~np.isnan(features).any(axis=1))
    order = whole[np.argsort(before[whole])]
    return features[order], before[order], after[order] - before[order], float(before[order].std(ddof=1))


def growth(ground: Ground, schools: Panels) -> Result:
    """Whether ten times the contracts take ten times as long: microseconds a contract, at the most and the fewest."""
    sizes = sorted({ground.size.of(n) for n in GROWTH})
    whole = contracts(schools, ground.size, sizes[-1])

    def each(n: int) -> Way:
        return Way(lambda fresh: 1e6 * timed(lambda: done(judged(fresh, whole[:n]))) / n, lambda: emptied(schools))

    found = interleaved({str(n): each(n) for n in sizes}, ground.times)
    words = f"Growth: a contract among {sizes[-1]:,}, beside a contract among {sizes[0]:,}"
    ours, limit = found[str(sizes[-1])], found[str(sizes[0])]
    detail = {n: measured.median for n, measured in found.items()}
    return Result(62, words, "us", ours, {}, limit, "linear growth", Goal(to_limit=1.15), detail)
