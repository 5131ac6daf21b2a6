"""Withdrawal of a milestone record: who may, what it undoes at the contract, and that nothing is lost of it."""

from typing import Any

from tests.integration.conftest import active_contract, problem, record, to
from tests.integration.scenes import Actors
from tests.world import Actor, World, change


async def withdraw(actor: Actor, record_id: str, expect: int = 201) -> Any:
    """Take a record back."""
    path = f"/v1/milestone-records/{record_id}/withdrawal"
    return await actor.post(path, {"reason": "It was another school."}, expect)


async def milestone(actor: Actor, path: str, code: str = "M1") -> tuple[str, str | None]:
    found = {each["code"]: each for each in (await actor.get(f"{path}/milestones"))["data"]}
    return found[code]["status"], found[code]["decided_on"]


async def payment(actor: Actor, path: str, code: str = "M1") -> tuple[str, str | None, str | None]:
    found = {each["code"]: each for each in (await actor.get(f"{path}/payments"))["data"]}
    return found[code]["status"], found[code]["reason_code"], found[code]["due_on"]


async def test_a_withdrawn_record_leaves_the_milestone_as_the_others_say(seeded_world: World, actors: Actors) -> None:
    world, rsc, mat = seeded_world, actors["rsc"], actors["mat"]
    path = await active_contract(world, actors)
    await to(world, "2023-11-01")
    partly = await record(mat, path, "M1", "2023-10-20", "partially_met")
    met = await record(mat, path, "M1", "2023-10-27")
    await world.settle()
    assert await milestone(rsc, path) == ("met", "2023-10-27")
    assert (await payment(rsc, path))[:2] == ("earned", None)

    made = await withdraw(rsc, met["id"])
    assert (made["record_id"], made["reason"]) == (met["id"], "It was another school.")
    await world.settle()
    assert await milestone(rsc, path) == ("partially_met", "2023-10-20")
    assert await payment(rsc, path) == ("scheduled", "record_withdrawn", None)
    assert world.rows("SELECT result FROM gateway.withdrawal_delivery") == [("reverted",)]

    await withdraw(mat, partly["id"])
    await world.settle()
    assert await milestone(rsc, path) == ("scheduled", None)
    found = (await rsc.get(f"{path}/records"))["data"]
    assert [each["withdrawn_at"] is not None for each in found] == [True, True]
    assert [each["log_index"] is not None for each in found] == [True, True]

    await record(mat, path, "M1", "2023-10-30")
    await world.settle()
    assert await milestone(rsc, path) == ("met", "2023-10-30")
    assert (await payment(rsc, path))[:2] == ("earned", None)
    kinds = [kind for (kind,) in world.rows("SELECT kind FROM gateway.leaf WHERE kind LIKE 'milestone.%' ORDER BY id")]
    assert kinds.count("milestone.withdrawn") == kinds.count("milestone.reverted") == 2
    story = [each["type"] for each in (await rsc.get(f"{path}/events", limit=200))["data"]]
    assert story.index("payment.earned") < story.index("payment.unearned")
    then = await rsc.get(path, as_of="2023-11-01")
    assert [each["status"] for each in then["milestones"] if each["code"] == "M1"] == ["met"]


async def test_the_public_sees_that_a_milestone_is_met_no_more(seeded_world: World, actors: Actors) -> None:
    world, path = seeded_world, await active_contract(seeded_world, actors)
    await to(world, "2023-11-01")
    met = await record(actors["mat"], path, "M1", "2023-10-27")
    await to(world, "2023-11-02")
    await withdraw(actors["mat"], met["id"])
    await to(world, "2023-11-03")
    ocid = world.rows("SELECT ocid FROM contracts.ocds_release LIMIT 1")[0][0]
    package = (await world.http.get(f"/v1/ocds/records/{ocid}")).json()
    compiled = package["records"][0]["compiledRelease"]
    found = {each["id"]: each for each in compiled["contracts"][0]["implementation"]["milestones"]}
    assert found["M1"]["status"] == "scheduled"
    assert "dateMet" not in found["M1"]


async def test_who_may_take_a_record_back_and_when(seeded_world: World, actors: Actors) -> None:
    world, path = seeded_world, await active_contract(seeded_world, actors)
    await to(world, "2023-11-01")
    made = await record(actors["mat"], path, "M1", "2023-10-27")
    withdrawal = f"/v1/milestone-records/{made['id']}/withdrawal"
    body = {"reason": "mistaken"}
    problem(await actors["body"].ask("POST", withdrawal, json=body), 403, "not_the_recorder")
    problem(await actors["dfe"].ask("POST", withdrawal, json=body), 403, "not_the_recorder")
    problem(await actors["finance"].ask("POST", withdrawal, json=body), 403, "insufficient_scope")
    problem(await actors["mat"].ask("POST", withdrawal, json={"reason": " "}), 422)
    unknown = f"/v1/milestone-records/{made['contract_id']}/withdrawal"
    problem(await actors["rsc"].ask("POST", unknown, json=body), 404)
    first = await actors["mat"].ask("POST", withdrawal, json=body, key="withdraw-it-once")
    again = await actors["mat"].ask("POST", withdrawal, json=body, key="withdraw-it-once")
    assert (first.status_code, again.json()) == (201, first.json())
    problem(await actors["rsc"].ask("POST", withdrawal, json=body), 409, "already_withdrawn")


async def test_a_contract_that_became_a_membership_is_frozen(case: Any) -> None:
    found = (await case["rsc"].get(f"{case.contract}/records"))["data"]
    change(case.world.database_url, "UPDATE gateway.contract_ref SET status = 'transferred'")
    path = f"/v1/milestone-records/{found[0]['id']}/withdrawal"
    problem(await case["rsc"].ask("POST", path, json={"reason": "late"}), 409, "status_forbids")
