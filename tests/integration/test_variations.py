"""Variations: proposed by one, signed by all, from a day on; never of what has happened. And corrections."""

import asyncio
from datetime import date
from typing import Any

from services.contracts.agreements import agreement
from services.contracts.queries import contract as contract_row
from services.contracts.queries import milestones, outcomes
from services.contracts.rules.terms import agreement_hash
from services.demo import cast
from services.kernel.auth import service_caller
from tests.integration.conftest import active_contract, problem, record, signature, to
from tests.integration.scenes import Actors
from tests.world import Json, World, change

EXTENDABLE = {"term": cast.CONTRACT["term"] | {"latest_ends_on": "2025-08-31"}}
SIGNERS = (("body", "responsible_body"), ("mat", "supplier"), ("rsc", "commissioner"))
M1, M2, M3 = cast.CONTRACT["milestones"]


async def propose(actors: Actors, name: str, path: str, effective_on: str, **changes: Json) -> Any:
    """Ask for a variation, for the present version."""
    tag = {"If-Match": (await actors["rsc"].ask("GET", path)).headers["etag"]}
    body = {"effective_on": effective_on, "rationale": "agreed at the review", "changes": changes}
    return await actors[name].ask("POST", f"{path}/variations", json=body, headers=tag)


async def sign(actors: Actors, path: str, number: int = 1, signers: Any = SIGNERS) -> Json:
    """These parties sign a variation; gives the contract after the last signature."""
    found = None
    for name, party in signers:
        found = await actors[name].change(path, f"variations/{number}/signatures", signature(party), 201)
    return found


async def recomputed_hash(world: World, path: str) -> str:
    """The hash of the terms as they stand."""
    async with world.database("contracts").transaction(service_caller("contracts")) as session:
        from uuid import UUID

        row = await contract_row(session, UUID(path.rpartition("/")[2]))
        return agreement_hash(agreement(row, await outcomes(session, [row.id]), await milestones(session, [row.id])))


async def test_an_extension_takes_effect_on_its_day_when_all_have_signed(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors, **EXTENDABLE)
    before = await actors["rsc"].get(path)
    added = {"code": "M4", "title": "Second year", "kind": "delivery", "due_on": "2025-05-31", "payment_pence": 500}
    changes = {"ends_on": "2025-08-31", "fee_pence": 13_000_000, "milestones": [M1, M2, M3, added]}
    answer = await propose(actors, "mat", path, "2023-10-01", **changes)
    assert answer.status_code == 201, answer.text
    found = await sign(actors, path)
    assert (found["variations"][0]["status"], found["term"]["ends_on"]) == ("agreed", "2024-08-31")
    await to(seeded_world, "2023-10-01")
    found = await actors["rsc"].get(path)
    assert (found["term"]["ends_on"], found["value_pence"]) == ("2025-08-31", before["value_pence"] + 1_000_500)
    assert found["variations"][0]["status"] == "in_force"
    assert found["agreed_hash"] == found["variations"][0]["agreed_hash"] != before["agreed_hash"]
    assert found["agreed_hash"] == await recomputed_hash(seeded_world, path)
    payments = {each["code"]: each for each in (await actors["rsc"].get(f"{path}/payments"))["data"]}
    assert sum(each["amount_pence"] for each in payments.values()) == found["value_pence"]
    fee = {code: each for code, each in payments.items() if each["kind"] == "fee"}
    assert {each["amount_pence"] for each in fee.values()} == {1_625_000}
    assert (len(fee), fee["FEE-8"]["period_ends_on"]) == (8, "2025-08-31")
    fence = (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"][0]
    assert fence["ends_on"] == "2025-08-31"
    await to(seeded_world, "2024-09-01")
    assert (await actors["rsc"].get(path))["status"] == "active"
    assert (await actors["rsc"].get(path, as_of="2023-09-30"))["term"]["ends_on"] == "2024-08-31"
    assert (await actors["rsc"].get(path, as_of="2023-10-01"))["term"]["ends_on"] == "2025-08-31"


async def test_what_a_variation_may_not_touch(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors, **EXTENDABLE)
    await record(actors["mat"], path, "M1", "2023-09-01")
    await to(seeded_world, "2023-12-01")
    wrong: dict[str, tuple[str, dict[str, Any], str]] = {
        "yesterday": ("2023-11-30", {"title": "x"}, "touches_the_past"),
        "after the end": ("2024-09-01", {"title": "x"}, "touches_the_past"),
        "past the latest end": ("2024-01-01", {"ends_on": "2025-09-01"}, "bad_terms"),
        "a decided milestone": ("2024-01-01", {"milestones": [M1 | {"title": "x"}, M2, M3]}, "touches_the_past"),
        "a decided milestone gone": ("2024-01-01", {"milestones": [M2, M3]}, "touches_the_past"),
        "a milestone before it": (
            "2024-01-01",
            {"milestones": [M1, M2 | {"due_on": "2023-12-31"}, M3]},
            "touches_the_past",
        ),
        "less of the fee": ("2024-01-01", {"fee_pence": 1}, "touches_the_past"),
        "nothing": ("2024-01-01", {"fee_pence": cast.CONTRACT["fee_pence"]}, "nothing_changes"),
        "no change at all": ("2024-01-01", {}, "nothing_changes"),
        "broken weights": ("2024-01-01", {"outcomes": cast.CONTRACT["outcomes"][:1]}, "bad_terms"),
        "the school": ("2024-01-01", {"school_urn": "144646"}, "invalid"),
    }
    for what, (day, changes, code) in wrong.items():
        answer = await propose(actors, "rsc", path, day, **changes)
        assert (what, problem(answer, 422)["code"]) == (what, code)
    assert (await actors["rsc"].get(path))["variations"] == []


async def test_who_proposes_withdraws_and_the_others_refuse(actors: Actors, active: str) -> None:
    problem(await propose(actors, "dfe", active, "2023-10-01", title="x"), 403, "not_your_move")
    why = {"reason": "no longer wanted"}
    for number, (proposer, closer, action, status) in enumerate(
        (("mat", "rsc", "refusal", "refused"), ("rsc", "rsc", "withdrawal", "withdrawn")), 1
    ):
        assert (await propose(actors, proposer, active, "2023-10-01", title="x")).status_code == 201
        problem(await propose(actors, "rsc", active, "2023-10-01", title="y"), 409, "variation_open")
        wrong = "withdrawal" if action == "refusal" else "refusal"
        answer = await actors[closer].ask(
            "POST", f"{active}/variations/{number}/{wrong}", json=why, headers={"If-Match": "*"}
        )
        problem(answer, 403, "not_your_move")
        found = await actors[closer].change(active, f"variations/{number}/{action}", why)
        assert found["variations"][number - 1]["status"] == status
        body = signature("supplier")
        answer = await actors["mat"].ask(
            "POST", f"{active}/variations/{number}/signatures", json=body, headers={"If-Match": "*"}
        )
        problem(answer, 409, "status_forbids")
    answer = await actors["mat"].ask("POST", f"{active}/variations/9/refusal", json=why, headers={"If-Match": "*"})
    problem(answer, 404, "not_found")


async def test_each_party_signs_for_itself_and_once(actors: Actors, active: str) -> None:
    await propose(actors, "rsc", active, "2023-10-01", title="x")
    url = f"{active}/variations/1/signatures"
    any_version = {"If-Match": "*"}
    answer = await actors["mat"].ask("POST", url, json=signature("commissioner"), headers=any_version)
    problem(answer, 403, "not_your_signature")
    early = signature("supplier") | {"signed_on": "2023-08-31"}
    problem(await actors["mat"].ask("POST", url, json=early, headers=any_version), 422, "bad_terms")
    asked = [actors["mat"].ask("POST", url, json=signature("supplier"), headers=any_version) for _ in range(3)]
    answers = await asyncio.gather(*asked)
    assert sorted(each.status_code for each in answers) == [201, 409, 409]


async def test_a_variation_without_every_signature_lapses(seeded_world: World, actors: Actors, active: str) -> None:
    await propose(actors, "rsc", active, "2023-10-01", title="x")
    await sign(actors, active, signers=SIGNERS[:2])
    await to(seeded_world, "2023-10-01")
    assert (await actors["rsc"].get(active))["variations"][0]["status"] == "proposed"
    await to(seeded_world, "2023-10-02")
    found = await actors["rsc"].get(active)
    assert (found["variations"][0]["status"], found["title"]) == ("lapsed", cast.CONTRACT["title"])


async def test_a_variation_of_today_takes_effect_with_the_last_signature(
    seeded_world: World, actors: Actors, agreed: str
) -> None:
    await propose(actors, "body", agreed, "2023-06-20", title="Another title", fee_pence=1_000)
    found = await sign(actors, agreed)
    assert (found["title"], found["status"], found["value_pence"]) == ("Another title", "agreed", 11_001_000)
    for moment in ("2023-09-01", "2023-12-01"):
        await to(seeded_world, moment)
    payments = (await actors["rsc"].get(f"{agreed}/payments"))["data"]
    earned = {each["code"]: each["amount_pence"] for each in payments if each["status"] == "earned"}
    assert earned == {"FEE-1": 250}


async def test_a_variation_that_something_has_overtaken_does_not_take_effect(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await propose(actors, "rsc", active, "2023-11-01", milestones=[M1 | {"due_on": "2023-12-31"}, M2, M3])
    await sign(actors, active)
    await record(actors["mat"], active, "M1", "2023-09-01")
    await seeded_world.settle()
    await to(seeded_world, "2023-11-01")
    found = await actors["rsc"].get(active)
    assert (found["variations"][0]["status"], found["variations"][0]["reason_code"]) == (
        "overtaken",
        "touches_the_past",
    )
    assert found["milestones"][0]["due_on"] == M1["due_on"]


async def test_a_longer_term_that_another_contract_holds_is_overtaken(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors, **EXTENDABLE)
    await propose(actors, "rsc", path, "2023-11-01", ends_on="2025-08-31")
    await sign(actors, path)
    after = {"term": {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}, "milestones": []}
    await actors["rsc"].post("/v1/contracts", cast.CONTRACT | after)
    await to(seeded_world, "2023-11-01")
    found = await actors["rsc"].get(path)
    assert (found["variations"][0]["status"], found["term"]["ends_on"]) == ("overtaken", "2024-08-31")


async def test_outcomes_that_were_judged_stay(seeded_world: World, actors: Actors, completed: str) -> None:
    problem(await propose(actors, "rsc", completed, "2024-09-01", title="x"), 409, "status_forbids")
    change(
        seeded_world.database_url,
        "UPDATE contracts.contract SET status = 'active', ends_on = '2025-07-30', latest_ends_on = '2025-07-30',"
        " ended_on = NULL",
    )
    await to(seeded_world, "2025-03-21")
    await actors["rsc"].post(f"{completed}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    first, second = cast.CONTRACT["outcomes"]
    easier = [first | {"target": {"mode": "absolute", "value": 90.0}}, second]
    problem(
        await propose(actors, "rsc", completed, date(2025, 4, 1).isoformat(), outcomes=easier), 422, "touches_the_past"
    )


async def test_a_correction_is_no_variation(actors: Actors, active: str) -> None:
    before = await actors["rsc"].get(active)
    body = {"reason": "a slip of the pen", "title": "School improvement", "milestone_titles": {"M1": "Diagnosis"}}
    tag = {"If-Match": "*"}
    problem(await actors["mat"].ask("POST", f"{active}/corrections", json=body, headers=tag), 403, "not_your_move")
    unknown = body | {"milestone_titles": {"M9": "x"}}
    problem(await actors["rsc"].ask("POST", f"{active}/corrections", json=unknown, headers=tag), 422, "bad_terms")
    problem(await actors["rsc"].ask("POST", f"{active}/corrections", json={"reason": "x"}, headers=tag), 422, "invalid")
    found = await actors["rsc"].change(active, "corrections", body)
    assert (found["title"], found["milestones"][0]["title"]) == ("School improvement", "Diagnosis")
    assert (found["agreed_hash"], found["variations"]) == (before["agreed_hash"], [])
    told = (await actors["rsc"].get(f"{active}/events"))["data"][-1]
    assert told["type"] == "contract.corrected"
    assert told["data"]["changes"]["contract"]["changed"]["title"] == {
        "old": cast.CONTRACT["title"],
        "new": "School improvement",
    }
