"""Ends before the term: by notice, by breach, by agreement, because the school closed; and the hand-back."""

from typing import Any

from services.demo import cast
from tests.integration.conftest import active_contract, problem, record, signature, to
from tests.integration.scenes import DAY_AFTER_LAST, Actors
from tests.world import Json, World, agreed_contract, change

BREAKS = {"term": cast.CONTRACT["term"] | {"break_points": ["2024-03-31"], "notice_days": 60}}
HAND_BACK = {"due_on": "2024-04-30", "items": ["Keys and records", "Access to the finance system"]}


def notice(ground: str, **more: Json) -> dict[str, Any]:
    """A termination on this ground."""
    return {"ground": ground, "reason": "as the board decided", **more}


async def ask(actors: Actors, name: str, path: str, body: Json) -> Any:
    """Ask for a termination, for the present version."""
    tag = {"If-Match": (await actors["rsc"].ask("GET", path)).headers["etag"]}
    return await actors[name].ask("POST", f"{path}/termination", json=body, headers=tag)


async def payments(actors: Actors, path: str) -> dict[str, tuple[str, str | None]]:
    """Status and reason of each payment."""
    found = (await actors["rsc"].get(f"{path}/payments"))["data"]
    return {each["code"]: (each["status"], each["reason_code"]) for each in found}


async def test_a_notice_runs_and_then_ends_the_contract(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors, **BREAKS)
    await to(seeded_world, "2024-01-10")
    early = notice("convenience", ends_on="2024-03-09")
    assert problem(await ask(actors, "rsc", path, early), 422, "notice_too_short")["first_day"] == "2024-03-10"
    problem(await ask(actors, "mat", path, notice("convenience", ends_on="2024-03-30")), 422, "not_a_break_point")
    problem(await ask(actors, "body", path, notice("convenience", ends_on="2024-03-31")), 403, "not_your_move")
    found = (await ask(actors, "mat", path, notice("convenience", ends_on="2024-03-31"))).json()
    assert (found["status"], found["termination"]["by"]) == ("active", "supplier")
    problem(await ask(actors, "rsc", path, notice("convenience", ends_on="2024-04-01")), 409, "already_notified")
    await to(seeded_world, "2024-03-31")
    assert (await actors["rsc"].get(path))["status"] == "active"
    await to(seeded_world, "2024-04-01")
    found = await actors["rsc"].get(path)
    assert (found["status"], found["reason_code"]) == ("terminated", "convenience")
    assert (found["term"]["ended_on"], found["term"]["ends_on"]) == ("2024-03-31", "2024-08-31")
    fence = (await actors["rsc"].get("/v1/ring-fences", school_urn=cast.SCHOOL))["data"][0]
    assert fence["ends_on"] == "2024-03-31"


async def test_what_was_due_by_the_last_day_can_still_be_earned(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors, **BREAKS)
    await record(actors["mat"], path, "M1", "2023-09-01")
    await to(seeded_world, "2024-01-10")
    await ask(actors, "rsc", path, notice("convenience", ends_on="2024-03-31"))
    await to(seeded_world, "2024-04-01")
    assert await payments(actors, path) == {
        "FEE-1": ("earned", None),
        "FEE-2": ("earned", None),
        "FEE-3": ("earned", "terminated_convenience"),
        "FEE-4": ("withheld", "terminated_convenience"),
        "M1": ("earned", None),
        "M2": ("scheduled", None),
        "M3": ("withheld", "terminated_convenience"),
        "O1": ("scheduled", None),
        "O2": ("scheduled", None),
    }
    running = next(e for e in (await actors["rsc"].get(f"{path}/payments"))["data"] if e["code"] == "FEE-3")
    assert (running["earned_pence"], running["reduced_pence"]) == (
        3_000_000 * 31 // 92,
        3_000_000 - 3_000_000 * 31 // 92,
    )
    await record(actors["mat"], path, "M2", "2024-01-22")
    await record(actors["mat"], path, "M3", "2024-03-30")
    await seeded_world.settle()
    found = await payments(actors, path)
    assert (found["M2"], found["M3"]) == (("earned", None), ("withheld", "terminated_convenience"))
    whole = await actors["rsc"].get(path)
    parts = (await actors["rsc"].get(f"{path}/payments"))["data"]
    assert sum(each["amount_pence"] for each in parts) == whole["value_pence"]


async def test_a_breach_ends_it_today_and_nothing_more_is_earned(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await to(seeded_world, "2024-02-10")
    found = (await ask(actors, "rsc", active, notice("breach", hand_back=HAND_BACK))).json()
    assert (found["status"], found["reason_code"]) == ("terminated", "breach")
    await record(actors["mat"], active, "M2", "2024-01-22")
    await seeded_world.settle()
    withheld = {code for code, (status, _) in (await payments(actors, active)).items() if status == "withheld"}
    assert withheld == {"FEE-2", "FEE-3", "FEE-4", "M1", "M2", "M3", "O1", "O2"}


async def test_what_is_handed_back_is_a_duty_until_it_is_confirmed(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await to(seeded_world, "2024-02-10")
    await ask(actors, "rsc", active, notice("breach", hand_back=HAND_BACK))
    contract_id = active.rpartition("/")[2]

    async def duty() -> Json:
        found = (await actors["body"].get("/v1/duties", contract_id=contract_id))["data"]
        return next(each for each in found if each["code"] == "hand_back")

    assert ((await duty())["due_on"], (await duty())["state"]) == ("2024-04-30", "open")
    await to(seeded_world, "2024-05-01")
    assert (await duty())["state"] == "overdue"
    tag = {"If-Match": (await actors["rsc"].ask("GET", active)).headers["etag"]}
    done = {"done_on": "2024-04-29", "note": "All of it"}
    problem(await actors["mat"].ask("POST", f"{active}/hand-back", json=done, headers=tag), 403, "not_your_move")
    late = {"done_on": "2024-05-02"}
    problem(await actors["body"].ask("POST", f"{active}/hand-back", json=late, headers=tag), 422, "bad_terms")
    await actors["body"].change(active, "hand-back", done)
    assert ((await duty())["state"], (await duty())["done_on"]) == ("done", "2024-04-29")
    tag = {"If-Match": (await actors["rsc"].ask("GET", active)).headers["etag"]}
    problem(await actors["body"].ask("POST", f"{active}/hand-back", json=done, headers=tag), 409, "status_forbids")


async def test_by_agreement_every_party_signs(seeded_world: World, actors: Actors, active: str) -> None:
    await to(seeded_world, "2024-02-10")
    found = (await ask(actors, "mat", active, notice("agreement", ends_on="2024-03-31"))).json()
    assert (found["status"], found["termination"]) == ("active", None)
    assert [(each["kind"], each["status"]) for each in found["variations"]] == [("termination", "proposed")]
    problem(await ask(actors, "rsc", active, notice("agreement")), 409, "variation_open")
    for name, party in (("body", "responsible_body"), ("mat", "supplier"), ("rsc", "commissioner")):
        assert (await actors["rsc"].get(active))["termination"] is None
        found = await actors[name].change(active, "variations/1/signatures", signature(party), 201)
    assert (found["termination"]["ends_on"], found["variations"][0]["status"]) == ("2024-03-31", "in_force")
    await to(seeded_world, "2024-04-01")
    found = await actors["rsc"].get(active)
    assert (found["status"], found["reason_code"]) == ("terminated", "agreement")


async def test_an_agreement_that_not_all_sign_comes_to_nothing(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await to(seeded_world, "2024-02-10")
    await ask(actors, "rsc", active, notice("agreement", ends_on="2024-03-31"))
    await actors["rsc"].change(active, "variations/1/signatures", signature("commissioner"), 201)
    await to(seeded_world, "2024-04-01")
    found = await actors["rsc"].get(active)
    assert (found["status"], found["variations"][0]["status"]) == ("active", "lapsed")


async def test_a_school_that_is_open_is_not_closed(seeded_world: World, actors: Actors, active: str) -> None:
    problem(await ask(actors, "rsc", active, notice("school_closed")), 409, "school_open")
    change(
        seeded_world.database_url,
        "UPDATE outcomes.establishment SET status = 'closed', closed_on = '2023-09-01' WHERE urn = %(urn)s",
        urn=int(cast.SCHOOL),
    )
    found = (await ask(actors, "rsc", active, notice("school_closed"))).json()
    assert (found["status"], found["reason_code"]) == ("terminated", "school_closed")


async def test_a_contract_that_ends_before_it_begins_pays_nothing_and_frees_the_school(
    seeded_world: World, actors: Actors, agreed: str
) -> None:
    found = (await ask(actors, "rsc", agreed, notice("breach"))).json()
    assert (found["status"], found["term"]["ended_on"]) == ("terminated", "2023-08-31")
    assert {status for status, _ in (await payments(actors, agreed)).values()} == {"withheld"}
    await agreed_contract(actors)
    await to(seeded_world, DAY_AFTER_LAST)
    assert (await actors["rsc"].get(agreed))["status"] == "terminated"
