"""What the gateway keeps of a service's answers is told to nobody else, and never after it has changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from services.demo import cast
from services.gateway.kept import Kept
from services.kernel.types import Kind
from tests.integration.conftest import problem
from tests.integration.scenes import Actors
from tests.world import Actor, World, change

FRESH = {"If-None-Match": '"another"'}
"""Who names a version that is not kept here is answered by the service itself."""


@pytest.fixture
async def actors(seeded_world: World) -> Actors:
    """The parties of a contract."""
    return await seeded_world.cast()


@pytest.fixture
async def path(actors: Actors) -> str:
    """A contract that nobody has read."""
    made = await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    return f"/v1/contracts/{made['id']}"


@contextmanager
def asked_of(world: World, service: str) -> Iterator[list[str]]:
    """The statements that a service sends to its database meanwhile, less those that bound a transaction."""
    engine, said = world.database(service).engine.sync_engine, list[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:
            said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


async def read(actor: Actor, path: str, **headers: str) -> Any:
    """The whole answer to a GET."""
    return await actor.ask("GET", path, headers=headers)


async def test_a_contract_that_was_read_is_told_again_for_one_statement(
    seeded_world: World, actors: Actors, path: str
) -> None:
    with asked_of(seeded_world, "contracts") as said:
        first = await read(actors["rsc"], path)
    assert len(said) == 5
    with asked_of(seeded_world, "contracts") as said:
        again = await read(actors["rsc"], path)
    assert len(said) == 1
    assert (again.status_code, again.content) == (200, first.content)
    own = {"x-request-id", "ratelimit"}
    assert [each for each in again.headers.items() if each[0] not in own] == [
        each for each in first.headers.items() if each[0] not in own
    ]
    assert again.headers["cache-control"] == "private, no-cache"


async def test_who_has_a_contract_already_costs_one_statement(seeded_world: World, actors: Actors, path: str) -> None:
    tag = (await read(actors["rsc"], path)).headers["etag"]
    with asked_of(seeded_world, "contracts") as said:
        again = await read(actors["rsc"], path, **{"If-None-Match": tag})
    assert len(said) == 1
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "private, no-cache"


async def test_what_has_changed_is_told(actors: Actors, path: str) -> None:
    before = (await read(actors["rsc"], path)).json()
    await actors["rsc"].change(path, "offer")
    after = (await read(actors["rsc"], path)).json()
    assert (before["status"], after["status"]) == ("draft", "offered")
    assert (await read(actors["rsc"], path, **FRESH)).json() == after


async def test_nobody_is_told_what_was_kept_for_another(seeded_world: World, actors: Actors, path: str) -> None:
    await read(actors["rsc"], path)
    stranger = await seeded_world.client(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST)
    problem(await read(stranger, path), 404, "not_found")
    problem(await read(Actor(seeded_world.http, {}), path), 401, "invalid_token")


async def test_who_may_not_read_any_more_is_told_nothing(seeded_world: World, actors: Actors, path: str) -> None:
    await read(actors["rsc"], path)
    change(seeded_world.database_url, "UPDATE gateway.client SET regions = '[\"London\"]' WHERE kind = 'commissioner'")
    problem(await read(actors["rsc"], path), 404, "not_found")
    change(seeded_world.database_url, "UPDATE gateway.client SET scopes = '[]' WHERE kind = 'commissioner'")
    problem(await read(actors["rsc"], path), 403, "insufficient_scope")


async def test_a_contract_that_is_there_no_more_is_not_told(seeded_world: World, actors: Actors, path: str) -> None:
    """As after a restore of the database to a moment before."""
    await read(actors["rsc"], path)
    change(seeded_world.database_url, "TRUNCATE contracts.contract CASCADE")
    problem(await read(actors["rsc"], path), 404, "not_found")


async def test_each_form_of_an_answer_is_kept_by_itself(actors: Actors, path: str) -> None:
    body = (await read(actors["rsc"], path)).content
    problem(await read(actors["rsc"], path, Accept="text/csv"), 406, "not_acceptable")
    assert (await read(actors["rsc"], path, Accept="application/json")).content == body
    then = await read(actors["rsc"], f"{path}?as_of=2023-06-20")
    assert then.headers["cache-control"] == "no-store"


async def test_kept_answers_can_be_forbidden(seeded_world: World, actors: Actors, path: str) -> None:
    seeded_world.system.apps["gateway"].state.kept = Kept(0)
    await read(actors["rsc"], path)
    with asked_of(seeded_world, "contracts") as said:
        await read(actors["rsc"], path)
    assert len(said) == 5
