"""How a trust is held to account while the contract runs: reminders, reviews, assessments, findings, duties."""

from typing import Any

from services.demo import cast
from tests.integration.conftest import active_contract, problem, record, to
from tests.integration.scenes import RESULTS_OUT, Actors
from tests.world import Json, World, change

LONG = {"term": {"starts_on": "2023-09-01", "ends_on": "2025-08-31"}}


async def types(actors: Actors, path: str) -> list[str]:
    """The kinds of a contract's events, in order."""
    return [each["type"] for each in (await actors["rsc"].get(f"{path}/events", limit=200))["data"]]


async def duties(actors: Actors, **query: Json) -> dict[tuple[str, str | None], Json]:
    """Duties by code and subject."""
    found = (await actors["rsc"].get("/v1/duties", **query))["data"]
    return {(each["code"], each["subject"]): each for each in found}


async def test_milestones_come_near_and_pass_and_each_is_told_once(
    seeded_world: World, actors: Actors, active: str
) -> None:
    for moment, timing, told in (
        ("2023-10-16", "planned", 0),
        ("2023-10-17", "due_soon", 1),
        ("2023-10-31T23:30:00", "due_soon", 1),
        ("2023-11-01T00:30:00", "overdue", 2),
        ("2023-11-20", "overdue", 2),
    ):
        await to(seeded_world, moment)
        assert (await actors["rsc"].get(active))["milestones"][0]["timing"] == timing, moment
        reminders = [
            each for each in await types(actors, active) if each in {"milestone.due_soon", "milestone.overdue"}
        ]
        assert len(reminders) == told, moment
    await record(actors["mat"], active, "M1", "2023-10-27")
    await seeded_world.settle()
    assert (await actors["rsc"].get(active))["milestones"][0]["timing"] == "decided"


async def test_a_milestone_pays_when_those_that_it_depends_on_are_met(seeded_world: World, actors: Actors) -> None:
    first, second, third = cast.CONTRACT["milestones"]
    chain = [first, second | {"depends_on": ["M1"]}, third | {"depends_on": ["M1", "M2"]}]
    path = await active_contract(seeded_world, actors, milestones=chain)

    async def earned() -> set[str]:
        found = (await actors["rsc"].get(f"{path}/payments"))["data"]
        return {each["code"] for each in found if each["status"] == "earned"}

    for code, expected in (("M3", set()), ("M2", set()), ("M1", {"M1", "M2", "M3"})):
        await record(actors["mat"], path, code, "2023-09-01")
        await seeded_world.settle()
        assert await earned() == expected


async def review(actors: Actors, path: str, reviewed_on: str, **objective: Json) -> Any:
    """Ask for a review on the results of 2023/24."""
    body = {"reviewed_on": reviewed_on, "academic_year": cast.YEAR, "reviewer": "A. Reviewer"}
    objectives = [{"code": "O1", **objective}] if objective else []
    return await actors["rsc"].ask("POST", f"{path}/reviews", json={**body, "objectives": objectives})


async def test_a_review_rates_every_outcome_by_the_figures_or_beside_them(seeded_world: World, actors: Actors) -> None:
    path = await active_contract(seeded_world, actors, **LONG)
    await to(seeded_world, RESULTS_OUT)
    made = (await review(actors, path, RESULTS_OUT)).json()
    first, second = made["objectives"]
    assert [first["code"], second["code"]] == ["O1", "O2"]
    assert first["figures"] == first["rag"] != "grey"
    assert first["expected"] > 32.0
    assert first["releases"]
    assert (first["z"] >= 0) is (first["rag"] == "green")
    away = {"green": "red", "amber": "green", "red": "green"}[first["figures"]]
    step = {"green": "amber", "amber": "red", "red": "amber"}[first["figures"]]
    problem(await review(actors, path, RESULTS_OUT, rag=step), 422, "override_too_far")
    if first["figures"] != "amber":
        problem(await review(actors, path, RESULTS_OUT, rag=away, reason="seen"), 422, "override_too_far")
    judged = (await review(actors, path, RESULTS_OUT, rag=step, reason="seen in lessons")).json()["objectives"][0]
    assert (judged["rag"], judged["figures"], judged["reason"]) == (step, first["figures"], "seen in lessons")
    change(seeded_world.database_url, "UPDATE contracts.contract SET ended_on = '2024-08-31'")
    cut_short = (await review(actors, path, RESULTS_OUT)).json()["objectives"][0]
    assert cut_short["expected"] == first["expected"], "the path is that of the term as agreed"
    problem(await review(actors, path, "2025-03-22"), 422, "bad_terms")
    body = {"reviewed_on": RESULTS_OUT, "academic_year": cast.YEAR, "reviewer": "x", "objectives": [{"code": "O9"}]}
    problem(await actors["rsc"].ask("POST", f"{path}/reviews", json=body), 422, "bad_terms")
    problem(await actors["mat"].ask("POST", f"{path}/reviews", json=body | {"objectives": []}), 403, "not_your_move")
    held = (await actors["mat"].get(f"{path}/reviews"))["data"]
    assert [each["number"] for each in held] == [1, 2, 3]
    assert "A. Reviewer" not in str((await actors["rsc"].get(f"{path}/events", limit=200))["data"])


async def test_a_year_that_is_not_out_is_grey_and_rated_by_judgement(actors: Actors, active: str) -> None:
    body = {"reviewed_on": "2023-09-01", "academic_year": "2024/25", "reviewer": "x"}
    made = await actors["rsc"].post(f"{active}/reviews", body)
    assert {each["rag"] for each in made["objectives"]} == {"grey"}
    assert all(each["reasons"] for each in made["objectives"])
    judged = body | {"objectives": [{"code": "O1", "rag": "red", "reason": "no plan yet"}]}
    made = await actors["rsc"].post(f"{active}/reviews", judged)
    assert [each["rag"] for each in made["objectives"]] == ["red", "grey"]


async def test_poor_performance_is_found_only_after_an_opportunity_to_improve(
    seeded_world: World, actors: Actors, active: str
) -> None:
    await to(seeded_world, "2024-02-10")
    finding = {"found_on": "2024-02-10", "opportunity": 1, "details": "No plan was made."}
    url = f"{active}/poor-performance-findings"
    problem(await actors["rsc"].ask("POST", url, json=finding), 409, "no_improvement_opportunity")
    opportunity = {"opened_on": "2024-02-10", "closes_on": "2024-04-10", "details": "A plan for attendance."}
    opened = f"{active}/improvement-opportunities"
    problem(await actors["mat"].ask("POST", opened, json=opportunity), 403, "not_your_move")
    backwards = opportunity | {"closes_on": "2024-02-10"}
    problem(await actors["rsc"].ask("POST", opened, json=backwards), 422, "bad_period")
    assert (await actors["rsc"].post(opened, opportunity))["number"] == 1
    await to(seeded_world, "2024-04-10")
    problem(await actors["rsc"].ask("POST", url, json=finding | {"found_on": "2024-04-10"}), 409)
    problem(await actors["rsc"].ask("POST", url, json=finding | {"found_on": "2024-04-11"}), 422, "bad_terms")
    await to(seeded_world, "2024-04-11")
    made = await actors["rsc"].post(url, finding | {"found_on": "2024-04-11"})
    assert (made["number"], made["kind"], made["opportunity"]) == (2, "poor_performance", 1)
    assert (await duties(actors))["publish_uk9", "2"]["due_on"] == "2024-05-11"


async def test_an_evaluation_is_an_assessment_and_an_interim_one_does_not_undo_a_final_one(
    seeded_world: World, actors: Actors, completed: str
) -> None:
    await to(seeded_world, RESULTS_OUT)
    assert (await duties(actors))["assess_kpis_at_end", None]["state"] == "overdue"
    final = await actors["rsc"].post(f"{completed}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    await actors["rsc"].post(f"{completed}/evaluations", {"academic_year": cast.YEAR, "run": "interim"})
    assert (await actors["rsc"].get(completed))["evaluation"]["id"] == final["id"]
    made = (await actors["rsc"].get(f"{completed}/kpi-assessments"))["data"]
    assert [each["number"] for each in made] == [1, 2]
    assert made[0]["rating"] == final["kpi_rating"].lower().replace(" ", "_")
    assert [each["code"] for each in made[0]["measures"]] == ["O1", "O2"]
    assert (made[0]["basis"], made[0]["period_ends_on"]) == ("policy", "2024-08-31")
    assert (await duties(actors))["assess_kpis_at_end", None]["done_on"] == RESULTS_OUT


async def test_an_assessment_without_results_says_why(seeded_world: World, actors: Actors, agreed: str) -> None:
    body = {"period_starts_on": "2023-09-01", "period_ends_on": "2024-08-31", "explanation": "Not published yet."}
    problem(await actors["rsc"].ask("POST", f"{agreed}/kpi-assessments", json=body), 409, "status_forbids")
    await to(seeded_world, "2023-09-01")
    backwards = body | {"period_ends_on": "2023-08-31"}
    problem(await actors["rsc"].ask("POST", f"{agreed}/kpi-assessments", json=backwards), 422, "bad_terms")
    problem(await actors["mat"].ask("POST", f"{agreed}/kpi-assessments", json=body), 403, "not_your_move")
    made = await actors["rsc"].post(f"{agreed}/kpi-assessments", body)
    assert (made["rating"], made["measures"], made["assessed_on"]) == ("other", [], "2023-09-01")


async def test_duties_follow_the_contract_and_notices_fulfil_them(
    seeded_world: World, actors: Actors, active: str
) -> None:
    found = await duties(actors)
    details = found["publish_uk7", None]
    assert (details["due_on"], details["state"], details["basis"]) == ("2023-10-18", "open", "policy")
    assert "s.53" in details["rule"]
    await to(seeded_world, "2023-10-19")
    assert ("publish_uk7", None) in await duties(actors, state="overdue")
    notice = {"kind": "UK7", "published_on": "2023-10-19", "url": "https://www.find-tender.service.gov.uk/Notice/1"}
    problem(await actors["mat"].ask("POST", f"{active}/notices", json=notice), 403, "not_your_move")
    future = notice | {"published_on": "2023-10-20"}
    problem(await actors["rsc"].ask("POST", f"{active}/notices", json=future), 422, "bad_terms")
    await actors["rsc"].post(f"{active}/notices", notice)
    assert (await duties(actors))["publish_uk7", None]["state"] == "done"
    assert ("publish_uk7", None) not in await duties(actors, state="overdue")
    everything = list(await duties(actors))
    paged, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = await actors["rsc"].get("/v1/duties", **query)
        paged += [(each["code"], each["subject"]) for each in answer["data"]]
        cursor = answer["paging"]["next"]
        if cursor is None:
            break
    assert paged == everything
    assert (await duties(actors, due_before="2023-10-01")) == {}
