"""A transfer opens by itself when all holds, waits for people, and is carried out once, on its day."""

from services.demo import cast
from tests.integration.conftest import (
    CONSENTS,
    MISSED,
    RESULTS_OUT,
    Actors,
    Case,
    completed_contract,
    consent,
    finish_steps,
    judged_contract,
    memberships,
    problem,
    schedule,
    to,
)
from tests.world import Json, World, move_clock

GATE = "authority_to_proceed"


async def refused(case: Case, name: str, action: str, body: Json, status: int, code: str) -> Json:
    """The problem that this move on the transfer runs into; the transfer stays as it is."""
    before = await case["rsc"].ask("GET", case.transfer)
    tag = {"If-Match": before.headers["etag"]}
    answer = await case[name].ask("POST", f"{case.transfer}/{action}", json=body, headers=tag)
    assert (await case["rsc"].get(case.transfer)) == before.json()
    return problem(answer, status, code)


def unmet(contract: Json) -> dict[str, str]:
    """The conditions that are not met, as the contract names them."""
    return {each["code"]: each["state"] for each in contract["transfer_conditions"] if each["state"] != "met"}


async def test_a_missed_target_keeps_the_transfer_shut_and_the_contract_says_why(
    seeded_world: World, actors: Actors
) -> None:
    path = await judged_contract(seeded_world, actors, outcomes=MISSED)
    contract = await actors["mat"].get(path)
    assert unmet(contract) == {"outcomes_met": "not_met"}
    details = {each["code"]: each["detail"] for each in contract["transfer_conditions"]}
    assert details["outcomes_met"] == "Overall partly_met, score 0.500."
    verdict = (await actors["mat"].get(f"{path}/evaluations"))["data"][0]
    assert [each["target_result"] for each in verdict["measures"]] == ["missed", "missed"]
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []
    assert seeded_world.rows("SELECT count(*) FROM gateway.transfer") == [(0,)]


async def test_before_an_evaluation_its_conditions_are_unknown(seeded_world: World, actors: Actors) -> None:
    path = await completed_contract(seeded_world, actors)
    missing = unmet(await actors["rsc"].get(path))
    assert set(missing) == {"outcomes_met", "final_data", "no_veto", "no_critical_measure_failed"}
    assert set(missing.values()) == {"unknown"}
    await to(seeded_world, RESULTS_OUT)
    await actors["rsc"].post(f"{path}/evaluations", {"academic_year": cast.YEAR, "run": "interim"})
    await seeded_world.settle()
    assert unmet(await actors["rsc"].get(path)) == {"final_data": "not_met"}
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []


async def test_parties_that_intend_no_transfer_get_none(seeded_world: World, actors: Actors) -> None:
    path = await judged_contract(seeded_world, actors, transfer_intended=False)
    assert unmet(await actors["rsc"].get(path)) == {"transfer_intended": "not_met"}
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []


async def test_an_opened_transfer_names_its_evidence_and_nobody_can_post_one(case: Case) -> None:
    found = await case["rsc"].get(case.transfer)
    assert (found["status"], found["route"]) == ("proposed", "trust_to_trust")
    assert found["needed"] == ["rsc", "trust_board", "outgoing_trust"]
    assert {each["state"] for each in found["evidence"]["conditions"]} == {"met"}
    assert unmet(await case["rsc"].get(case.contract)) == {}
    problem(await case["rsc"].ask("POST", "/v1/transfers", json={}), 405)


async def test_another_evaluation_opens_no_second_transfer(case: Case) -> None:
    move_clock("2025-04-01")
    await case["rsc"].post(f"{case.contract}/evaluations", {"academic_year": cast.YEAR, "run": "final"})
    await case["rsc"].post(f"{case.contract}/evaluations", {"academic_year": cast.YEAR, "run": "interim"})
    await case.world.settle()
    assert case.world.rows("SELECT count(*) FROM gateway.transfer") == [(1,)]


async def test_a_declined_consent_blocks_until_that_body_decides_anew(case: Case) -> None:
    declined = await consent(case["body"], case.transfer, "outgoing_trust", "declined")
    assert (declined["status"], declined["reason_code"]) == ("blocked", "declined_by_outgoing_trust")
    day = {"effective_on": cast.EFFECTIVE_ON, "reason": "hoping"}
    await refused(case, "rsc", "effective-date", day, 409, "status_forbids")
    await finish_steps(case)
    await to(case.world, cast.EFFECTIVE_ON)
    assert (await case["rsc"].get(case.transfer))["status"] == "blocked"
    assert memberships(case) == [(cast.OUTGOING, None)]
    anew = await consent(case["body"], case.transfer, "outgoing_trust")
    assert (anew["status"], anew["reason_code"]) == ("consenting", None)


async def test_the_approval_of_others_does_not_lift_a_refusal(case: Case) -> None:
    await consent(case["body"], case.transfer, "outgoing_trust", "declined")
    for name, by in (("rsc", "rsc"), ("mat", "trust_board")):
        await consent(case[name], case.transfer, by)
    found = await case["rsc"].get(case.transfer)
    assert (found["status"], found["reason_code"]) == ("blocked", "declined_by_outgoing_trust")


async def test_a_refusal_after_the_day_was_set_stops_the_transfer(case: Case) -> None:
    await schedule(case)
    await finish_steps(case)
    assert (await consent(case["mat"], case.transfer, "trust_board", "declined"))["status"] == "blocked"
    await to(case.world, cast.EFFECTIVE_ON)
    assert memberships(case) == [(cast.OUTGOING, None)]
    assert (await case["rsc"].get(case.contract))["status"] == "completed"


async def test_a_deferred_consent_is_waited_for(case: Case) -> None:
    for name, by in CONSENTS:
        await consent(case[name], case.transfer, by, "deferred" if by == "rsc" else "approved")
    day = {"effective_on": cast.EFFECTIVE_ON, "reason": "set"}
    assert (await case["rsc"].change(case.transfer, "effective-date", day))["effective_on"] == cast.EFFECTIVE_ON
    await finish_steps(case)
    await to(case.world, cast.EFFECTIVE_ON)
    assert memberships(case) == [(cast.OUTGOING, None)]


async def test_nobody_gives_the_consent_of_another_body(case: Case) -> None:
    for name, by in (("mat", "rsc"), ("rsc", "trust_board"), ("mat", "outgoing_trust")):
        body = {"by": by, "decision": "approved", "decided_on": RESULTS_OUT}
        await refused(case, name, "consents", body, 403, "not_your_move")


async def test_a_consent_is_one_that_is_needed_and_was_given(case: Case) -> None:
    body = {"by": "governing_body", "decision": "approved", "decided_on": RESULTS_OUT}
    await refused(case, "body", "consents", body, 422, "consent_not_needed")
    later = {"by": "rsc", "decision": "approved", "decided_on": "2025-04-01"}
    await refused(case, "rsc", "consents", later, 422, "invalid")


async def test_schools_join_on_the_first_of_a_month_to_come(case: Case) -> None:
    for day in ("2025-06-02", "2025-06-30", "2025-03-01"):
        body = {"effective_on": day, "reason": "wished for"}
        await refused(case, "rsc", "effective-date", body, 422, "bad_effective_date")


async def test_only_the_commissioner_sets_the_day(case: Case) -> None:
    for name in ("mat", "body"):
        body = {"effective_on": cast.EFFECTIVE_ON, "reason": "wished for"}
        await refused(case, name, "effective-date", body, 403, "not_your_move")


async def test_steps_are_finished_by_their_owners_in_their_order(case: Case) -> None:
    await refused(case, "mat", f"steps/{GATE}/completion", {}, 403, "not_your_step")
    locked = await refused(case, "rsc", f"steps/{GATE}/completion", {}, 409, "step_locked")
    assert locked["waiting_for"] == ["deed_of_novation", "commercial_transfer_agreement", "incoming_trust_ready"]
    waived = {"not_applicable": True, "reason": "no land"}
    await refused(case, "mat", "steps/deed_of_novation/completion", waived, 409, "step_mandatory")
    await refused(case, "body", "steps/form_m/completion", {"not_applicable": True}, 422, "invalid")
    await case["body"].change(case.transfer, "steps/form_m/completion", waived)
    await refused(case, "body", "steps/form_m/completion", {}, 409, "step_finished")
    await refused(case, "rsc", "steps/open_membership/completion", {}, 403, "not_your_step")
