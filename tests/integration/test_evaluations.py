"""Verdicts: the same question on the same data has one answer, also when it is asked twice at once."""

import asyncio
from dataclasses import replace

import psycopg

from services.demo import cast
from tests.integration.books import payments
from tests.integration.scenes import Case
from tests.world import change, plain_url

ASKED = {"academic_year": cast.YEAR, "run": "interim"}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def test_the_same_question_again_has_the_verdict_of_before(case: Case) -> None:
    first = await case["rsc"].post(f"{case.contract}/evaluations", ASKED)
    again = await case["rsc"].post(f"{case.contract}/evaluations", ASKED)
    assert again == first
    listed = (await case["rsc"].get(f"{case.contract}/evaluations"))["data"]
    assert [each["run"] for each in listed] == ["interim", "final"]


async def test_whose_a_year_is_is_decided_by_the_census_as_it_is_set(case: Case) -> None:
    """The contract begins on 1 September 2023: were the census in August, its first year would not be whole."""
    state = case.world.system.apps["outcomes"].state
    state.rule = replace(state.rule, census=(8, 31))
    found = await case["rsc"].post(f"{case.contract}/evaluations", ASKED)
    assert {reason for each in found["measures"] for reason in each["reasons"]} == {"no_accountable_series"}
    fences = (await case["rsc"].get("/v1/ring-fences", academic_year=cast.YEAR))["data"]
    assert {each["contract_role"] for each in fences[0]["series"]} == {"partial_year"}


async def test_the_first_of_several_years_moves_no_money_and_settles_nothing(case: Case) -> None:
    """Of a contract of two years, a final verdict on the first leaves all to the second (METHOD.md 3.1)."""
    path = f"{case.contract}/evaluations"
    longer = "UPDATE contracts.contract SET ends_on = '2025-08-31', latest_ends_on = '2025-08-31', ended_on = NULL"
    change(case.world.database_url, longer)
    before = (await case["rsc"].get(case.contract))["evaluation"], await payments(case["rsc"], case.contract)
    made = await case["rsc"].post(path, {"academic_year": cast.YEAR, "run": "final"})
    assert {tuple(each["reasons"]) for each in made["measures"]} == {("first_year_alone",)}
    after = (await case["rsc"].get(case.contract))["evaluation"], await payments(case["rsc"], case.contract)
    assert after == before
    rated = (await case["rsc"].get(f"{case.contract}/kpi-assessments"))["data"][-1]
    assert (rated["rating"], rated["explanation"]) == (
        "other",
        "It is too early: the first of several years is not judged by itself, nor are provisional results finally.",
    )


async def test_a_year_that_is_none_of_the_term_moves_no_money(case: Case) -> None:
    """The year after the contract, and the one before it: the verdict on its own year stands."""
    before = (await case["rsc"].get(case.contract))["evaluation"], await payments(case["rsc"], case.contract)
    for year in ("2022/23", "2024/25"):
        made = await case["rsc"].post(f"{case.contract}/evaluations", {"academic_year": year, "run": "final"})
        assert {each["reasons"][0] for each in made["measures"]} == {"no_accountable_series"}
    after = (await case["rsc"].get(case.contract))["evaluation"], await payments(case["rsc"], case.contract)
    assert after == before


async def test_the_same_question_of_two_at_once_has_one_verdict(case: Case) -> None:
    """Both have found no verdict of before when the first of them is allowed to write its own."""
    async with await psycopg.AsyncConnection.connect(plain_url(case.world.database_url)) as gate:
        await gate.execute("LOCK TABLE outcomes.evaluation IN SHARE MODE")
        path = f"{case.contract}/evaluations"
        asked = [asyncio.create_task(case[name].ask("POST", path, json=ASKED)) for name in ("rsc", "dfe")]
        for _ in range(120):
            if case.world.rows(WAITING) == [(2,)] or any(each.done() for each in asked):
                break
            await asyncio.sleep(0.05)
        await gate.commit()
    answers = await asyncio.gather(*asked)
    assert [each.status_code for each in answers] == [201, 201], [each.text for each in answers]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert case.world.rows("SELECT count(*) FROM outcomes.evaluation WHERE run = 'interim'") == [(1,)]
