"""PostgreSQL is restarted while records come in: what was acknowledged is there once, the rest can be repeated."""

import asyncio
from uuid import uuid4

from tests.wire.test_database_down import STOPS, Cluster, active_contract, cluster, come_again, there
from tests.world import Json, World

__all__ = ["cluster", "there"]
CALLERS, EACH = 6, 6


def record(number: int) -> Json:
    """A record that can be told from every other."""
    return {"status": "partially_met", "occurred_on": "2023-10-01", "note": f"record {number}"}


async def test_every_acknowledged_record_is_there_once(cluster: Cluster, there: World) -> None:
    actors = await there.cast()
    target = f"{await active_contract(there, actors)}/milestones/M1/records"
    keys = {number: str(uuid4()) for number in range(CALLERS * EACH)}
    ids: dict[int, str] = {}
    refused: set[int] = set()

    async def call(own: range) -> None:
        for number in own:
            while number not in ids:
                answer = await actors["mat"].ask("POST", target, json=record(number), key=keys[number])
                if answer.status_code == 201:
                    ids[number] = answer.json()["id"]
                else:
                    come_again(answer)
                    refused.add(number)
                    await asyncio.sleep(0.1)

    calling = [asyncio.create_task(call(range(first, len(keys), CALLERS))) for first in range(CALLERS)]
    for number, end in enumerate(STOPS, start=1):
        while len(ids) < number * CALLERS:
            await asyncio.wait(calling, timeout=0.01)
        before = dict(ids)
        await asyncio.to_thread(end, cluster)
        await asyncio.to_thread(cluster.start)
        kept = {str(row[0]) for row in there.rows("SELECT id FROM gateway.milestone_record")}
        assert set(before.values()) <= kept, "a record that was acknowledged is gone"
    await asyncio.gather(*calling)
    assert refused, "the restarts held nobody up: they prove nothing"
    found = there.rows("SELECT note, id::text FROM gateway.milestone_record")
    assert sorted(found) == sorted((f"record {number}", known) for number, known in ids.items())
    leaves = there.rows("SELECT count(*) FROM gateway.leaf WHERE kind = 'milestone.recorded'")
    assert leaves == [(len(keys),)]
