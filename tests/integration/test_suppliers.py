"""The register of suppliers: who writes it, what it shows, and what stands against whom."""

from typing import Any

import pytest

from services.demo import cast
from services.kernel.types import Kind
from tests.integration.conftest import problem
from tests.integration.scenes import Actors, Case
from tests.world import Actor, Json, World, change

STAR = f"/v1/suppliers/{cast.SUPPLIER}"
OTHER = f"/v1/suppliers/{cast.ANOTHER_TRUST}"
WHY = {"reason": "as the board decided"}
CONCERN = {"kind": "concern", "details": "Its accounts are late.", "raised_on": "2023-06-01"}
CONFLICT = {"kind": "conflict", "details": "A trustee advises us.", "raised_on": "2023-06-01"}
RESOLUTION = {"resolution": "The accounts are in.", "resolved_on": "2023-06-19"}


async def put(actor: Actor, path: str, tag: str | None = None, **changes: Json) -> Any:
    """Ask to write an entry, naming the version that was read."""
    return await actor.ask("PUT", path, json=cast.CAPACITY | changes, headers={"If-Match": tag} if tag else {})


async def tag_of(actor: Actor, path: str) -> str:
    """The entity tag of a resource as it stands."""
    return (await actor.ask("GET", path)).headers["etag"]


async def kinds(actor: Actor, path: str) -> list[str]:
    """The types of the events that this caller sees of an entry."""
    return [each["type"] for each in (await actor.get(f"{path}/events"))["data"]]


async def test_an_entry_says_who_the_trust_is_as_gias_has_it(actors: Actors, seeded_world: World) -> None:
    found = await actors["body"].get(STAR)
    query = "SELECT name, group_id, ukprn, companies_house_number FROM outcomes.trust WHERE uid = %(uid)s"
    known = seeded_world.rows(query, uid=cast.SUPPLIER)
    assert [tuple(found[name] for name in ("name", "group_id", "ukprn", "companies_house_number"))] == known
    assert (found["status"], found["suspension"], found["version"]) == ("registered", None, 1)
    assert {name: found[name] for name in ("max_contracts", "max_pupils", "phases")} == {
        name: cast.CAPACITY[name] for name in ("max_contracts", "max_pupils", "phases")
    }
    assert found["interventions"][0]["code"] == "attendance"


async def test_company_numbers_are_kept_in_their_one_form(actors: Actors, seeded_world: World) -> None:
    short = "UPDATE outcomes.trust SET companies_house_number = 'sc12' WHERE uid = %(uid)s"
    change(seeded_world.database_url, short, uid=cast.ANOTHER_TRUST)
    made = await put(actors["dfe"], OTHER)
    assert made.json()["companies_house_number"] == "SC000012"


async def test_an_entry_is_made_once_and_replaced_by_those_who_have_read_it(actors: Actors) -> None:
    rsc = actors["rsc"]
    made = await put(rsc, OTHER)
    assert (made.status_code, made.headers["location"]) == (201, OTHER)
    assert made.headers["etag"] == await tag_of(rsc, OTHER)
    problem(await put(rsc, OTHER, max_contracts=9), 428, "precondition_required")
    problem(await put(rsc, OTHER, '"stale"', max_contracts=9), 412, "stale")
    changed = await put(rsc, OTHER, made.headers["etag"], max_contracts=9)
    assert (changed.status_code, changed.json()["max_contracts"], changed.json()["version"]) == (200, 9, 2)
    problem(await put(rsc, OTHER, made.headers["etag"], max_contracts=8), 412, "stale")
    problem(await put(rsc, "/v1/suppliers/3320", '"any"'), 412, "stale")
    told = (await rsc.get(f"{OTHER}/events"))["data"]
    assert [each["type"] for each in told] == ["supplier.registered", "supplier.changed"]
    assert told[0]["data"]["changes"]["supplier"]["added"]["max_contracts"] == cast.CAPACITY["max_contracts"]
    assert told[1]["data"]["changes"] == {"supplier": {"changed": {"max_contracts": {"old": 3, "new": 9}}}}
    assert {each["subject_id"] for each in told} == {made.json()["id"]}


async def test_writing_the_same_again_changes_nothing(actors: Actors) -> None:
    before = await actors["mat"].ask("GET", STAR)
    again = await put(actors["mat"], STAR, before.headers["etag"])
    assert (again.status_code, again.json()) == (200, before.json())
    assert await kinds(actors["mat"], STAR) == ["supplier.registered"]


async def test_who_may_write_an_entry(seeded_world: World, actors: Actors) -> None:
    tag = await tag_of(actors["dfe"], STAR)
    other = await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST)
    same = await seeded_world.client(Kind.RESPONSIBLE_BODY, trust_uid=cast.SUPPLIER)
    for stranger in (other, same, actors["body"]):
        problem(await put(stranger, STAR, tag), 403, "not_your_move")
    problem(await put(actors["finance"], STAR, tag), 403, "insufficient_scope")
    assert (await put(other, OTHER)).status_code == 201
    for name, places in (("rsc", 4), ("dfe", 5), ("mat", 6)):
        answer = await put(actors[name], STAR, await tag_of(actors[name], STAR), max_contracts=places)
        assert (answer.status_code, answer.json()["max_contracts"]) == (200, places)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"max_contracts": -1}, "/max_contracts"),
        ({"max_contracts": "3"}, "/max_contracts"),
        ({"phases": []}, "/phases"),
        ({"phases": ["secondary", "secondary"]}, "/phases"),
        ({"phases": ["middle"]}, "/phases/0"),
        ({"interventions": [{"code": "a", "title": "A"}, {"code": "a", "title": "B"}]}, "/interventions"),
        ({"name": "Another name"}, "/name"),
        ({"status": "suspended"}, "/status"),
    ],
)
async def test_an_entry_that_makes_no_sense_is_refused(actors: Actors, changes: dict[str, Any], pointer: str) -> None:
    found = problem(await put(actors["rsc"], OTHER, **changes), 422, "invalid")
    assert pointer in {each["pointer"] for each in found["errors"]}
    problem(await actors["rsc"].ask("GET", OTHER), 404, "not_found")


async def test_only_an_open_multi_academy_trust_comes_onto_the_register(seeded_world: World, actors: Actors) -> None:
    problem(await put(actors["rsc"], "/v1/suppliers/999999"), 422, "unknown_trust")
    for status, kind in (("closed", "multi_academy_trust"), ("open", "single_academy_trust")):
        query = "SELECT uid FROM outcomes.trust WHERE status = %(status)s AND kind = %(kind)s LIMIT 1"
        ((uid,),) = seeded_world.rows(query, status=status, kind=kind)
        problem(await put(actors["rsc"], f"/v1/suppliers/{uid}"), 409, "unsuitable_party")


async def test_the_register_is_read_by_all_and_paged_and_filtered(seeded_world: World, actors: Actors) -> None:
    for uid, phases in ((cast.ANOTHER_TRUST, ["primary"]), ("3320", ["special", "16_plus"])):
        await actors["dfe"].register(uid, phases=phases)
    for name, actor in actors.items():
        found = (await actor.get("/v1/suppliers"))["data"]
        assert [each["uid"] for each in found] == sorted([cast.SUPPLIER, cast.ANOTHER_TRUST, "3320"]), name
    body = actors["body"]
    first = await body.get("/v1/suppliers", limit=2)
    rest = await body.get("/v1/suppliers", limit=2, cursor=first["paging"]["next"])
    assert [each["uid"] for each in first["data"] + rest["data"]] == sorted([cast.SUPPLIER, cast.ANOTHER_TRUST, "3320"])
    assert [each["uid"] for each in (await body.get("/v1/suppliers", phase="16_plus"))["data"]] == ["3320"]
    assert [each["uid"] for each in (await body.get("/v1/suppliers", name="sTaR ac"))["data"]] == [cast.SUPPLIER]
    await actors["rsc"].change(STAR, "suspension", WHY)
    assert [each["uid"] for each in (await body.get("/v1/suppliers", status="suspended"))["data"]] == [cast.SUPPLIER]
    problem(await body.ask("GET", "/v1/suppliers", params={"phase": "middle"}), 422)
    problem(await body.ask("GET", "/v1/suppliers/999999"), 404, "not_found")


async def test_what_has_not_changed_is_not_sent_again(actors: Actors) -> None:
    tag = await tag_of(actors["body"], STAR)
    again = await actors["body"].ask("GET", STAR, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await actors["rsc"].change(STAR, "suspension", WHY)
    assert (await actors["body"].ask("GET", STAR, headers={"If-None-Match": tag})).status_code == 200


async def test_a_supplier_is_suspended_and_reinstated_for_reasons_that_are_kept(actors: Actors) -> None:
    rsc, dfe = actors["rsc"], actors["dfe"]
    problem(await rsc.ask("POST", f"{STAR}/suspension", json=WHY), 428, "precondition_required")
    problem(await rsc.ask("POST", f"{STAR}/suspension", json=WHY, headers={"If-Match": '"x"'}), 412, "stale")
    for name in ("mat", "body"):
        await actors[name].change(STAR, "suspension", WHY, 403)
    found = await rsc.change(STAR, "suspension", WHY)
    assert (found["status"], found["suspension"]) == ("suspended", WHY | {"since": "2023-06-20"})
    assert (await dfe.change(STAR, "suspension", WHY, 409))["code"] == "status_forbids"
    assert (await put(actors["mat"], STAR, await tag_of(rsc, STAR), max_contracts=1)).json()["status"] == "suspended"
    found = await dfe.change(STAR, "reinstatement", WHY)
    assert (found["status"], found["suspension"]) == ("registered", None)
    assert (await dfe.change(STAR, "reinstatement", WHY, 409))["allowed"] == ["suspend"]
    told = (await actors["body"].get(f"{STAR}/events"))["data"]
    assert [each["type"].removeprefix("supplier.") for each in told] == [
        "registered",
        "suspended",
        "changed",
        "reinstated",
    ]
    assert told[1]["data"]["changes"]["supplier"]["changed"]["suspension"]["new"]["reason"] == WHY["reason"]


async def test_matters_are_for_those_whom_they_concern(seeded_world: World, actors: Actors) -> None:
    rsc, mat = actors["rsc"], actors["mat"]
    made = await rsc.post(f"{STAR}/matters", CONCERN)
    assert (made["kind"], made["school_urn"], made["raised_by"]["organisation"]) == ("concern", None, "rsc-north-west")
    about = CONFLICT | {"school_urn": cast.SCHOOL}
    assert (await mat.post(f"{STAR}/matters", about))["school_urn"] == cast.SCHOOL
    problem(await mat.ask("POST", f"{STAR}/matters", json=CONCERN), 403, "not_your_move")
    for name in ("rsc", "dfe", "mat", "finance"):
        found = (await actors[name].get(f"{STAR}/matters"))["data"]
        assert [each["kind"] for each in found] == ["concern", "conflict"], name
        assert await kinds(actors[name], STAR) == ["supplier.registered", "matter.raised", "matter.raised"]
    other = await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST)
    for stranger in (other, actors["body"]):
        problem(await stranger.ask("GET", f"{STAR}/matters"), 404, "not_found")
        problem(await stranger.ask("POST", f"{STAR}/matters", json=CONFLICT), 404, "not_found")
        problem(await stranger.ask("GET", f"{STAR}/matters/{made['id']}"), 404, "not_found")
        path, read = f"{STAR}/matters/{made['id']}/resolution", {"If-Match": "*"}
        problem(await stranger.ask("POST", path, json=RESOLUTION, headers=read), 404, "not_found")
        assert await kinds(stranger, STAR) == ["supplier.registered"]


async def test_the_words_of_a_matter_stay_out_of_its_events(actors: Actors) -> None:
    made = await actors["rsc"].post(f"{STAR}/matters", CONCERN)
    await actors["dfe"].change(f"{STAR}/matters/{made['id']}", "resolution", RESOLUTION)
    told = (await actors["rsc"].get(f"{STAR}/events"))["data"][1:]
    assert [(each["type"], each["data"]["matter_id"]) for each in told] == [
        ("matter.raised", made["id"]),
        ("matter.resolved", made["id"]),
    ]
    assert CONCERN["details"] not in str(told)
    assert RESOLUTION["resolution"] not in str(told)


async def test_a_matter_is_resolved_once_by_those_who_keep_the_register(actors: Actors) -> None:
    made = await actors["mat"].post(f"{STAR}/matters", CONFLICT)
    matter = f"{STAR}/matters/{made['id']}"

    async def resolve(who: str, day: str = RESOLUTION["resolved_on"], uid: str = cast.SUPPLIER, tag: str = "*") -> Any:
        path, body = matter.replace(cast.SUPPLIER, uid) + "/resolution", RESOLUTION | {"resolved_on": day}
        return await actors[who].ask("POST", path, json=body, headers={"If-Match": tag} if tag else {})

    problem(await resolve("mat"), 403, "not_your_move")
    for day in ("2023-05-31", "2023-06-21"):
        problem(await resolve("rsc", day), 422, "bad_matter")
    problem(await resolve("rsc", tag=""), 428, "precondition_required")
    tag = (await actors["rsc"].ask("GET", matter)).headers["etag"]
    found = (await resolve("rsc", tag=tag)).json()
    assert (found["resolved_on"], found["resolution"]) == ("2023-06-19", RESOLUTION["resolution"])
    assert found["resolved_by"]["kind"] == "commissioner"
    problem(await resolve("dfe", tag=tag), 412, "stale")
    problem(await resolve("dfe"), 409, "status_forbids")
    problem(await resolve("dfe", uid="3320"), 404, "not_found")
    await actors["dfe"].register("3320")
    problem(await resolve("dfe", uid="3320"), 404, "not_found")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"school_urn": cast.SCHOOL}, 422, "invalid"),
        ({"kind": "conflict", "school_urn": cast.UNKNOWN_SCHOOL}, 422, "unknown_school"),
        ({"raised_on": "2023-06-21"}, 422, "bad_matter"),
        ({"details": " "}, 422, "invalid"),
        ({"kind": "rumour"}, 422, "invalid"),
    ],
)
async def test_a_matter_that_makes_no_sense_is_refused(
    actors: Actors, changes: dict[str, Any], status: int, code: str
) -> None:
    problem(await actors["rsc"].ask("POST", f"{STAR}/matters", json=CONCERN | changes), status, code)
    assert (await actors["rsc"].get(f"{STAR}/matters"))["data"] == []


async def test_a_matter_that_is_sent_twice_is_raised_once(actors: Actors) -> None:
    first, again = [await actors["rsc"].post(f"{STAR}/matters", CONCERN, key="the-same-key") for _ in range(2)]
    assert first == again
    assert len((await actors["rsc"].get(f"{STAR}/matters"))["data"]) == 1


async def test_no_matter_stands_against_a_trust_that_is_not_there(actors: Actors) -> None:
    problem(await actors["rsc"].ask("POST", f"{OTHER}/matters", json=CONCERN), 404, "not_found")
    problem(await actors["rsc"].ask("GET", f"{OTHER}/matters"), 404, "not_found")
    problem(await actors["rsc"].ask("GET", f"{OTHER}/events"), 404, "not_found")


async def test_the_track_record_follows_final_verdicts(case: Case) -> None:
    found = await case["body"].get(STAR)
    record, evidence = found["track_record"], found["interventions"][0]["evidence"]
    counted = {name: record[name] for name in ("contracts", "met", "partly_met", "not_met", "running")}
    assert counted == {"contracts": 1, "met": 1, "partly_met": 0, "not_met": 0, "running": 0}
    assert record["prior"] == {"mean": 0.75, "strength": 4.0}
    assert record["estimate"] == 0.8
    assert record["low"] < 0.8 < record["high"]
    assert record["interval"] == 0.9
    assert evidence == record
    await case["dfe"].register(cast.ANOTHER_TRUST)
    other = (await case["body"].get(OTHER))["track_record"]
    assert (other["contracts"], other["estimate"]) == (0, 0.75)


@pytest.mark.parametrize(
    ("evaluation", "expected"),
    [
        ("NULL", {"running": 0, "met": 0}),
        ('evaluation || \'{"run": "interim"}\'', {"running": 0, "met": 0}),
        ('evaluation || \'{"overall": "partly_met"}\'', {"partly_met": 1, "estimate": (0.5 * 4 + 0.5) / 5}),
        ('evaluation || \'{"overall": "not_met"}\'', {"not_met": 1, "estimate": 0.25 * 4 / 5}),
        ('evaluation || \'{"overall": "not_measurable"}\'', {"not_measurable": 1, "estimate": 0.5}),
    ],
)
async def test_only_final_verdicts_count_and_what_is_not_measurable_counts_for_nothing(
    case: Case, evaluation: str, expected: dict[str, float]
) -> None:
    tag = await tag_of(case["mat"], STAR)
    change(case.world.database_url, f"UPDATE contracts.contract SET evaluation = {evaluation}")
    found = await case["mat"].get(STAR)
    assert {name: found["track_record"][name] for name in expected} == pytest.approx(expected)
    assert found["track_record"]["contracts"] == 1
    assert await tag_of(case["mat"], STAR) != tag
    change(case.world.database_url, "UPDATE contracts.contract SET status = 'active', evaluation = NULL")
    assert (await case["mat"].get(STAR))["track_record"]["running"] == 1


async def test_events_of_the_register_do_not_stop_the_gateway_from_following_contracts(
    seeded_world: World, actors: Actors
) -> None:
    await actors["rsc"].post(f"{STAR}/matters", CONCERN)
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    await seeded_world.settle()
    assert not await seeded_world.more()
    assert seeded_world.rows("SELECT count(*) FROM gateway.job WHERE last_error IS NOT NULL") == [(0,)]
    followed = seeded_world.rows("SELECT contract_id::text FROM gateway.contract_ref")
    assert followed == [(made["id"],)]
