"""A contract from draft to its end: what may be agreed, who signs, and what the clock does."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from services.demo import cast
from services.kernel.types import Kind
from tests.integration.conftest import problem, record, signature, to
from tests.integration.scenes import DAY_AFTER_LAST, Actors
from tests.world import Actor, Json, World, move_clock

OUTCOME, OTHER = cast.CONTRACT["outcomes"]
MILESTONE = cast.CONTRACT["milestones"][0]
SIGNERS = {"commissioner": "rsc", "supplier": "mat", "responsible_body": "body"}
NEXT_TERM = {"term": {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}, "milestones": []}
WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "the trust's own school": ({"school_urn": cast.SUPPLIERS_OWN_SCHOOL}, 409, "school_in_trust"),
    "a closed school": ({"school_urn": cast.CLOSED_SCHOOL}, 409, "unsuitable_party"),
    "an unknown URN": ({"school_urn": cast.UNKNOWN_SCHOOL}, 422, "unknown_school"),
    "an unknown trust": ({"supplier_uid": "999999"}, 422, "unknown_trust"),
    "an end before the start": (cast.WRONG["an end before the start"] | {"milestones": []}, 422, "bad_terms"),
    "eight years": ({"term": {"starts_on": "2023-09-01", "ends_on": "2031-08-31"}}, 422, "bad_terms"),
    "weights of less than 1": ({"outcomes": [OUTCOME, OTHER | {"weight": 0.4}]}, 422, "bad_terms"),
    "weights of more than 1": ({"outcomes": [OUTCOME, OTHER | {"weight": 0.6}]}, 422, "bad_terms"),
    "few measures without a reason": ({"outcomes_rationale": None}, 422, "bad_terms"),
    "one code for two outcomes": ({"outcomes": [OUTCOME, OTHER | {"code": "O1"}]}, 422, "bad_terms"),
    "one code for two milestones": ({"milestones": [MILESTONE, MILESTONE]}, 422, "bad_terms"),
    "a milestone before the term": ({"milestones": [MILESTONE | {"due_on": "2023-08-31"}]}, 422, "bad_terms"),
    "a milestone after the term": ({"milestones": [MILESTONE | {"due_on": "2024-09-01"}]}, 422, "bad_terms"),
    "an unknown measure": ({"outcomes": [OUTCOME, OTHER | {"measure": "ABS_NONE"}]}, 422, "unknown_measure"),
    "a measure of context": ({"outcomes": [OUTCOME, OTHER | {"measure": "CENSUS_NOR"}]}, 422, "unknown_measure"),
    "no outcomes": ({"outcomes": []}, 422, "invalid"),
    "money that is owed": ({"fee_pence": -1}, 422, "invalid"),
    "money in pounds": ({"fee_pence": 100.5}, 422, "invalid"),
    "a field that nobody knows": ({"colour": "blue"}, 422, "invalid"),
}


async def draft(actor: Actor, **changes: Json) -> Any:
    """Ask for a draft."""
    return await actor.ask("POST", "/v1/contracts", json=cast.CONTRACT | changes)


async def offered(actors: Actors, **changes: Json) -> str:
    """The path of a contract that waits for signatures."""
    path = f"/v1/contracts/{(await draft(actors['rsc'], **changes)).json()['id']}"
    assert (await actors["rsc"].change(path, "offer"))["status"] == "offered"
    return path


async def sign(actor: Actor, path: str, party: str, **changes: Json) -> Any:
    """Ask to sign as this party, for the present version."""
    tag = (await actor.ask("GET", path)).headers["etag"]
    body = signature(party) | changes
    return await actor.ask("POST", f"{path}/signatures", json=body, headers={"If-Match": tag})


async def test_every_wrong_draft_is_refused_with_its_reason_and_leaves_nothing(
    seeded_world: World, actors: Actors
) -> None:
    for what, (changes, status, code) in WRONG.items():
        answer = await draft(actors["rsc"], **changes)
        assert (what, answer.status_code) == (what, status)
        problem(answer, status, code)
    assert seeded_world.rows("SELECT count(*) FROM contracts.contract") == [(0,)]


async def test_only_a_commissioner_of_the_area_drafts(seeded_world: World, actors: Actors) -> None:
    for bounds in ({"regions": ["London"]}, {"la_codes": ["202"]}):
        elsewhere = await seeded_world.client(Kind.COMMISSIONER, organisation="elsewhere", **bounds)
        problem(await draft(elsewhere), 403, "out_of_area")
    for name in ("mat", "body", "dfe"):
        problem(await draft(actors[name]), 403, "not_your_move")
    assert (await draft(actors["rsc"])).status_code == 201


async def test_contracts_of_one_school_do_not_overlap(actors: Actors) -> None:
    rsc = actors["rsc"]
    first = (await draft(rsc)).json()
    for starts_on, ends_on in (
        ("2024-08-31", "2025-08-31"),
        ("2022-09-01", "2023-09-01"),
        ("2022-01-01", "2026-01-01"),
    ):
        term = {"term": {"starts_on": starts_on, "ends_on": ends_on}, "milestones": []}
        problem(await draft(rsc, **term), 409, "overlapping_contract")
    assert (await draft(rsc, **NEXT_TERM)).status_code == 201
    await rsc.change(f"/v1/contracts/{first['id']}", "cancellation", {"reason": "no longer wanted"})
    assert (await draft(rsc)).status_code == 201


async def test_of_several_overlapping_drafts_at_once_one_is_made(seeded_world: World, actors: Actors) -> None:
    answers = await asyncio.gather(*(draft(actors["rsc"], title=f"Draft {each}") for each in range(5)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409, 409]
    for each in answers:
        if each.status_code == 409:
            problem(each, 409, "overlapping_contract")
    assert seeded_world.rows("SELECT count(*) FROM contracts.contract") == [(1,)]


async def test_a_draft_changes_and_an_offer_does_not(actors: Actors) -> None:
    rsc = actors["rsc"]
    made = await draft(rsc)
    path, tag = made.headers["location"], {"If-Match": made.headers["etag"]}
    changed = await rsc.ask("PATCH", path, json={"fee_pence": 1_000, "title": "Another"}, headers=tag)
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["value_pence"]) == ("Another", 11_001_000)
    wrong = await rsc.ask("PATCH", path, json={"outcomes": [OUTCOME]}, headers={"If-Match": changed.headers["etag"]})
    problem(wrong, 422, "bad_terms")
    await rsc.change(path, "offer")
    tag = {"If-Match": (await rsc.ask("GET", path)).headers["etag"]}
    problem(await rsc.ask("PATCH", path, json={"fee_pence": 1}, headers=tag), 409, "status_forbids")


@pytest.mark.parametrize("order", list(permutations(SIGNERS)), ids="-".join)
async def test_parties_sign_in_any_order(actors: Actors, order: tuple[str, ...]) -> None:
    path = await offered(actors)
    for place, party in enumerate(order, 1):
        answer = await sign(actors[SIGNERS[party]], path, party)
        assert answer.status_code == 201, answer.text
        assert answer.json()["status"] == ("agreed" if place == len(order) else "offered")
    assert {each["party"] for each in (await actors["rsc"].get(path))["signatures"]} == set(SIGNERS)


async def test_a_signature_is_ones_own_and_given_once(actors: Actors) -> None:
    rsc, mat = actors["rsc"], actors["mat"]
    path = f"/v1/contracts/{(await draft(rsc)).json()['id']}"
    problem(await sign(rsc, path, "commissioner"), 409, "status_forbids")
    await rsc.change(path, "offer")
    for party in ("commissioner", "responsible_body"):
        problem(await sign(mat, path, party), 403, "not_your_signature")
    problem(await sign(mat, path, "supplier", signed_on="2023-06-21"), 422, "bad_terms")
    assert (await sign(mat, path, "supplier")).status_code == 201
    problem(await sign(mat, path, "supplier"), 409, "status_forbids")
    problem(await sign(actors["finance"], path, "supplier"), 403, "insufficient_scope")
    found = await rsc.get(path)
    assert (found["status"], [each["party"] for each in found["signatures"]]) == ("offered", ["supplier"])


async def test_what_was_agreed_keeps_its_hash_to_the_end(seeded_world: World, actors: Actors) -> None:
    path = await offered(actors)
    agreed = (await actors["rsc"].get(path))["agreed_hash"]
    assert len(agreed) == 64
    for party, name in SIGNERS.items():
        assert (await sign(actors[name], path, party)).json()["agreed_hash"] == agreed
    for moment in ("2023-09-01", "2024-01-15"):
        await to(seeded_world, moment)
        await record(actors["mat"], path, "M1" if moment < "2024" else "M2", moment)
    await to(seeded_world, DAY_AFTER_LAST)
    found = await actors["rsc"].get(path)
    assert found["status"] == "expired"
    assert {found["agreed_hash"], *(each["agreed_hash"] for each in found["signatures"])} == {agreed}


async def test_payments_add_up_to_the_value(actors: Actors, completed: str) -> None:
    contract, payments = (
        await actors["finance"].get(completed),
        (await actors["finance"].get(f"{completed}/payments"))["data"],
    )
    assert sum(each["amount_pence"] for each in payments) == contract["value_pence"] == 23_000_000
    earned = {each["code"]: each["earned_on"] for each in payments if each["status"] == "earned"}
    assert earned == {
        "FEE-1": "2023-12-01",
        "FEE-2": "2024-03-01",
        "FEE-3": "2024-06-01",
        "FEE-4": "2024-09-01",
        "M1": "2023-10-27",
        "M2": "2024-01-22",
        "M3": "2024-07-15",
    }
    assert {each["code"] for each in payments if each["status"] == "scheduled"} == {"O1", "O2"}


async def test_the_clock_begins_and_completes_a_contract(seeded_world: World, actors: Actors, agreed: str) -> None:
    statuses = {}
    for moment in ("2023-08-31T23:59:00", "2023-09-01T00:01:00"):
        await to(seeded_world, moment)
        statuses[moment[:10]] = (await actors["rsc"].get(agreed))["status"]
    fence = (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"][0]
    assert (fence["supplier_uid"], fence["starts_on"], fence["ends_on"]) == (cast.SUPPLIER, "2023-09-01", "2024-08-31")
    for code in ("M1", "M2", "M3"):
        await record(actors["mat"], agreed, code, "2023-09-01", "not_met")
    for moment in ("2024-08-31T23:59:00", "2024-09-01T00:01:00"):
        await to(seeded_world, moment)
        statuses[moment[:10]] = (await actors["rsc"].get(agreed))["status"]
    assert list(statuses.values()) == ["agreed", "active", "active", "completed"]
    payments = (await actors["rsc"].get(f"{agreed}/payments"))["data"]
    assert {each["code"] for each in payments if each["status"] == "earned"} == {f"FEE-{n}" for n in range(1, 5)}


async def test_a_contract_that_was_not_signed_by_all_never_begins(seeded_world: World, actors: Actors) -> None:
    path = await offered(actors)
    await sign(actors["mat"], path, "supplier")
    await to(seeded_world, "2023-09-02")
    found = await actors["rsc"].get(path)
    assert (found["status"], found["reason_code"]) == ("cancelled", "lapsed")
    assert (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"] == []


async def test_an_undecided_milestone_lets_a_contract_expire_and_a_late_decision_completes_it(
    seeded_world: World, actors: Actors, active: str
) -> None:
    for code in ("M1", "M2"):
        await record(actors["mat"], active, code, "2023-09-01")
    await to(seeded_world, DAY_AFTER_LAST)
    found = await actors["rsc"].get(active)
    assert (found["status"], found["reason_code"]) == ("expired", "milestones_undecided")
    move_clock("2024-10-01")
    await record(actors["mat"], active, "M3", "2024-08-30")
    await seeded_world.settle()
    found = await actors["rsc"].get(active)
    assert (found["status"], found["reason_code"]) == ("completed", "decided_late")
