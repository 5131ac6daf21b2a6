"""Needs: every open mainstream school of a place is listed, by rule and by figures, with how sure that is."""

import csv
import io

import pytest

from services.kernel.types import Kind
from tests.inspections import GRADED, monthly, of
from tests.integration.conftest import problem
from tests.integration.test_inspections import send
from tests.world import Actor, Json, World

REGION = "North West"


@pytest.fixture
async def dfe(seeded_world: World) -> Actor:
    """DfE's own system, on the sample."""
    return await seeded_world.client(Kind.DFE)


async def every(dfe: Actor, **asked: str) -> list[Json]:
    """All pages of the list."""
    found: list[Json] = []
    cursor: str | None = None
    while True:
        page = await dfe.get("/v1/needs", limit="200", **asked, **({"cursor": cursor} if cursor else {}))
        found.extend(page["data"])
        cursor = page["paging"]["next"]
        if cursor is None:
            return found


async def test_every_open_mainstream_school_of_a_region_is_listed_once(seeded_world: World, dfe: Actor) -> None:
    found = await every(dfe, region=REGION)
    rows = seeded_world.rows(
        "SELECT urn FROM outcomes.establishment WHERE region = 'North West' AND status LIKE 'open%'"
        " AND kind_group ~* 'academies|free schools|local authority' AND kind !~* 'special|alternative|referral|16'"
        " AND phase IN ('Primary', 'Secondary', 'All-through', 'Middle deemed primary', 'Middle deemed secondary')"
    )
    assert sorted(each["urn"] for each in found) == sorted(str(urn) for (urn,) in rows)
    order = [(each["tier"], -(each["p_worst_decile"] or 0)) for each in found]
    assert order == sorted(order)
    phases = {each["phase"]: each["among"] for each in found}
    assert sum(each["schools"] for each in phases.values()) == len(found)
    for each in found:
        if each["need"] is not None:
            assert 0 < each["need"] < 1
            assert each["need"] == pytest.approx(sum(part["share"] for part in each["parts"].values()), abs=1e-5)
            assert 1 <= each["rank_low"] <= each["expected_rank"] + 1 <= each["rank_high"] + 2
            assert each["rank_high"] <= each["among"]["schools"]
        for part in each["parts"].values():
            assert part["imputed"] is (part["missing"] is not None)
            assert part["n"] is None or part["n"] > 5


async def test_the_same_list_again_and_the_same_as_a_table(dfe: Actor) -> None:
    first = await dfe.get("/v1/needs", region=REGION, key_stage="KS4")
    assert await dfe.get("/v1/needs", region=REGION, key_stage="KS4") == first
    assert (first["version"], sum(first["weights"].values())) == ("needs/1", pytest.approx(1))
    assert "person decides" in first["note"]
    answer = await dfe.ask(
        "GET", "/v1/needs", params={"region": REGION, "key_stage": "KS4"}, headers={"Accept": "text/csv"}
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    listed = await every(dfe, region=REGION, key_stage="KS4")
    assert [row["urn"] for row in rows] == [each["urn"] for each in listed]
    assert rows[0]["rule"] == listed[0]["rule"]


async def test_what_inspectors_found_comes_before_figures(seeded_world: World, dfe: Actor) -> None:
    before = await every(dfe, region=REGION, key_stage="KS4")
    assert all("stuck" in each["not_known"] for each in before)
    best, next_best, third = (int(each["urn"]) for each in before[-3:])
    earlier = {"graded.number": "1", "graded.started": "01/03/2017", "graded.published": "01/05/2017"}
    content = monthly(
        of(best, GRADED, graded__concern="SM", graded__overall_effectiveness="4"),
        of(next_best, GRADED, graded__concern="SWK", graded__overall_effectiveness="4"),
        of(third, GRADED, graded__overall_effectiveness="3"),
    )
    await send(seeded_world, dfe, content)
    before_that = monthly(of(third, {**GRADED, **earlier, "graded.overall_effectiveness": "3"}))
    await send(seeded_world, dfe, before_that, on="2018-01-01")
    found = {int(each["urn"]): each for each in await every(dfe, region=REGION, key_stage="KS4")}
    assert [(found[urn]["tier"], found[urn]["rule"]) for urn in (best, next_best, third)] == [
        (0, "special_measures"),
        (1, "significant_improvement"),
        (2, "stuck"),
    ]
    assert [int(each["urn"]) for each in await every(dfe, region=REGION, key_stage="KS4", tier="0")] == [best]
    assert next(iter(found)) == best


async def test_a_place_in_a_list_that_is_not_there_any_more(dfe: Actor) -> None:
    page = await dfe.get("/v1/needs", region=REGION, limit="1")
    again = await dfe.ask(
        "GET", "/v1/needs", params={"region": "London", "cursor": page["paging"]["next"], "limit": "1"}
    )
    assert problem(again, 400)["detail"].startswith("The list has changed")
