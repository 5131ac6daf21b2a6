"""Cancelled, suspended, resumed, terminated: who may, when may it, and what it does to the ring-fence."""

import pytest

from services.demo import cast
from tests.integration.conftest import problem, record, to
from tests.integration.scenes import DAY_AFTER_LAST, Actors
from tests.world import Json, World, move_clock

WHY = {"reason": "as the board decided"}
BREACH = {**WHY, "ground": "breach"}
REST = {**WHY, "stops": {"clock": False, "payments": False, "reviews": True, "ring_fence": False}}
MOVES = {"cancellation": WHY, "suspension": REST, "resumption": WHY, "termination": BREACH}


async def refused(actors: Actors, name: str, path: str, action: str, status: int, code: str) -> Json:
    """The problem that this move runs into; the contract stays as it is."""
    before = await actors["rsc"].ask("GET", path)
    tag = {"If-Match": before.headers["etag"]}
    found = problem(await actors[name].ask("POST", f"{path}/{action}", json=MOVES[action], headers=tag), status, code)
    assert (await actors["rsc"].get(path)) == before.json()
    return found


async def fence(actors: Actors) -> Json:
    """The school's ring-fence."""
    found = (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"]
    assert len(found) == 1
    return found[0]


async def test_moves_are_the_commissioners(actors: Actors, active: str) -> None:
    for name in ("mat", "body", "dfe"):
        for action in MOVES:
            await refused(actors, name, active, action, 403, "not_your_move")


async def test_a_cancelled_contract_never_begins(seeded_world: World, actors: Actors) -> None:
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    path = f"/v1/contracts/{made['id']}"
    await actors["rsc"].change(path, "offer")
    await actors["rsc"].change(path, "cancellation", WHY)
    await to(seeded_world, "2023-09-02")
    assert (await actors["rsc"].get(path))["status"] == "cancelled"
    assert (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"] == []
    for action in MOVES:
        assert (await refused(actors, "rsc", path, action, 409, "status_forbids"))["allowed"] == []
    body = {"status": "met", "occurred_on": "2023-09-01"}
    answer = await actors["mat"].ask("POST", f"{path}/milestones/M1/records", json=body)
    problem(answer, 409, "status_forbids")


async def test_a_contract_that_has_begun_is_not_cancelled(actors: Actors, active: str) -> None:
    found = await refused(actors, "rsc", active, "cancellation", 409, "status_forbids")
    assert "terminate" in found["allowed"]
    await refused(actors, "rsc", active, "resumption", 409, "status_forbids")


async def test_a_move_needs_a_reason(actors: Actors, active: str) -> None:
    for body in (None, {}, {"ground": "breach"}, {**BREACH, "reason": ""}, {**BREACH, "reason": " "}, WHY):
        answer = await actors["rsc"].ask("POST", f"{active}/termination", json=body, headers={"If-Match": "*"})
        problem(answer, 422)
    assert (await actors["rsc"].get(active))["status"] == "active"


async def test_a_suspended_contract_is_resumed_and_keeps_its_ring_fence(
    seeded_world: World, actors: Actors, active: str
) -> None:
    before = await fence(actors)
    await to(seeded_world, "2023-11-01")
    assert (await actors["rsc"].change(active, "suspension", REST))["status"] == "suspended"
    await record(actors["mat"], active, "M1", "2023-10-27")
    await seeded_world.settle()
    milestones = (await actors["rsc"].get(f"{active}/milestones"))["data"]
    assert milestones[0]["status"] == "met"
    assert (await actors["rsc"].change(active, "resumption", WHY))["status"] == "active"
    assert await fence(actors) == before
    events = (await actors["rsc"].get(f"{active}/events"))["data"]
    told = [each["type"] for each in events if each["type"] in {"contract.suspended", "contract.resumed"}]
    assert told == ["contract.suspended", "contract.resumed"]


async def test_a_contract_that_is_suspended_at_its_end_expires(
    seeded_world: World, actors: Actors, active: str
) -> None:
    for code in ("M1", "M2", "M3"):
        await record(actors["mat"], active, code, "2023-09-01")
    await seeded_world.settle()
    await actors["rsc"].change(active, "suspension", REST)
    await to(seeded_world, DAY_AFTER_LAST)
    found = await actors["rsc"].get(active)
    assert (found["status"], found["reason_code"]) == ("expired", "suspended_at_end")


@pytest.mark.parametrize("suspended", [False, True], ids=["active", "suspended"])
async def test_termination_ends_the_ring_fence_that_day(
    seeded_world: World, actors: Actors, active: str, suspended: bool
) -> None:
    await to(seeded_world, "2024-02-10")
    if suspended:
        await actors["rsc"].change(active, "suspension", REST)
    ended = await actors["rsc"].change(active, "termination", BREACH)
    assert (ended["status"], ended["term"]["ended_on"]) == ("terminated", "2024-02-10")
    await seeded_world.settle()
    assert (await fence(actors))["ends_on"] == "2024-02-10"
    on_the_day = await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL, on="2024-02-10")
    day_after = await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL, on="2024-02-11")
    assert (len(on_the_day["data"]), day_after["data"]) == (1, [])
    await to(seeded_world, DAY_AFTER_LAST)
    assert (await actors["rsc"].get(active))["status"] == "terminated"


async def test_after_a_termination_the_school_is_free_from_the_next_day_on(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await to(seeded_world, "2024-02-10")
    await actors["rsc"].change(active, "termination", BREACH)
    for starts_on, status in (("2024-02-10", 409), ("2024-02-11", 201)):
        changes = {"term": {"starts_on": starts_on, "ends_on": "2025-08-31"}, "milestones": []}
        answer = await actors["rsc"].ask("POST", "/v1/contracts", json=cast.CONTRACT | changes)
        assert answer.status_code == status, answer.text


async def test_a_terminated_contract_opens_no_transfer(seeded_world: World, actors: Actors, active: str) -> None:
    for code in ("M1", "M2", "M3"):
        await record(actors["mat"], active, code, "2023-09-01")
    await to(seeded_world, "2024-08-20")
    await actors["rsc"].change(active, "termination", BREACH)
    move_clock("2025-03-21")
    await actors["rsc"].post(f"{active}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    await seeded_world.settle()
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []
    found = (await actors["rsc"].get(f"{active}/transfer-conditions"))["data"]
    states = {each["code"]: each["state"] for each in found}
    assert states["contract_completed"] == "not_met"


async def test_a_terminated_contract_keeps_what_was_earned_and_earns_no_more_by_the_clock(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await record(actors["mat"], active, "M1", "2023-09-01")
    await seeded_world.settle()
    await to(seeded_world, "2024-02-10")
    await actors["rsc"].change(active, "termination", BREACH)
    await to(seeded_world, DAY_AFTER_LAST)
    payments = (await actors["rsc"].get(f"{active}/payments"))["data"]
    assert {each["code"] for each in payments if each["status"] == "earned"} == {"FEE-1", "M1"}
