"""Who takes none of the forms that an answer has is told so before anything is done, at every operation."""

from uuid import uuid4

import httpx
import pytest

from services.kernel.types import Kind
from tests.wire.loopback import check_problem
from tests.wire.test_descriptions import description, operations
from tests.world import Json, World

REFUSING = ("application/x-nothing", "*/*;q=0")


def forms(operation: Json) -> set[str]:
    """The media types that an operation answers with."""
    answers = operation["responses"].items()
    return {each for status, answer in answers if status < "300" for each in answer.get("content", {})}


async def test_every_operation_refuses_and_says_what_it_has(world: World, subtests: pytest.Subtests) -> None:
    dfe = await world.client(Kind.DFE)
    before = world.rows("SELECT (SELECT count(*) FROM gateway.event), (SELECT count(*) FROM contracts.event)")
    for method, path, operation in operations(description("gateway")):
        with subtests.test(operation=f"{method} {path}"):
            assert ("406" in operation["responses"]) == bool(forms(operation))
            if not forms(operation):
                continue
            for refusing in REFUSING:
                place = path.replace("{urn}", "100000").replace("{uid}", "2059")
                place = place.partition("{")[0] + str(uuid4()) + place.rpartition("}")[2] if "{" in place else place
                if "}" in path and place.count("/") != path.count("/"):
                    continue
                answer = await dfe.ask(method, place, headers={"Accept": refusing})
                found = check_problem(answer, 406)
                assert set(found["offered"]) == forms(operation)
    after = world.rows("SELECT (SELECT count(*) FROM gateway.event), (SELECT count(*) FROM contracts.event)")
    assert before == after


async def test_what_refuses_one_form_is_given_the_other(world: World) -> None:
    dfe = await world.client(Kind.DFE)

    async def kind(accept: str) -> str:
        answer: httpx.Response = await dfe.ask("GET", "/v1/ring-fences", headers={"Accept": accept})
        assert answer.status_code == 200
        return answer.headers["content-type"].partition(";")[0]

    assert await kind("application/json;q=0, */*") == "text/csv"
    assert await kind("text/csv;q=0.1, application/json;q=0.2") == "application/json"
    assert (await dfe.ask("GET", "/docs", headers={"Accept": "text/html"})).status_code == 200
