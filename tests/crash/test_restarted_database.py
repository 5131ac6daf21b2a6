"""PostgreSQL is restarted while records come in: what was acknowledged is there once, the rest can be repeated."""

import asyncio
from uuid import uuid4

import httpx

from tests.wire.test_database_down import STOPS, Cluster, active_contract, cluster, there
from tests.world import Json, World

__all__ = ["cluster", "there"]
CALLERS, EACH = 6, 8


def record(number: int) -> Json:
    """A record that can be told from every other."""
    return {"status": "partially_met", "occurred_on": "2023-10-01", "note": f"record {number}"}


async def test_every_acknowledged_record_is_there_once(cluster: Cluster, there: World) -> None:
    actors = await there.cast()
    target = f"{await active_contract(there, actors)}/milestones/M1/records"
    keys = {number: str(uuid4()) for number in range(CALLERS * EACH)}
    answers: dict[int, httpx.Response] = {}

    async def ask(number: int) -> httpx.Response:
        return await actors["mat"].ask("POST", target, json=record(number), key=keys[number])

    async def call(own: range) -> None:
        for number in own:
            answers[number] = await ask(number)

    calling = [asyncio.create_task(call(range(first, len(keys), CALLERS))) for first in range(CALLERS)]
    for end in STOPS:
        before = len(answers)
        while len(answers) < before + CALLERS:
            await asyncio.wait(calling, timeout=0.01)
        await asyncio.to_thread(end, cluster)
        await asyncio.to_thread(cluster.start)
    await asyncio.gather(*calling)
    acknowledged = {number for number, answer in answers.items() if answer.status_code == 201}
    assert acknowledged, "nothing was recorded before or after"
    assert {answers[number].status_code for number in keys.keys() - acknowledged} <= {503}
    assert len(acknowledged) < len(keys), "the restart held nobody up: it proves nothing"
    kept = "SELECT note, count(*) FROM gateway.milestone_record GROUP BY note"
    found = dict(there.rows(kept))
    assert {f"record {number}" for number in acknowledged} <= found.keys()
    assert set(found.values()) == {1}
    for number in keys:
        again = await ask(number)
        assert again.status_code == 201, again.text
        if number in acknowledged:
            assert again.json()["id"] == answers[number].json()["id"]
            assert again.headers["idempotent-replayed"] == "true"
    assert dict(there.rows(kept)) == {f"record {number}": 1 for number in keys}
    leaves = there.rows("SELECT count(*) FROM gateway.leaf WHERE kind = 'milestone.recorded'")
    assert leaves == [(len(keys),)]
