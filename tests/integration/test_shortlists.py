"""Which suppliers are shown for a school, in which order, and why the others are not."""

from typing import Any

import pytest

from services.demo import cast
from services.kernel.types import Kind
from services.outcomes.rules.places import Place, distance_km
from tests.integration.conftest import problem
from tests.integration.scenes import Actors, Case
from tests.world import Actor, Json, World, agreed_contract, change

PATH = f"/v1/schools/{cast.SCHOOL}/suppliers"
STAR = f"/v1/suppliers/{cast.SUPPLIER}"
OTHERS = ("3320", "4106", "2157")
CONCERN = {"kind": "concern", "details": "Its accounts are late.", "raised_on": "2023-06-01"}


async def with_others(actors: Actors) -> None:
    """Three more trusts on the register."""
    for uid in OTHERS:
        await actors["dfe"].register(uid)


def reasons(found: Json, uid: str) -> list[str]:
    """Why a supplier is left out; raises StopIteration where it is not."""
    return [each["code"] for each in next(one for one in found["excluded"] if one["uid"] == uid)["reasons"]]


async def test_suppliers_are_ranked_by_their_parts_with_reasons(seeded_world: World, actors: Actors) -> None:
    await with_others(actors)
    found = await actors["rsc"].get(PATH)
    assert found["school"] == {
        "urn": cast.SCHOOL,
        "name": cast.SCHOOL_NAME,
        "status": "open",
        "region": cast.REGION,
        "la_code": "888",
        "la_name": "Lancashire",
        "phase": "Secondary",
        "phase_code": "secondary",
        "pupils": 936,
        "trust_uid": cast.OUTGOING,
        "trust_name": cast.OUTGOING_NAME.upper(),
    }
    assert found["term"] == {"starts_on": "2023-09-01", "ends_on": "2026-08-31"}
    assert {each["uid"] for each in found["data"]} == {cast.SUPPLIER, *OTHERS}
    assert (found["excluded"], found["paging"]) == ([], {"next": None})
    assert [each["rank"] for each in found["data"]] == [1, 2, 3, 4]
    scores = [each["score"] for each in found["data"]]
    assert scores == sorted(scores, reverse=True)
    for each in found["data"]:
        total = sum(part["weight"] * part["value"] for part in each["parts"].values())
        assert each["score"] == pytest.approx(total, abs=1e-6)
        assert len(each["reasons"]) == len(each["parts"]) == 4
    assert found["data"][0]["uid"] == cast.SUPPLIER, "the nearest of them, with many schools of the phase"


async def test_figures_are_those_of_the_register(seeded_world: World, actors: Actors) -> None:
    (star,) = (await actors["rsc"].get(PATH))["data"]
    places = seeded_world.rows(
        "SELECT e.easting, e.northing, e.phase FROM outcomes.membership m JOIN outcomes.establishment e USING (urn)"
        " WHERE m.trust_uid = %(uid)s AND m.left_on IS NULL AND e.status = 'open'",
        uid=cast.SUPPLIER,
    )
    here = Place(352690, 432551)
    nearest = min(distance_km(here, Place(east, north)) for east, north, _ in places)
    assert star["parts"]["distance"]["figures"]["nearest_km"] == round(nearest, 1)
    secondary = sum(phase in {"Secondary", "Middle deemed secondary"} for *_, phase in places)
    assert star["parts"]["phase"]["figures"] == {"same_phase_schools": secondary, "schools": len(places)}
    assert star["parts"]["capacity"]["figures"] == {"contracts_left": 3, "pupils_left": 4000}
    assert star["parts"]["track_record"]["figures"]["estimate"] == 0.5


async def test_what_a_supplier_carries_over_the_term_is_not_left(seeded_world: World, actors: Actors) -> None:
    await agreed_contract(actors)
    (during,) = (await actors["rsc"].get(PATH, starts_on="2024-01-01", ends_on="2024-12-31"))["data"]
    assert during["parts"]["capacity"]["figures"] == {"contracts_left": 2, "pupils_left": 4000 - 936}
    (after,) = (await actors["rsc"].get(PATH, starts_on="2024-09-01"))["data"]
    assert after["parts"]["capacity"]["figures"] == {"contracts_left": 3, "pupils_left": 4000}
    stranger = await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST)
    (seen,) = (await stranger.get(PATH, starts_on="2024-01-01", ends_on="2024-12-31"))["data"]
    assert seen == during, "also for those who do not see the contract"


async def test_a_track_record_weighs(case: Case) -> None:
    await case["dfe"].register("4106")
    path = "/v1/schools/135816/suppliers"
    star = next(each for each in (await case["rsc"].get(path))["data"] if each["uid"] == cast.SUPPLIER)
    part = star["parts"]["track_record"]
    assert (part["value"], part["figures"]["met"], part["figures"]["judged"]) == (pytest.approx(0.8), 1, 1)
    assert "Of 1 contract with a verdict 1 met" in " ".join(star["reasons"])


async def excluded_by(actors: Actors, kind: str, world: World) -> None:
    """Bring about one reason for leaving Star Academies out."""
    if kind == "supplier_suspended":
        await actors["dfe"].change(STAR, "suspension", {"reason": "x"})
    elif kind == "live_concern":
        await actors["dfe"].post(f"{STAR}/matters", CONCERN)
    elif kind == "conflict_of_interest":
        await actors["mat"].post(f"{STAR}/matters", CONCERN | {"kind": "conflict", "school_urn": cast.SCHOOL})
    elif kind == "capacity_exceeded":
        await actors["mat"].register(cast.SUPPLIER, max_pupils=935)
    elif kind == "phase_not_offered":
        await actors["mat"].register(cast.SUPPLIER, phases=["primary", "special"])
    elif kind == "pupils_unknown":
        change(world.database_url, "UPDATE outcomes.establishment SET pupils = NULL WHERE urn = 135936")
    else:
        change(world.database_url, "UPDATE outcomes.trust SET status = 'closed' WHERE uid = '4903'")


@pytest.mark.parametrize(
    "kind",
    [
        "supplier_suspended",
        "live_concern",
        "conflict_of_interest",
        "capacity_exceeded",
        "phase_not_offered",
        "pupils_unknown",
        "trust_closed",
    ],
)
async def test_who_cannot_be_offered_a_contract_is_left_out_with_the_reason(
    seeded_world: World, actors: Actors, kind: str
) -> None:
    await excluded_by(actors, kind, seeded_world)
    found = await actors["rsc"].get(PATH)
    assert (found["data"], reasons(found, cast.SUPPLIER)) == ([], [kind])
    assert found["excluded"][0]["name"].lower() == cast.SUPPLIER_NAME.lower()
    assert found["excluded"][0]["reasons"][0]["text"].endswith(".")


@pytest.mark.parametrize("kind", ["live_concern", "conflict_of_interest"])
async def test_who_does_not_see_matters_sees_that_a_supplier_is_not_available(
    seeded_world: World, actors: Actors, kind: str
) -> None:
    await excluded_by(actors, kind, seeded_world)
    stranger = await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST)
    for actor in (actors["body"], stranger):
        found = await actor.get(PATH)
        assert reasons(found, cast.SUPPLIER) == ["supplier_not_available"]
        assert "concern" not in str(found["excluded"])
    assert reasons(await actors["mat"].get(PATH), cast.SUPPLIER) == [kind]


async def test_every_reason_is_given_at_once(seeded_world: World, actors: Actors) -> None:
    for kind in ("live_concern", "capacity_exceeded", "supplier_suspended", "trust_closed"):
        await excluded_by(actors, kind, seeded_world)
    expected = ["trust_closed", "supplier_suspended", "live_concern", "capacity_exceeded"]
    assert reasons(await actors["rsc"].get(PATH), cast.SUPPLIER) == expected


async def test_a_conflict_about_another_school_is_no_reason(seeded_world: World, actors: Actors) -> None:
    conflict = CONCERN | {"kind": "conflict", "school_urn": cast.SUPPLIERS_OWN_SCHOOL}
    await actors["mat"].post(f"{STAR}/matters", conflict)
    assert [each["uid"] for each in (await actors["rsc"].get(PATH))["data"]] == [cast.SUPPLIER]


async def test_the_schools_own_trust_is_in_neither_list(seeded_world: World, actors: Actors) -> None:
    own = f"/v1/schools/{cast.SUPPLIERS_OWN_SCHOOL}/suppliers"
    for phases in (["secondary"], ["primary"]):
        await actors["mat"].register(cast.SUPPLIER, phases=phases)
        found = await actors["rsc"].get(own)
        assert found["school"]["trust_uid"] == cast.SUPPLIER
        assert (found["data"], found["excluded"]) == ([], [])


async def test_an_unknown_place_is_neither_near_nor_far(seeded_world: World, actors: Actors) -> None:
    forget = "UPDATE outcomes.establishment SET easting = NULL, northing = NULL WHERE urn = 135936"
    change(seeded_world.database_url, forget)
    (star,) = (await actors["rsc"].get(PATH))["data"]
    distance = star["parts"]["distance"]
    assert (distance["value"], distance["figures"]) == (0.5, {"nearest_km": None, "nearest_urn": None})
    assert any("distance unknown" in each.lower() for each in star["reasons"])


async def test_the_list_is_paged_by_rank(seeded_world: World, actors: Actors) -> None:
    await with_others(actors)
    whole = (await actors["rsc"].get(PATH))["data"]
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await actors["rsc"].get(PATH, limit=3, **cursor)
        found += answer["data"]
        if answer["paging"]["next"] is None:
            break
        cursor = {"cursor": answer["paging"]["next"]}
    assert found == whole
    answer = await actors["rsc"].ask("GET", PATH, params={"limit": 1})
    assert f"{PATH}?limit=1&cursor=" in answer.headers["link"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"ends_on": "2023-08-31"}, 422, "bad_terms"),
        ({"starts_on": "2023-09-01", "ends_on": "2030-09-01"}, 422, "bad_terms"),
        ({"starts_on": "9999-12-31"}, 422, "invalid"),
        ({"starts_on": "soon"}, 422, "invalid"),
        ({"limit": "0"}, 422, "invalid"),
        ({"cursor": "x"}, 400, "bad_request"),
    ],
)
async def test_a_term_or_page_that_makes_no_sense_is_refused(
    actors: Actors, query: dict[str, str], status: int, code: str
) -> None:
    problem(await actors["rsc"].ask("GET", PATH, params=query), status, code)


async def test_a_school_that_is_unknown_or_closed_gets_no_list(actors: Actors) -> None:
    rsc: Actor = actors["rsc"]
    problem(await rsc.ask("GET", f"/v1/schools/{cast.UNKNOWN_SCHOOL}/suppliers"), 404, "not_found")
    problem(await rsc.ask("GET", f"/v1/schools/{cast.CLOSED_SCHOOL}/suppliers"), 409, "unsuitable_party")
    problem(await rsc.ask("GET", "/v1/schools/1/suppliers"), 422, "invalid")


async def test_a_school_and_its_suppliers_come_from_two_services_under_one_door(actors: Actors) -> None:
    school, listed = await actors["rsc"].get(f"/v1/schools/{cast.SCHOOL}"), await actors["rsc"].get(PATH)
    assert school["urn"] == listed["school"]["urn"]
    assert "memberships" in school
    assert "data" in listed
