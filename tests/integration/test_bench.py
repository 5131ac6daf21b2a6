"""The benchmarks still run on small sizes, and what they compare does the same work. Nothing is timed here."""

import asyncio
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import analyst, lists, population, senders, transaction
from bench.england import Size, write
from bench.ground import Ground
from bench.loading import national, with_results
from bench.national import contracts, judged, panels
from services.gateway.records.schemas import RecordIn
from services.gateway.records.service import Asked
from services.kernel.bodies import encode_cursor
from tests.integration.conftest import problem
from tests.integration.scenes import Actors
from tests.world import World, rows

SMALL = Size(0.02)


@pytest.fixture(scope="module")
def ground(owner_url: str, keys_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("bench")
    held = Ground(owner_url, write(folder, SMALL), SMALL, 1, keys_dir)
    yield held
    for (name,) in rows(
        owner_url, "SELECT datname FROM pg_database WHERE datname ~ '^(b|empty|grouped|registered|national)_'"
    ):
        held.drop(held.named(name))


async def test_effects_are_those_of_pandas_and_statsmodels(ground: Ground) -> None:
    url = ground.named(await asyncio.to_thread(with_results, ground))
    schools = await asyncio.to_thread(panels, url)
    wanted = contracts(schools, SMALL, 20)

    ours = [one.effect.tau if one.effect else None for each in judged(schools, wanted) for one in each.measures]
    theirs = analyst.effects(analyst.notebooks(schools), wanted)

    both = [pair for pair in zip(ours, theirs, strict=True) if None not in pair]
    assert len(both) > 50
    assert all(math.isclose(*pair, rel_tol=1e-9, abs_tol=1e-9) for pair in both)
    held = rows(url, "SELECT count(*) FROM outcomes.release WHERE status = 'current'")
    assert held == [(len(national(ground.files)),)]


async def test_pgbench_writes_what_the_product_writes(ground: Ground) -> None:
    url = ground.named(await asyncio.to_thread(ground.migrated))
    url = ground.database(url.partition("?")[0].rpartition("/")[2])
    found = await senders.registered(url)
    asked = Asked(found[0].contracts[0], "M1", RecordIn.model_validate_json(json.dumps(senders.RECORD)))
    transaction.keep(url, [each.caller for each in found], [each.contracts for each in found], asked)
    await asyncio.to_thread(transaction.pgbench, url, 2, senders.EACH, 1)
    ((records, keys, leaves, events, jobs, contracts),) = rows(
        url,
        "SELECT count(*), (SELECT count(*) FROM gateway.idempotency_key), (SELECT count(*) FROM gateway.leaf),"
        " (SELECT count(*) FROM gateway.event WHERE type = 'milestone.recorded'),"
        " (SELECT count(*) FROM gateway.job), count(DISTINCT contract_id) FROM gateway.milestone_record",
    )
    registered = rows(url, "SELECT count(*) FROM gateway.client")[0][0]
    assert records > 1
    assert (keys, leaves - registered, events, jobs) == (records, records, records, contracts)
    one = "SELECT recorded_by ->> 'client_id', note FROM gateway.milestone_record LIMIT 1"
    ((client_id, note),) = rows(url, one)
    assert client_id in {each.caller.client_id for each in found}
    assert note == senders.RECORD["note"]
    ground.drop(url)


async def test_lists_that_are_measured_hold_what_there_is_page_after_page(
    seeded_world: World, actors: Actors, agreed: str, subtests: pytest.Subtests
) -> None:
    await asyncio.to_thread(population.populate, seeded_world.database_url, 1_000)
    callers = {"dfe": "dfe", "rsc": "rsc", "supplier": "mat", "body": "body"}
    for asked, caller in zip(lists.asking(), itertools.cycle(lists.CALLERS), strict=False):
        with subtests.test(caller=caller, **asked):
            answer = await actors[callers[caller]].ask("GET", "/v1/contracts", params={**asked, "limit": 190})
            found = answer.json()["data"]
            while "next" in answer.links:
                answer = await actors[callers[caller]].ask("GET", answer.links["next"]["url"])
                found += answer.json()["data"]
            wanted = [str(place[-1]) for place in lists.places(seeded_world.database_url, caller, asked)]
            assert [each["id"] for each in found] == wanted
    everything = lists.places(seeded_world.database_url, "supplier", {"ends_before": "2024-09-01"})
    assert len(everything) > lists.PAGE
    another = {"cursor": encode_cursor(everything[0])}
    problem(await actors["mat"].ask("GET", "/v1/contracts", params=another), 400)
