"""What stops while a contract rests, and what goes on."""

import os
from pathlib import Path

import pytest

from services.demo import cast
from tests.crash.nursery import Nursery
from tests.integration.books import check_books, payments
from tests.integration.conftest import active_contract, problem, record, to
from tests.integration.scenes import DAY_AFTER_LAST, RESULTS_OUT, Actors
from tests.world import Json, World, move_clock

LATER = {"term": cast.CONTRACT["term"] | {"latest_ends_on": "2025-08-31"}}


def rest(*stopped: str) -> Json:
    """A suspension that stops these."""
    names = ("clock", "payments", "reviews", "ring_fence")
    return {"reason": "an inquiry", "stops": {name: name in stopped for name in names}}


async def suspended(world: World, actors: Actors, *stopped: str, **changes: Json) -> str:
    """The path of a contract that rests since 1 November 2023."""
    path = await active_contract(world, actors, **changes)
    await to(world, "2023-11-01")
    await actors["rsc"].change(path, "suspension", rest(*stopped))
    await world.settle()
    return path


async def earned(actors: Actors, path: str) -> dict[str, str]:
    """The days on which payments were earned, by code."""
    found = (await actors["rsc"].get(f"{path}/payments"))["data"]
    return {each["code"]: each["earned_on"] for each in found if each["status"] == "earned"}


async def test_a_suspension_stops_something(actors: Actors, active: str) -> None:
    tag = {"If-Match": (await actors["rsc"].ask("GET", active)).headers["etag"]}
    problem(await actors["rsc"].ask("POST", f"{active}/suspension", json=rest(), headers=tag), 422, "nothing_stops")


async def test_the_clock_moves_dates_on_within_the_latest_end(seeded_world: World, actors: Actors) -> None:
    path = await suspended(seeded_world, actors, "clock", **LATER)
    before = {each["code"]: each["due_on"] for each in (await actors["rsc"].get(path))["milestones"]}
    await to(seeded_world, "2023-11-11")
    found = await actors["rsc"].change(path, "resumption", {"reason": "cleared"})
    assert found["term"]["ends_on"] == "2024-09-10"
    after = {each["code"]: each["due_on"] for each in found["milestones"]}
    assert before == {"M1": "2023-10-31", "M2": "2024-01-31", "M3": "2024-07-31"}
    assert after == {"M1": "2023-10-31", "M2": "2024-02-10", "M3": "2024-08-10"}
    assert found["suspension"] is None
    fee = [each for each in (await actors["rsc"].get(f"{path}/payments"))["data"] if each["kind"] == "fee"]
    ends = ["2023-12-10", "2024-03-10", "2024-06-10", "2024-09-10"]
    assert sorted(each["period_ends_on"] for each in fee) == ends
    await to(seeded_world, "2024-09-10")
    assert (await actors["rsc"].get(path))["status"] == "active"
    await to(seeded_world, "2024-09-11")
    assert (await actors["rsc"].get(path))["status"] == "expired"
    fence = (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"]
    assert fence[0]["ends_on"] == "2024-09-10"


async def test_a_stopped_clock_keeps_a_contract_from_expiring_until_its_latest_end(
    seeded_world: World, actors: Actors
) -> None:
    path = await suspended(seeded_world, actors, "clock", **LATER)
    for moment, status in (("2024-09-01", "suspended"), ("2025-08-31", "suspended"), ("2025-09-01", "expired")):
        await to(seeded_world, moment)
        assert (await actors["rsc"].get(path))["status"] == status
    found = await actors["rsc"].get(path)
    assert (found["reason_code"], found["term"]["ended_on"]) == ("suspended_at_end", "2025-08-31")


async def test_payments_wait_for_the_resumption(seeded_world: World, actors: Actors) -> None:
    path = await suspended(seeded_world, actors, "payments")
    await record(actors["mat"], path, "M1", "2023-10-27")
    await seeded_world.settle()
    await to(seeded_world, "2023-12-02")
    assert await earned(actors, path) == {}
    await actors["rsc"].change(path, "resumption", {"reason": "cleared"})
    assert await earned(actors, path) == {"FEE-1": "2023-12-01", "M1": "2023-12-02"}


async def test_payments_go_on_where_they_do_not_stop(seeded_world: World, actors: Actors) -> None:
    path = await suspended(seeded_world, actors, "reviews")
    await record(actors["mat"], path, "M1", "2023-10-27")
    await seeded_world.settle()
    assert await earned(actors, path) == {"M1": "2023-11-01"}
    await to(seeded_world, "2023-12-01")
    assert await earned(actors, path) == {"FEE-1": "2023-12-01", "M1": "2023-11-01"}


async def test_no_reviews_are_held_where_they_stop(seeded_world: World, actors: Actors) -> None:
    path = await suspended(seeded_world, actors, "reviews")
    body = {"reviewed_on": "2023-11-01", "academic_year": "2022/23", "reviewer": "A reviewer"}
    problem(await actors["rsc"].ask("POST", f"{path}/reviews", json=body), 409, "status_forbids")


async def test_results_of_a_rest_are_not_kept_apart(seeded_world: World, actors: Actors) -> None:
    path = await suspended(seeded_world, actors, "ring_fence")

    async def fence(**query: str) -> Json:
        return (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL, **query))["data"]

    assert (await fence())[0]["breaks"] == [{"starts_on": "2023-11-01", "ends_on": None}]
    assert (len(await fence(on="2023-10-31")), await fence(on="2023-11-01")) == (1, [])
    await to(seeded_world, "2024-01-10")
    await actors["rsc"].change(path, "resumption", {"reason": "cleared"})
    await seeded_world.settle()
    assert (await fence())[0]["breaks"] == [{"starts_on": "2023-11-01", "ends_on": "2024-01-09"}]
    assert (await fence(on="2024-01-09"), len(await fence(on="2024-01-10"))) == ([], 1)
    for code in ("M1", "M2", "M3"):
        await record(actors["mat"], path, code, "2023-10-27")
    await to(seeded_world, "2025-03-21")
    made = await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    assert {each["status"] for each in made["measures"]} == {"not_measurable"}
    assert all("no_accountable_series" in each["reasons"] for each in made["measures"])


@pytest.mark.parametrize("finding", ["payable", "not_payable"])
async def test_payments_stopped_at_the_end_wait_until_somebody_decides(
    seeded_world: World, actors: Actors, finding: str
) -> None:
    path = await suspended(seeded_world, actors, "payments")
    tag = {"If-Match": (await actors["rsc"].ask("GET", path)).headers["etag"]}
    early = {"finding": finding, "reason": "the inquiry"}
    resolution = f"{path}/suspension-resolution"
    problem(await actors["rsc"].ask("POST", resolution, json=early, headers=tag), 409, "nothing_waits")
    await record(actors["mat"], path, "M1", "2023-10-27")
    await to(seeded_world, DAY_AFTER_LAST)
    found = await payments(actors["rsc"], path)
    fee, worked = found["FEE-1"], 3_000_000 * 61 // 91
    assert (fee["earned_pence"], fee["reduced_pence"], fee["status"]) == (worked, 3_000_000 - worked, "earned")
    assert {found[f"FEE-{n}"]["status"] for n in (2, 3, 4)} == {"withheld"}
    move_clock(RESULTS_OUT)
    await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    await seeded_world.settle()
    found = await payments(actors["rsc"], path)
    for code in ("M1", "O1", "O2"):
        assert (found[code]["status"], found[code]["reason_code"]) == ("scheduled", "suspended_at_end")
    answer = await actors["mat"].ask("POST", resolution, json=early, headers={"If-Match": "*"})
    problem(answer, 403, "not_your_move")
    decided = await actors["rsc"].change(path, "suspension-resolution", early)
    assert (decided["status"], decided["suspension"]["resolution"]["finding"]) == ("expired", finding)
    await seeded_world.settle()
    found = await payments(actors["rsc"], path)
    if finding == "payable":
        assert found["M1"]["earned_pence"] == found["M1"]["amount_pence"]
        assert sum(found[code]["earned_pence"] for code in ("O1", "O2")) > 0
        assert {found[code]["reason_code"] for code in ("M1", "O1", "O2")} & {"suspended_at_end"} == set()
    else:
        for code in ("M1", "M2", "M3", "O1", "O2"):
            assert (found[code]["status"], found[code]["reason_code"]) == ("withheld", "suspended_at_end")
    assert found["FEE-1"]["earned_pence"] == worked
    check_books(seeded_world)
    again = await actors["rsc"].ask("POST", resolution, json=early, headers={"If-Match": "*"})
    problem(again, 409, "nothing_waits")


async def test_outcomes_are_awarded_once_though_workers_are_killed_while_they_do_it(
    seeded_world: World, actors: Actors, keys_dir: Path
) -> None:
    path = await suspended(seeded_world, actors, "payments")
    await to(seeded_world, DAY_AFTER_LAST)
    move_clock(RESULTS_OUT)
    await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    moment = os.environ["RINGFENCE_NOW"]
    with Nursery(seeded_world.database_url, keys_dir) as nursery:
        nursery.work(moment, None)
        await actors["rsc"].change(path, "suspension-resolution", {"finding": "payable", "reason": "cleared"})
        assert nursery.kill_on_the_way(moment, 2) == ["award 1", "award 2", "award 2", "award 3", "award 3"]
        assert nursery.work(moment, None) == [None]
    found = await payments(actors["rsc"], path)
    assert sum(found[code]["earned_pence"] for code in ("O1", "O2")) > 0
    told = "SELECT type, data ->> 'code', count(*) FROM contracts.event WHERE data ->> 'part' = 'outcome' GROUP BY 1, 2"
    assert {count for _type, _code, count in seeded_world.rows(told)} == {1}
    check_books(seeded_world)


async def test_a_termination_while_payments_are_stopped_keeps_what_was_met_waiting(
    seeded_world: World, actors: Actors
) -> None:
    path = await suspended(seeded_world, actors, "payments")
    await record(actors["mat"], path, "M1", "2023-10-27")
    await seeded_world.settle()
    await actors["rsc"].change(path, "termination", {"ground": "breach", "reason": "findings"})
    found = await payments(actors["rsc"], path)
    assert (found["M1"]["status"], found["M1"]["reason_code"]) == ("scheduled", "suspended_at_end")
    assert {each["status"] for code, each in found.items() if code != "M1"} == {"withheld"}
    await actors["rsc"].change(path, "suspension-resolution", {"finding": "payable", "reason": "it was done"})
    assert await earned(actors, path) == {"M1": "2023-11-01"}
    check_books(seeded_world)
