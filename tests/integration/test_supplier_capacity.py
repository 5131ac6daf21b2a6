"""No supplier takes on more than it has declared, whoever signs last and however many sign at once."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.demo import cast
from services.kernel.types import Kind
from tests.integration.conftest import problem, signature, to
from tests.integration.scenes import DAY_AFTER_LAST, Actors
from tests.world import Actor, Json, World, at, change, clone, drop, world_on

STAR = f"/v1/suppliers/{cast.SUPPLIER}"
WHY = {"reason": "as the board decided"}
CONCERN = {"kind": "concern", "details": "Its accounts are late.", "raised_on": "2023-06-01"}
PARTIES = ("commissioner", "responsible_body", "supplier")
SCHOOLS = (
    "SELECT e.urn::text, e.pupils FROM outcomes.establishment e WHERE e.region = %(region)s AND e.status = 'open'"
    " AND e.pupils BETWEEN 500 AND 1500 AND NOT EXISTS (SELECT FROM outcomes.membership m WHERE m.urn = e.urn"
    " AND m.left_on IS NULL AND m.trust_uid = %(uid)s) ORDER BY e.urn LIMIT %(count)s"
)


def schools(world: World, count: int) -> list[tuple[str, int]]:
    """URN and pupils of schools in the region that are not the supplier's own."""
    return [(urn, pupils) for urn, pupils in world.rows(SCHOOLS, region=cast.REGION, uid=cast.SUPPLIER, count=count)]


async def with_body(world: World, actors: Actors, count: int) -> tuple[dict[str, Actor], list[tuple[str, int]]]:
    """Who signs for each party in contracts about several schools, and the schools."""
    found = schools(world, count)
    body = await world.client(Kind.RESPONSIBLE_BODY, urns=[urn for urn, _ in found])
    return {"commissioner": actors["rsc"], "supplier": actors["mat"], "responsible_body": body}, found


async def drafted(actor: Actor, urn: str, **changes: Json) -> str:
    """The path of a draft about a school."""
    made = await actor.post("/v1/contracts", cast.CONTRACT | {"school_urn": urn} | changes)
    return f"/v1/contracts/{made['id']}"


async def sign(signers: dict[str, Actor], path: str, party: str) -> Any:
    """Ask to sign for a party, for the present version."""
    tag = (await signers[party].ask("GET", path)).headers.get("etag", '"none"')
    return await signers[party].ask("POST", f"{path}/signatures", json=signature(party), headers={"If-Match": tag})


async def offered(signers: dict[str, Actor], urn: str, *parties: str, **changes: Json) -> str:
    """The path of an offer that these parties have signed."""
    path = await drafted(signers["commissioner"], urn, **changes)
    await signers["commissioner"].change(path, "offer")
    for party in parties:
        answer = await sign(signers, path, party)
        assert answer.status_code == 201, answer.text
    return path


def committed(world: World) -> list[tuple[date, date, int]]:
    """Terms, to the latest possible end, and pupils of all contracts that take capacity, as the owner sees them."""
    found = world.rows(
        "SELECT starts_on, latest_ends_on, pupils FROM contracts.contract WHERE committed_at IS NOT NULL"
        " AND status IN ('offered', 'agreed', 'active', 'suspended')"
    )
    return [(first, last, pupils) for first, last, pupils in found]


def fullest(held: list[tuple[date, date, int]]) -> tuple[int, int]:
    """Most contracts and most pupils on any one day, by looking at each."""
    every = [date(2023, 6, 1) + timedelta(days=number) for number in range(4 * 366)]
    busy = [[pupils for first, last, pupils in held if first <= day <= last] for day in every]
    return max(len(each) for each in busy), max(sum(each) for each in busy)


@pytest.mark.parametrize("last", PARTIES)
@pytest.mark.parametrize("count", [2, 8])
async def test_of_several_last_signatures_at_once_one_passes_where_there_is_room_for_one(
    seeded_world: World, actors: Actors, count: int, last: str
) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, found = await with_body(seeded_world, actors, count)
    before = [party for party in PARTIES if party not in {last, "supplier"}]
    paths = [await offered(signers, urn, *before) for urn, _ in found]
    parties = ("supplier",) if last == "supplier" else ("supplier", last)
    for party in parties[:-1]:
        answers = await asyncio.gather(*(sign(signers, path, party) for path in paths))
        assert sorted(each.status_code for each in answers) == [201] + [409] * (count - 1)
    answers = await asyncio.gather(*(sign(signers, path, last) for path in paths))
    assert sorted(each.status_code for each in answers) == [201] + [409] * (count - 1)
    for each in answers:
        if each.status_code == 409:
            refusal = problem(each, 409, "capacity_exceeded")
            assert (refusal["contracts_committed"], refusal["max_contracts"]) == (1, 1)
    assert len(committed(seeded_world)) == 1
    statuses = seeded_world.rows("SELECT status, count(*)::int FROM contracts.contract GROUP BY 1 ORDER BY 1")
    assert statuses == [("agreed", 1), ("offered", count - 1)]


async def test_an_offer_beyond_the_capacity_is_refused_with_its_figures(seeded_world: World, actors: Actors) -> None:
    signers, ((one, pupils), (other, others)) = await with_body(seeded_world, actors, 2)
    await actors["mat"].register(cast.SUPPLIER, max_pupils=pupils + others - 1)
    await offered(signers, one, "supplier")
    path = await drafted(actors["rsc"], other)
    found = await actors["rsc"].change(path, "offer", None, 409)
    assert found["code"] == "capacity_exceeded"
    assert (found["pupils_committed"], found["pupils"], found["max_pupils"]) == (pupils, others, pupils + others - 1)
    await actors["mat"].register(cast.SUPPLIER, max_pupils=pupils + others)
    assert (await actors["rsc"].change(path, "offer"))["status"] == "offered"


async def test_an_offer_that_the_supplier_has_not_signed_takes_nothing(seeded_world: World, actors: Actors) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, found = await with_body(seeded_world, actors, 3)
    paths = [await offered(signers, urn, "commissioner", "responsible_body") for urn, _ in found]
    assert (await sign(signers, paths[0], "supplier")).json()["status"] == "agreed"
    for path in paths[1:]:
        problem(await sign(signers, path, "supplier"), 409, "capacity_exceeded")


@pytest.mark.parametrize("move", ["cancellation", "offer-withdrawal", "refusal"])
async def test_what_comes_to_nothing_gives_its_place_back(seeded_world: World, actors: Actors, move: str) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, ((one, _), (other, _)) = await with_body(seeded_world, actors, 2)
    first, second = await offered(signers, one), await offered(signers, other)
    assert (await sign(signers, first, "supplier")).status_code == 201
    problem(await sign(signers, second, "supplier"), 409, "capacity_exceeded")
    await (actors["mat"] if move == "refusal" else actors["rsc"]).change(first, move, WHY)
    assert (await sign(signers, second, "supplier")).status_code == 201
    if move == "offer-withdrawal":
        assert (await actors["rsc"].change(first, "offer", None, 409))["code"] == "capacity_exceeded"


async def test_a_contract_that_has_ended_gives_its_place_back(
    seeded_world: World, actors: Actors, completed: str
) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, found = await with_body(seeded_world, actors, 1)
    term = {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}
    await to(seeded_world, DAY_AFTER_LAST)
    assert await offered(signers, found[0][0], *PARTIES, term=term, milestones=[])


async def test_contracts_one_after_the_other_need_one_place(seeded_world: World, actors: Actors) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, ((one, _), (other, _)) = await with_body(seeded_world, actors, 2)
    await offered(signers, one, "supplier")
    path = await drafted(actors["rsc"], other, term={"starts_on": "2024-08-31", "ends_on": "2025-08-30"}, milestones=[])
    assert (await actors["rsc"].change(path, "offer", None, 409))["code"] == "capacity_exceeded"
    after = {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}
    tag = (await actors["rsc"].ask("GET", path)).headers["etag"]
    answer = await actors["rsc"].ask(
        "PATCH", path, json={"term": after | {"notice_days": 90}}, headers={"If-Match": tag}
    )
    assert answer.status_code == 200, answer.text
    assert (await actors["rsc"].change(path, "offer"))["status"] == "offered"


async def test_room_is_kept_up_to_the_latest_possible_end(seeded_world: World, actors: Actors) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, ((one, _), (other, _)) = await with_body(seeded_world, actors, 2)
    long = cast.CONTRACT["term"] | {"latest_ends_on": "2025-08-31"}
    await offered(signers, one, "supplier", term=long)
    next_year = {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}
    path = await drafted(actors["rsc"], other, term=next_year, milestones=[])
    assert (await actors["rsc"].change(path, "offer", None, 409))["code"] == "capacity_exceeded"


async def test_a_notice_gives_the_rest_of_the_term_back(seeded_world: World, actors: Actors) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=1)
    signers, ((one, _), (other, _)) = await with_body(seeded_world, actors, 2)
    path = await offered(signers, one, *PARTIES, term={"starts_on": "2023-09-01", "ends_on": "2025-08-31"})
    next_year = {"starts_on": "2024-09-01", "ends_on": "2025-08-31"}
    waiting = await drafted(actors["rsc"], other, term=next_year, milestones=[])
    assert (await actors["rsc"].change(waiting, "offer", None, 409))["code"] == "capacity_exceeded"
    notice = {**WHY, "ground": "convenience", "ends_on": "2024-08-31"}
    assert (await actors["rsc"].change(path, "termination", notice))["status"] == "agreed"
    assert (await actors["rsc"].change(waiting, "offer"))["status"] == "offered"


async def test_pupils_that_nobody_knows_are_never_none(seeded_world: World, actors: Actors) -> None:
    forget = "UPDATE outcomes.establishment SET pupils = NULL WHERE urn = %(urn)s"
    change(seeded_world.database_url, forget, urn=int(cast.SCHOOL))
    path = await drafted(actors["rsc"], cast.SCHOOL)
    assert (await actors["rsc"].change(path, "offer", None, 409))["code"] == "pupils_unknown"


async def test_pupils_once_known_stay_known(seeded_world: World, actors: Actors) -> None:
    path = await drafted(actors["rsc"], cast.SCHOOL)
    await actors["rsc"].change(path, "offer")
    forget = "UPDATE outcomes.establishment SET pupils = NULL WHERE urn = %(urn)s"
    change(seeded_world.database_url, forget, urn=int(cast.SCHOOL))
    signers = {"commissioner": actors["rsc"], "supplier": actors["mat"], "responsible_body": actors["body"]}
    for party in PARTIES:
        assert (await sign(signers, path, party)).status_code == 201
    assert [pupils for _, _, pupils in committed(seeded_world)] == [936]


async def test_a_trust_that_is_not_on_the_register_is_offered_nothing(actors: Actors) -> None:
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT | {"supplier_uid": cast.ANOTHER_TRUST})
    path = f"/v1/contracts/{made['id']}"
    found = await actors["rsc"].change(path, "offer", None, 409)
    assert (found["code"], found["supplier_uid"]) == ("supplier_not_registered", cast.ANOTHER_TRUST)
    await actors["rsc"].register(cast.ANOTHER_TRUST)
    assert (await actors["rsc"].change(path, "offer"))["status"] == "offered"


@pytest.mark.parametrize("committed_first", [False, True], ids=["before it signed", "after it signed"])
async def test_a_suspended_supplier_is_offered_nothing_and_nobody_signs(actors: Actors, committed_first: bool) -> None:
    signers = {"commissioner": actors["rsc"], "supplier": actors["mat"], "responsible_body": actors["body"]}
    path = await offered(signers, cast.SCHOOL, *(["supplier"] if committed_first else []))
    await actors["dfe"].change(STAR, "suspension", WHY)
    for party in PARTIES if not committed_first else PARTIES[:-1]:
        found = problem(await sign(signers, path, party), 409, "supplier_suspended")
        assert found["since"] == "2023-06-20"
    await actors["dfe"].change(STAR, "reinstatement", WHY)
    assert (await sign(signers, path, "responsible_body")).status_code == 201


@pytest.mark.parametrize("committed_first", [False, True], ids=["before it signed", "after it signed"])
async def test_a_live_concern_stops_every_signature_also_of_those_who_do_not_see_it(
    actors: Actors, committed_first: bool
) -> None:
    signers = {"commissioner": actors["rsc"], "supplier": actors["mat"], "responsible_body": actors["body"]}
    path = await offered(signers, cast.SCHOOL, *(["supplier"] if committed_first else []))
    made = await actors["dfe"].post(f"{STAR}/matters", CONCERN)
    problem(await sign(signers, path, "commissioner"), 409, "live_concern")
    hidden = problem(await sign(signers, path, "responsible_body"), 409, "supplier_not_available")
    assert "concern" not in hidden["detail"]
    draft = await drafted(
        actors["rsc"], cast.SCHOOL, term={"starts_on": "2024-09-01", "ends_on": "2025-08-31"}, milestones=[]
    )
    assert (await actors["rsc"].change(draft, "offer", None, 409))["code"] == "live_concern"
    resolution = {"resolution": "The accounts are in.", "resolved_on": "2023-06-20"}
    await actors["rsc"].change(f"{STAR}/matters/{made['id']}", "resolution", resolution)
    for party in PARTIES if not committed_first else PARTIES[:-1]:
        assert (await sign(signers, path, party)).status_code == 201


@pytest.mark.parametrize(("about", "stops"), [(None, True), (cast.SCHOOL, True), (cast.SUPPLIERS_OWN_SCHOOL, False)])
async def test_a_conflict_of_interest_stops_contracts_about_its_school_or_all(
    actors: Actors, about: str | None, stops: bool
) -> None:
    conflict = {"kind": "conflict", "details": "A trustee is a governor.", "raised_on": "2023-06-01"}
    await actors["mat"].post(f"{STAR}/matters", conflict | ({"school_urn": about} if about else {}))
    path = await drafted(actors["rsc"], cast.SCHOOL)
    answer = await actors["rsc"].change(path, "offer", None, 409 if stops else 200)
    assert answer.get("code") == ("conflict_of_interest" if stops else None)


async def test_a_conflict_about_an_earlier_urn_of_the_school_counts(seeded_world: World, actors: Actors) -> None:
    conflict = {"kind": "conflict", "details": "A trustee was a governor.", "raised_on": "2023-06-01"}
    await actors["mat"].post(f"{STAR}/matters", conflict | {"school_urn": cast.CLOSED_SCHOOL})
    path = await drafted(actors["rsc"], cast.SCHOOL)
    earlier = f'[{{"scheme": "urn", "value": "{cast.CLOSED_SCHOOL}", "valid_from": null, "valid_to": null}}]'
    change(seeded_world.database_url, "UPDATE contracts.contract SET identifiers = %(urns)s::jsonb", urns=earlier)
    assert (await actors["rsc"].change(path, "offer", None, 409))["code"] == "conflict_of_interest"


async def test_less_capacity_than_is_in_use_ends_nothing_and_lets_nothing_in(
    seeded_world: World, actors: Actors, agreed: str
) -> None:
    await actors["mat"].register(cast.SUPPLIER, max_contracts=0, max_pupils=0)
    assert (await actors["rsc"].get(agreed))["status"] == "agreed"
    signers, found = await with_body(seeded_world, actors, 1)
    draft = await drafted(signers["commissioner"], found[0][0])
    refusal = await actors["rsc"].change(draft, "offer", None, 409)
    assert (refusal["code"], refusal["contracts_committed"], refusal["max_contracts"]) == ("capacity_exceeded", 1, 0)


@dataclass(frozen=True)
class Stage:
    """Drafts about different schools over terms that overlap in part, and who acts on them."""

    loop: asyncio.AbstractEventLoop
    world: World
    signers: dict[str, Actor]
    paths: list[str]
    room: tuple[int, int]


TERMS = (
    {"starts_on": "2023-09-01", "ends_on": "2024-08-31"},
    {"starts_on": "2024-03-01", "ends_on": "2025-02-28"},
    {"starts_on": "2024-09-01", "ends_on": "2025-08-31"},
    {"starts_on": "2023-09-01", "ends_on": "2024-02-29", "latest_ends_on": "2024-08-31"},
)
MOVES = ("offer", "offer-withdrawal", "cancellation", "refusal", *PARTIES)
BACK = (
    "DELETE FROM contracts.signature",
    "DELETE FROM contracts.payment",
    "UPDATE contracts.contract SET status = 'draft', agreed_hash = NULL, offer = NULL, committed_at = NULL",
)


@pytest.fixture(scope="module")
def stage(owner_url: str, seeded: str, keys_dir: Path) -> Iterator[Stage]:
    """Four drafts on a database of its own, in a loop of its own: the same for every example."""
    url, loop, stack = clone(owner_url, seeded), asyncio.new_event_loop(), AsyncExitStack()

    async def build() -> Stage:
        world = await stack.enter_async_context(world_on(url, keys_dir))
        actors = await world.cast()
        signers, found = await with_body(world, actors, len(TERMS))
        room = (2, found[0][1] + found[1][1])
        await actors["mat"].register(cast.SUPPLIER, max_contracts=room[0], max_pupils=room[1])
        paths = [
            await drafted(actors["rsc"], urn, term=term, milestones=[])
            for (urn, _), term in zip(found, TERMS, strict=True)
        ]
        return Stage(loop, world, signers, paths, room)

    with at("2023-06-20T09:00:00"):
        yield loop.run_until_complete(build())
        loop.run_until_complete(stack.aclose())
    loop.close()
    drop(owner_url, url)


async def act(stage: Stage, move: str, path: str) -> int:
    """Make a move as the party that may make it; gives the status of the answer."""
    if move in PARTIES:
        return int((await sign(stage.signers, path, move)).status_code)
    actor = stage.signers["supplier" if move == "refusal" else "commissioner"]
    found = await actor.ask("GET", path)
    tag = {"If-Match": found.headers.get("etag", '"none"')}
    answer = await actor.ask("POST", f"{path}/{move}", json=None if move == "offer" else WHY, headers=tag)
    return answer.status_code


async def play(stage: Stage, steps: list[tuple[str, int]]) -> None:
    """Make these moves from the start, and look at every day after each."""
    for statement in BACK:
        change(stage.world.database_url, f"SET session_replication_role = replica; {statement}")
    for move, number in steps:
        assert await act(stage, move, stage.paths[number]) in {200, 201, 404, 409}
        contracts, pupils = fullest(committed(stage.world))
        assert contracts <= stage.room[0]
        assert pupils <= stage.room[1]


moves = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, len(TERMS) - 1)), min_size=4, max_size=14)
SMALL = settings(
    max_examples=10, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@SMALL
@given(moves, st.permutations(range(len(TERMS))))
def test_no_sequence_of_moves_exceeds_the_capacity_on_any_day(
    stage: Stage, steps: list[tuple[str, int]], order: list[int]
) -> None:
    start = [(move, number) for number in order for move in ("offer", "supplier")]
    stage.loop.run_until_complete(play(stage, [*start[: len(steps)], *steps, *start]))
    assert committed(stage.world), "nothing was let in, so nothing was tested"
