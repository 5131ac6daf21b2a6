"""Offers: signed in any order, withdrawn, refused, or left to lapse."""

import asyncio

from services.demo import cast
from tests.integration.conftest import problem, signature, to
from tests.integration.scenes import Actors
from tests.world import Json, World, move_clock

WHY = {"reason": "as the board decided"}


async def drafted(actors: Actors, **changes: Json) -> str:
    """The path of a draft."""
    return f"/v1/contracts/{(await actors['rsc'].post('/v1/contracts', cast.CONTRACT | changes))['id']}"


async def offered(actors: Actors, **offer: Json) -> str:
    """The path of a contract that waits for signatures."""
    path = await drafted(actors)
    await actors["rsc"].change(path, "offer", offer or None)
    return path


async def test_a_withdrawn_offer_is_a_draft_and_its_signatures_count_no_more(actors: Actors) -> None:
    path = await offered(actors)
    first = (await actors["mat"].change(path, "signatures", signature("supplier"), 201))["signatures"]
    back = await actors["rsc"].change(path, "offer-withdrawal", WHY)
    assert (back["status"], back["reason_code"], back["agreed_hash"]) == ("draft", "withdrawn", None)
    again = await actors["rsc"].change(path, "offer")
    assert (again["offer"]["number"], again["reason_code"]) == (2, None)
    for name, party in (("rsc", "commissioner"), ("body", "responsible_body")):
        found = await actors[name].change(path, "signatures", signature(party), 201)
        assert found["status"] == "offered"
    found = await actors["mat"].change(path, "signatures", signature("supplier"), 201)
    assert found["status"] == "agreed"
    assert [each["document"] for each in found["signatures"]] == ["offer/1", *["offer/2"] * 3]
    assert found["signatures"][0] == first[0]


async def test_supplier_and_responsible_body_refuse_and_the_commissioner_does_not(actors: Actors) -> None:
    for name in ("mat", "body"):
        path = await offered(actors)
        tag = {"If-Match": (await actors["rsc"].ask("GET", path)).headers["etag"]}
        for other in ("rsc", "dfe"):
            answer = await actors[other].ask("POST", f"{path}/refusal", json=WHY, headers=tag)
            problem(answer, 403, "not_your_move")
        found = await actors[name].change(path, "refusal", WHY)
        assert (found["status"], found["reason_code"]) == ("cancelled", "refused")
        answer = await actors["rsc"].ask("POST", f"{path}/offer", headers={"If-Match": "*"})
        problem(answer, 409, "status_forbids")


async def test_an_offer_lapses_after_its_last_day(seeded_world: World, actors: Actors) -> None:
    path = await offered(actors, lapses_on="2023-07-10")
    await actors["mat"].change(path, "signatures", signature("supplier"), 201)
    await to(seeded_world, "2023-07-10T23:30:00")
    assert (await actors["rsc"].get(path))["status"] == "offered"
    await to(seeded_world, "2023-07-11T00:30:00")
    found = await actors["rsc"].get(path)
    assert (found["status"], found["reason_code"]) == ("cancelled", "lapsed")
    answer = await actors["body"].ask("POST", f"{path}/signatures", json=signature("responsible_body"))
    problem(answer, 428, "precondition_required")


async def test_an_offer_that_was_withdrawn_and_made_again_keeps_its_own_last_day(
    seeded_world: World, actors: Actors
) -> None:
    path = await offered(actors, lapses_on="2023-06-25")
    await actors["rsc"].change(path, "offer-withdrawal", WHY)
    await actors["rsc"].change(path, "offer", {"lapses_on": "2023-07-20"})
    await to(seeded_world, "2023-07-01")
    assert (await actors["rsc"].get(path))["status"] == "offered"
    await to(seeded_world, "2023-07-21")
    assert (await actors["rsc"].get(path))["reason_code"] == "lapsed"


async def test_an_offer_stands_for_some_time_and_not_past_the_first_day(actors: Actors) -> None:
    path = await drafted(actors)
    tag = {"If-Match": (await actors["rsc"].ask("GET", path)).headers["etag"]}
    for day in ("2023-06-19", "2023-09-02"):
        answer = await actors["rsc"].ask("POST", f"{path}/offer", json={"lapses_on": day}, headers=tag)
        problem(answer, 422, "bad_terms")
    move_clock("2023-09-02")
    problem(await actors["rsc"].ask("POST", f"{path}/offer", headers=tag), 422, "bad_terms")


async def test_a_signature_is_not_older_than_the_offer(actors: Actors) -> None:
    path = await drafted(actors)
    move_clock("2023-06-25")
    await actors["rsc"].change(path, "offer")
    body = signature("supplier") | {"signed_on": "2023-06-24"}
    problem(
        await actors["mat"].ask("POST", f"{path}/signatures", json=body, headers={"If-Match": "*"}), 422, "bad_terms"
    )


async def test_of_all_signing_at_once_each_signs_once_and_one_makes_it_agreed(actors: Actors) -> None:
    path = await offered(actors)
    parties = (("rsc", "commissioner"), ("mat", "supplier"), ("body", "responsible_body"))
    answers = await asyncio.gather(
        *(
            actors[name].ask("POST", f"{path}/signatures", json=signature(party), headers={"If-Match": "*"})
            for name, party in parties * 3
        )
    )
    assert sorted(each.status_code for each in answers) == [201] * 3 + [409] * 6
    found = await actors["rsc"].get(path)
    assert (found["status"], len(found["signatures"]), found["entered_on"]) == ("agreed", 3, "2023-06-20")
    events = [each["type"] for each in (await actors["rsc"].get(f"{path}/events"))["data"]]
    assert (events.count("contract.signed"), events.count("contract.agreed")) == (3, 1)
