"""Every list of the description: pages of the size that is asked for, each with the way to the next, in one order."""

import json
from typing import Any

import pytest

from services.demo import cast
from tests.wire.loopback import check_problem
from tests.wire.test_descriptions import description, operations
from tests.world import Actor, World, agreed_contract

LISTS = sorted(
    path
    for method, path, operation in operations(description("gateway"))
    if method == "get" and "cursor" in {each.get("name") for each in operation.get("parameters", [])}
)


async def pages(actor: Actor, path: str, limit: int) -> list[Any]:
    """All rows of a list, by following Link from page to page."""
    answer = await actor.ask("GET", path, params={"limit": limit})
    rows: list[Any] = []
    while True:
        assert answer.status_code == 200, answer.text
        found = answer.json()
        part = found.get("data", found.get("releases"))
        assert len(part) <= limit
        rows += part
        first = answer.links["first"]["url"]
        assert "cursor" not in first
        assert f"limit={limit}" in first
        if "next" not in answer.links or len(rows) > 40:
            return rows
        assert part, "a page that leads on has rows"
        answer = await actor.ask("GET", answer.links["next"]["url"])


async def test_every_list_is_walked_in_one_order(seeded_world: World, subtests: pytest.Subtests) -> None:
    actors = await seeded_world.cast()
    contract = await agreed_contract(actors)
    known = {"{contract_id}": contract.rpartition("/")[2], "{urn}": cast.SCHOOL, "{uid}": cast.SUPPLIER}
    releases = (await actors["dfe"].get("/v1/releases"))["data"]
    known["{release_id}"] = releases[0]["id"]
    wanted = {"url": "https://8.8.8.8/hook", "types": ["contract.*"]}
    known["{subscription_id}"] = (await actors["dfe"].post("/v1/subscriptions", wanted))["id"]
    assert len(LISTS) >= 15
    for template in LISTS:
        path = template
        for name, value in known.items():
            path = path.replace(name, value)
        with subtests.test(path=template):
            single, several = await pages(actors["dfe"], path, 1), await pages(actors["dfe"], path, 7)
            assert single[:20] == several[: len(single[:20])]
            distinct = {json.dumps(each, sort_keys=True) for each in single}
            assert len(distinct) == len(single), "a row came twice"
            for limit in (0, 201, -1):
                check_problem(await actors["dfe"].ask("GET", path, params={"limit": limit}), 422)
            check_problem(await actors["dfe"].ask("GET", path, params={"cursor": "bm90aGluZw"}), 400)
