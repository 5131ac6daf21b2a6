"""A request that is sent twice takes effect once, and nobody overwrites what they have not read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.demo import cast
from services.kernel.idempotency import KEPT_HOURS
from services.kernel.types import Kind, utc_now
from tests.integration.conftest import active_contract, problem
from tests.integration.scenes import Case
from tests.world import Actor, Json, World, change, world_on

KEY = "0190-a-key-of-the-client"
CSV = b"URN,LA,PERCTOT,PPERSABS10\n100052,202,8.2,24.0\n"


@dataclass(frozen=True)
class Create:
    """Something that is created under a key: who asks, with which bodies, and what counts the effects."""

    who: str
    path: str
    body: Json
    other: Json
    counted: str


CREATES = {
    "a contract": Create(
        "rsc",
        "/v1/contracts",
        cast.CONTRACT | {"term": {"starts_on": "2030-09-01", "ends_on": "2031-08-31"}, "milestones": []},
        cast.CONTRACT | {"title": "Another title"},
        "contracts.contract",
    ),
    "a milestone record": Create(
        "mat",
        "{contract}/milestones/M1/records",
        {"status": "not_met", "occurred_on": "2024-01-02"},
        {"status": "met", "occurred_on": "2024-01-02"},
        "gateway.milestone_record",
    ),
    "an evaluation": Create(
        "rsc",
        "{contract}/evaluations",
        {"academic_year": cast.YEAR, "run": "interim"},
        {"academic_year": "2022/23", "run": "interim"},
        "outcomes.evaluation",
    ),
    "a client": Create(
        "dfe",
        "/v1/clients",
        {"name": "a MAT", "kind": "supplier", "trust_uid": cast.SUPPLIER, "scopes": ["contracts:read"]},
        {"name": "a MAT", "kind": "supplier", "trust_uid": cast.OUTGOING, "scopes": ["contracts:read"]},
        "gateway.client",
    ),
    "an API key": Create(
        "dfe",
        "/v1/api-keys",
        {"trust_uid": cast.OUTGOING, "scopes": ["contracts:read"]},
        {"trust_uid": cast.OUTGOING, "scopes": ["finance:read"]},
        "gateway.api_key",
    ),
}
every_create = pytest.mark.parametrize("create", CREATES.values(), ids=CREATES)


def count(world: World, table: str) -> int:
    """How many rows a table has."""
    return int(world.rows(f"SELECT count(*) FROM {table}")[0][0])


def without_secrets(body: Json) -> Json:
    """An answer less what is shown once only."""
    return {name: value for name, value in body.items() if name not in {"key", "client_secret"}}


async def send(case: Case, create: Create, *, body: Json = None, key: str = KEY) -> Any:
    """Ask for it, under a key."""
    path = create.path.format(contract=case.contract)
    return await case[create.who].ask("POST", path, json=body or create.body, key=key)


@every_create
async def test_the_same_request_again_is_answered_again_and_not_carried_out_again(case: Case, create: Create) -> None:
    before = count(case.world, create.counted)
    first = await send(case, create)
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers
    again = await send(case, create)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == without_secrets(first.json())
    if again.json() == first.json():
        assert [again.headers.get(name) for name in ("location", "etag")] == [
            first.headers.get(name) for name in ("location", "etag")
        ]
    assert count(case.world, create.counted) == before + 1


@every_create
async def test_the_same_key_with_another_body_is_refused_and_has_no_effect(case: Case, create: Create) -> None:
    assert (await send(case, create)).status_code == 201
    before = count(case.world, create.counted)
    problem(await send(case, create, body=create.other), 422, "idempotency_key_reused")
    assert count(case.world, create.counted) == before


async def test_a_create_without_a_proper_key_is_refused(case: Case, subtests: pytest.Subtests) -> None:
    for create in (CREATES["a contract"], CREATES["a milestone record"]):
        before = count(case.world, create.counted)
        path = create.path.format(contract=case.contract)
        for key in (None, "", "short", "k" * 101, "four words and a dot", "señal-de-cliente"):
            with subtests.test(path=create.path, key=key):
                own: Json = {} if key is None else {"Idempotency-Key": key.encode("latin-1")}
                answer = await case.world.http.post(path, headers=case[create.who].headers | own, json=create.body)
                problem(answer, 400, "bad_request")
        assert count(case.world, create.counted) == before


@every_create
async def test_of_five_at_once_under_one_key_one_takes_effect(case: Case, create: Create) -> None:
    before = count(case.world, create.counted)
    answers = await asyncio.gather(*(send(case, create) for _ in range(5)))
    assert {each.status_code for each in answers} <= {201, 409}, [each.text for each in answers]
    made = [each.json() for each in answers if each.status_code == 201]
    assert {str(without_secrets(each)) for each in made} == {str(without_secrets(made[0]))}
    for each in answers:
        if each.status_code == 409:
            problem(each, 409, "idempotency_key_in_use")
    assert count(case.world, create.counted) == before + 1
    assert (await send(case, create)).json() == without_secrets(made[0])


async def test_a_key_belongs_to_its_caller_and_its_path(seeded_world: World) -> None:
    actors = await seeded_world.cast()
    path = await active_contract(seeded_world, actors)
    body = {"status": "met", "occurred_on": "2023-09-01"}
    found = set()
    for name in ("mat", "rsc"):
        for code in ("M1", "M2"):
            answer = await actors[name].ask("POST", f"{path}/milestones/{code}/records", json=body, key=KEY)
            assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (201, None)
            found.add(answer.json()["id"])
    assert len(found) == 4


async def test_a_request_that_was_refused_does_not_use_its_key_up(case: Case) -> None:
    create = CREATES["a milestone record"]
    problem(await send(case, create, body={"status": "met", "occurred_on": "2999-01-01"}), 422, "future_date")
    assert (await send(case, create)).status_code == 201


async def test_the_same_file_under_the_same_key_is_received_once(world: World) -> None:
    dfe = await world.client(Kind.DFE)
    form = {"feed": "absence", "academic_year": "2022/23", "release_status": "final", "published_on": "2024-03-21"}

    async def send_file(content: bytes) -> Any:
        return await dfe.ask("POST", "/v1/releases", key=KEY, data=form, files={"file": ("a.csv", content)})

    answers = await asyncio.gather(*(send_file(CSV) for _ in range(5)))
    assert {each.status_code for each in answers} <= {202, 409}
    again = await send_file(CSV)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    assert {each.headers["location"] for each in (*answers, again) if each.status_code == 202} == {
        again.headers["location"]
    }
    problem(await send_file(CSV + b"100055,202,7.1,20.8\n"), 422, "idempotency_key_reused")
    assert count(world, "outcomes.release") == 1


MOVES: dict[str, Callable[[Case], tuple[Actor, str, str, Json]]] = {
    "a contract": lambda case: (case["rsc"], case.contract, "/termination", {"ground": "breach", "reason": "x"}),
    "a transfer": lambda case: (
        case["rsc"],
        case.transfer,
        "/consents",
        {"by": "rsc", "decision": "approved", "decided_on": "2025-03-21"},
    ),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
async def test_a_change_names_the_version_that_was_read(case: Case, move: Callable[[Case], Any]) -> None:
    actor, path, action, body = move(case)
    before = await actor.get(path)
    problem(await actor.ask("POST", path + action, json=body), 428, "precondition_required")
    for tag in ('"stale"', '"1"', before["created_at"]):
        answer = await actor.ask("POST", path + action, json=body, headers={"If-Match": tag})
        assert problem(answer, 412, "stale")["etag"] == (await actor.ask("GET", path)).headers["etag"]
    assert await actor.get(path) == before


async def test_the_version_before_the_last_change_is_stale(case: Case) -> None:
    old = (await case["rsc"].ask("GET", case.transfer)).headers["etag"]
    body = {"by": "rsc", "decision": "approved", "decided_on": "2025-03-21"}
    answers = await asyncio.gather(
        *(case["rsc"].ask("POST", f"{case.transfer}/consents", json=body, headers={"If-Match": old}) for _ in range(5))
    )
    assert sorted(each.status_code for each in answers) == [201, 412, 412, 412, 412]
    assert count(case.world, "gateway.consent") == 1
    assert [each.headers["etag"] for each in answers if each.status_code == 201] == [
        (await case["rsc"].ask("GET", case.transfer)).headers["etag"]
    ]


async def test_of_five_offers_of_one_draft_one_is_made(seeded_world: World) -> None:
    rsc = (await seeded_world.cast())["rsc"]
    made = await rsc.ask("POST", "/v1/contracts", json=cast.CONTRACT)
    path, tag = made.headers["location"], made.headers["etag"]
    answers = await asyncio.gather(*(rsc.ask("POST", f"{path}/offer", headers={"If-Match": tag}) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [200, 412, 412, 412, 412]
    assert count(seeded_world, "contracts.event WHERE type = 'contract.offered'") == 1
    unchanged = await rsc.ask("PATCH", path, json={"title": "late"}, headers={"If-Match": tag})
    problem(unchanged, 412, "stale")


async def test_a_version_that_was_read_before_is_not_sent_again(case: Case) -> None:
    for path in (case.contract, case.transfer):
        tag = (await case["rsc"].ask("GET", path)).headers["etag"]
        again = await case["rsc"].ask("GET", path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


async def test_two_replicas_carry_one_request_out_once(case: Case, keys_dir: Path) -> None:
    create = CREATES["a milestone record"]
    before = count(case.world, create.counted)
    async with world_on(case.world.database_url, keys_dir) as other:
        there = Actor(other.http, case[create.who].headers)
        path = create.path.format(contract=case.contract)
        answers = await asyncio.gather(
            *(
                actor.ask("POST", path, json=create.body, key=KEY)
                for _ in range(6)
                for actor in (case[create.who], there)
            )
        )
        assert {each.status_code for each in answers} <= {201, 409}
        again = await there.ask("POST", path, json=create.body, key=KEY)
    assert again.headers["idempotent-replayed"] == "true"
    assert {each.json()["id"] for each in answers if each.status_code == 201} <= {again.json()["id"]}
    assert count(case.world, create.counted) == before + 1


async def test_an_answer_is_forgotten_after_its_time_and_never_before(case: Case) -> None:
    create, table = CREATES["a milestone record"], "gateway.idempotency_key"
    first = (await send(case, create)).json()
    change(case.world.database_url, f"UPDATE {table} SET created_at = now() - interval '{KEPT_HOURS - 1} hours'")
    assert (await send(case, create)).json() == first
    change(case.world.database_url, f"UPDATE {table} SET created_at = now() - interval '{KEPT_HOURS + 1} hours'")
    later = await send(case, create)
    assert (later.status_code, later.headers.get("idempotent-replayed")) == (201, None)
    assert later.json()["id"] != first["id"]
    for service in ("contracts", "outcomes", "gateway"):
        old, young = f"old-{service}", f"young-{service}"
        made = "(VALUES (%(old)s, interval '49 hours'), (%(young)s, '47 hours')) AS made (key, age)"
        change(
            case.world.database_url,
            f"INSERT INTO {service}.idempotency_key (key, client_id, fingerprint, status, body, headers, created_at)"
            f" SELECT key, 'somebody', '', 200, '{{}}', '{{}}', now() - age FROM {made}",
            old=old,
            young=young,
        )
        worker = next(each for each in case.world.system.workers if getattr(each, "name", "") == f"{service}.job")
        await worker.handlers["forget"](case.world.database(service), service, utc_now())
        kept = f"SELECT key FROM {service}.idempotency_key WHERE created_at < now() - interval '46 hours'"
        assert case.world.rows(kept) == [(young,)]
