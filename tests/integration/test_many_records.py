"""Records in bulk: each has its own result, and one bad line does not spoil the others."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from bench import copies
from bench.applied import KNOWN
from services.gateway import calls
from services.kernel.peers import Peer
from tests.integration.conftest import active_contract, problem, to
from tests.integration.scenes import Actors
from tests.world import World, change

PATH = "/v1/milestone-records"


def line(contract: str, code: str = "M1", **changes: Any) -> dict[str, Any]:
    body = {"contract_id": contract, "milestone_code": code, "status": "met", "occurred_on": "2023-10-27"}
    return body | changes


async def test_each_of_many_records_has_its_own_result(seeded_world: World, actors: Actors) -> None:
    world, path = seeded_world, await active_contract(seeded_world, actors)
    await to(world, "2023-11-01")
    contract, elsewhere = path.rpartition("/")[2], str(uuid4())
    records = [
        line(contract),
        line(contract, "M9"),
        line(contract, occurred_on="2033-01-01"),
        line(elsewhere),
        line(contract, status="done"),
        line("nonsense"),
        line(contract, note="a\x00b"),
        line(contract, more=1),
        {},
        line(contract, "M2", note="Seen by us.", evidence=[{"title": "Report", "url": "https://example.org/r"}]),
        line(elsewhere),
    ]
    asked: list[Any] = []
    real = calls.contract

    async def counted(contracts: Any, contract_id: Any, caller: Any = calls.SELF) -> Any:
        asked.append(str(contract_id))
        return await real(contracts, contract_id, caller)

    with patch.object(calls, "contract", counted):
        answer = await actors["mat"].ask("POST", PATH, json={"records": records}, key="many-records-1")
    assert asked.count(elsewhere) == 1
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [each["status"] for each in results] == [201, 404, 422, 404, 422, 422, 422, 422, 422, 201, 404]
    assert results[2]["problem"]["code"] == "future_date"
    assert results[4]["problem"]["errors"][0]["pointer"] == "/status"
    assert {each["problem"]["instance"] for each in results if each["problem"]} == {PATH}
    assert results[9]["record"]["note"] == "Seen by us."

    again = await actors["mat"].ask("POST", PATH, json={"records": records}, key="many-records-1")
    assert again.json() == answer.json()
    await world.settle()
    found = (await actors["rsc"].get(f"{path}/records"))["data"]
    assert [each["id"] for each in found] == sorted(results[place]["record"]["id"] for place in (0, 9))
    assert {each["applied"] for each in found} == {"applied"}
    assert all(each["log_index"] is not None for each in found)


async def test_a_thousand_records_are_few_statements(seeded_world: World, actors: Actors) -> None:
    world, path = seeded_world, await active_contract(seeded_world, actors)
    await to(world, "2023-11-01")
    contract = path.rpartition("/")[2]
    change(world.database_url, "ALTER TABLE gateway.milestone_record ADD COLUMN txid xid8 DEFAULT pg_current_xact_id()")
    records = [line(contract, note=f"{number} " + "long " * 700) for number in range(1000)]
    answer = await actors["mat"].ask("POST", PATH, json={"records": records})
    assert answer.status_code == 200, answer.text
    assert [each["status"] for each in answer.json()["results"]] == [201] * 1000
    assert world.rows("SELECT count(*), count(DISTINCT txid) FROM gateway.milestone_record") == [(1000, 1)]
    written = "SELECT count(DISTINCT leaf_hash) FROM gateway.leaf WHERE kind = 'milestone.recorded'"
    assert world.rows(written) == [(1000,)]


async def test_what_is_no_list_of_records_is_refused_as_a_whole(seeded_world: World, actors: Actors) -> None:
    for body in ({}, {"records": []}, {"records": [1]}, {"records": [{}] * 1001}, {"records": [], "more": 1}):
        problem(await actors["mat"].ask("POST", PATH, json=body), 422)
    problem(await actors["finance"].ask("POST", PATH, json={"records": [{}]}), 403, "insufficient_scope")


STORY = (
    "SELECT type, data ->> 'code', (data ->> 'version')::integer, data -> 'changes' FROM contracts.event"
    " WHERE subject_id = %(id)s AND type IN ('milestone.decided', 'payment.earned') ORDER BY txid, position"
)
LEDGER = (
    "SELECT code, account, sum(amount_pence)::integer FROM contracts.ledger_entry WHERE contract_id = %(id)s"
    " AND kind = 'milestone' AND account = 'earned' GROUP BY 1, 2 ORDER BY 1"
)


async def test_records_of_several_contracts_are_applied_together_each_in_its_order(
    seeded_world: World, actors: Actors
) -> None:
    world, path = seeded_world, await active_contract(seeded_world, actors)
    whole = (*copies.OF_THE_SCHOOL, *copies.OF_THE_CONTRACT)
    await asyncio.to_thread(copies.multiply, world.database_url, KNOWN, whole, 2)
    await to(world, "2023-11-01")
    contracts = [str(row[0]) for row in world.rows("SELECT id FROM contracts.contract ORDER BY id")]
    recorded = (("M1", "partially_met"), ("M1", "met"), ("M2", "met"), ("M1", "not_met"))
    for number, (code, status) in enumerate(recorded):
        records = [line(contract, code, status=status) for contract in contracts]
        await actors["mat"].ask("POST", PATH, json={"records": records}, key=f"many-records-2-{number}")
    asked, real = [], calls.deliver

    async def twice(peer: Peer, rows: Sequence[Mapping[str, Any]]) -> dict[UUID, str]:
        asked.append(len(rows))
        first = await real(peer, rows)
        assert await real(peer, rows) == first, "the same records again are given the first answers"
        return first

    with patch.object(calls, "deliver", twice):
        await world.settle()
    assert asked == [12]
    for contract in contracts:
        results = [each["applied"] for each in (await actors["mat"].get(f"/v1/contracts/{contract}/records"))["data"]]
        assert results == ["applied", "applied", "applied", "already_met"]
        story = world.rows(STORY, id=contract)
        told = ["milestone.decided", "milestone.decided", "payment.earned", "milestone.decided", "payment.earned"]
        assert [(kind, code) for kind, code, _, _ in story] == list(
            zip(told, ("M1", "M1", "M1", "M2", "M2"), strict=True)
        )
        first = story[0][2]
        assert [version for _, _, version, _ in story] == list(range(first, first + 5))
        changed = [changes["milestone/M1"]["changed"]["status"] for _, _, _, changes in story[:2]]
        assert changed == [{"old": "scheduled", "new": "partially_met"}, {"old": "partially_met", "new": "met"}]
        assert list(story[2][3]) == ["payment/milestone/M1"]
        assert world.rows(LEDGER, id=contract) == [("M1", "earned", 2_000_000), ("M2", "earned", 2_000_000)]
    then = await actors["rsc"].get(path, as_of="2023-11-01")
    assert [each["status"] for each in then["milestones"]] == ["met", "met", "scheduled"]
