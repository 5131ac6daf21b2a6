"""Rows 61 to 64: judging every contract of a country, and one by the API."""

import asyncio
import gc
import math
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import numpy as np

from bench import analyst
from bench.contest import Goal, Measured, Result, Way, interleaved
from bench.ground import Ground
from bench.loading import with_results
from bench.national import TERM, YEAR, Contract, Panels, contracts, emptied, judged, panels
from services import keys, protocol
from services.kernel.auth import service_caller
from services.kernel.db import Database, role_url
from services.kernel.peers import Peer
from services.kernel.tokens import Signer, Verifier
from services.outcomes import app, columns
from services.outcomes import panels as kept_panels
from services.outcomes import registers as kept_registers
from services.outcomes.rules.comparators import CALIPER, FEATURES, NEIGHBOURS, OUTCOME_LAMBDA, weighting_of
from services.outcomes.rules.matching import ENOUGH_PUPILS
from services.outcomes.rules.years import academic_year_text
from services.transport import connect

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
            yield from asyncio.run(by_api(ground, url, schools, wanted))
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


def timed(work: Callable[[], Any]) -> float:
    """The seconds that it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


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


async def by_api(ground: Ground, url: str, schools: Panels, wanted: set[int]) -> list[Result]:
    """One evaluation by the internal route, in this process: token, transaction, judgement, stored verdict."""
    own, tables = Database("outcomes", role_url("outcomes", url)), Database("tables", role_url("tables", url))
    peer = Peer(
        "outcomes",
        connect(None, app.build(own, tables, Verifier(keys.Folder(ground.keys_dir)))),
        Signer(keys.Folder(ground.keys_dir), "contracts"),
    )
    part = contracts(schools, ground.size, BY_API)
    books = analyst.notebooks(schools)
    asked = [await body(peer, each) for each in part]
    stored = await peer.ask("POST", "/internal/evaluations", caller=CONTRACTS_SERVICE, body=asked[0])
    theirs = Measured.of([timed(lambda at=at: analyst.effects(books, [part[at]])) for at in range(SAMPLE)])  # type: ignore[misc]
    found = []
    if 63 in wanted:
        warm, reads, path = [], [], f"/internal/evaluations/{stored['id']}"
        for question in asked:
            fresh = question | {"contract_id": str(uuid4())}
            warm.append(await lasting(peer.ask("POST", "/internal/evaluations", caller=CONTRACTS_SERVICE, body=fresh)))
            reads.append(await lasting(peer.ask("GET", path, caller=CONTRACTS_SERVICE)))
        words = "One evaluation by the API, national data: judged and stored (median of 50)"
        ours, goal = middle(warm), Goal(at_most={"median, ms": 150})
        peers = {"pandas and statsmodels, data in memory, nothing stored": theirs}
        detail = {"median, ms": 1e3 * ours.median}
        found.append(Result(63, words, "s", ours, peers, middle(reads), "reading a stored verdict", goal, detail))
    if 64 in wanted:
        cold = []
        for question in asked[: ground.times]:
            forget()
            fresh = question | {"contract_id": str(uuid4())}
            cold.append(await lasting(peer.ask("POST", "/internal/evaluations", caller=CONTRACTS_SERVICE, body=fresh)))
        reading = [timed(lambda: analyst.read(url)) for _ in range(ground.times)]
        words = "The first evaluation of a process: all of its phase is read, then judged and stored"
        peers = {"pandas read_sql of the same results": Measured.of(reading)}
        found.append(Result(64, words, "s", Measured.of(cold), peers, goal=Goal(to_peer=3)))
    await peer.client.aclose()
    await own.close()
    await tables.close()
    return found


def middle(runs: Sequence[float]) -> Measured:
    """The median with the spread between the quartiles, since of fifty requests one is always late."""
    low, median, high = np.percentile(runs, (25, 50, 75)).tolist()
    return Measured(median, (high - low) / median, len(runs))


async def lasting(work: Awaitable[Any]) -> float:
    """The seconds that it takes."""
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


def forget() -> None:
    """Empty what a process keeps, as it is after a start."""
    for kept in (columns.KEEP, kept_panels.MERGED, kept_registers.KEPT):
        kept.clear()


async def body(peer: Peer, contract: Contract) -> dict[str, Any]:
    """The question about a contract, with the baselines that the product itself gives."""
    measures = [each.measure.code for each in contract.outcomes]
    facts = await peer.ask(
        "POST",
        "/internal/facts",
        caller=CONTRACTS_SERVICE,
        body={
            "urn": str(contract.urn),
            "trust_uid": contract.supplier_uid,
            "measures": measures,
            "starts_on": str(TERM.starts_on),
        },
    )
    return {
        "contract_id": str(uuid4()),
        "school_urn": str(contract.urn),
        "supplier_uid": contract.supplier_uid,
        "starts_on": str(TERM.starts_on),
        "ends_on": str(TERM.ends_on),
        "academic_year": academic_year_text(YEAR),
        "organisation": "bench",
        "run": "final",
        "requested_by": {"kind": "service", "subject": "contracts"},
        "outcomes": [
            {
                "code": each.code,
                "measure": each.measure.code,
                "weight": each.weight,
                "critical": each.critical,
                "target": {"mode": str(each.mode), "value": each.target},
                "baseline": facts["measures"][each.measure.code]["baseline"],
            }
            for each in contract.outcomes
        ],
    }
