"""A transfer opens by itself when all holds, waits for people, and is carried out once, on its day."""

from services.demo import cast
from tests.integration.conftest import (
    MISSED,
    consent,
    judged_anew,
    judged_contract,
    memberships,
    problem,
    refused,
    send_inspection,
    to,
)
from tests.integration.scenes import RESULTS_OUT, Actors, Case
from tests.world import Actor, Json, World, move_clock

GATE = "authority_to_proceed"


async def conditions(actor: Actor, path: str) -> dict[str, Json]:
    """Every condition of a contract's transfer, by its code."""
    found = await actor.get(f"{path}/transfer-conditions")
    assert found["all_met"] is all(each["state"] == "met" for each in found["data"])
    return {each["code"]: each for each in found["data"]}


async def unmet(actor: Actor, path: str) -> dict[str, str]:
    """The conditions that are not met."""
    return {code: each["state"] for code, each in (await conditions(actor, path)).items() if each["state"] != "met"}


async def test_a_missed_target_keeps_the_transfer_shut_and_the_contract_says_why(
    seeded_world: World, actors: Actors
) -> None:
    path = await judged_contract(seeded_world, actors, outcomes=MISSED)
    assert await unmet(actors["mat"], path) == {"outcomes_met": "not_met"}
    found = await conditions(actors["mat"], path)
    assert found["outcomes_met"]["detail"] == "Overall partly_met, score 0.500."
    verdict = (await actors["mat"].get(f"{path}/evaluations"))["data"][0]
    assert [each["target_result"] for each in verdict["measures"]] == ["missed", "missed"]
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []
    assert seeded_world.rows("SELECT count(*) FROM gateway.transfer") == [(0,)]


async def test_before_an_evaluation_its_conditions_are_unknown(
    seeded_world: World, actors: Actors, completed: str
) -> None:
    missing = await unmet(actors["rsc"], completed)
    verdict = {"outcomes_met", "final_data", "no_veto", "critical_measures_partly_met"}
    assert set(missing) == verdict | {"inspections_strong"}
    assert set(missing.values()) == {"unknown"}
    await to(seeded_world, RESULTS_OUT)
    await actors["rsc"].post(f"{completed}/evaluations", {"academic_year": cast.YEAR, "run": "interim"})
    await seeded_world.settle()
    assert await unmet(actors["rsc"], completed) == {"final_data": "not_met", "inspections_strong": "unknown"}
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []


async def test_parties_that_intend_no_transfer_get_none(seeded_world: World, actors: Actors) -> None:
    path = await judged_contract(seeded_world, actors, transfer_intended=False)
    assert await unmet(actors["rsc"], path) == {"transfer_intended": "not_met"}
    assert (await actors["rsc"].get("/v1/transfers"))["data"] == []


async def test_an_opened_transfer_names_its_evidence_and_nobody_can_post_one(case: Case) -> None:
    found = await case["rsc"].get(case.transfer)
    assert (found["status"], found["route"]) == ("proposed", "trust_to_trust")
    assert found["needed"] == ["rsc", "trust_board", "outgoing_trust"]
    assert {each["state"] for each in found["evidence"]["conditions"]} == {"met"}
    assert await unmet(case["rsc"], case.contract) == {}
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
    locked = await refused(case, "rsc", f"steps/{GATE}/completion", {}, 409, "step_locked")
    assert locked["waiting_for"][0] == "supplemental_funding_agreement"
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


async def test_a_refusal_after_the_day_was_set_stops_the_transfer(ready: Case) -> None:
    assert (await consent(ready["mat"], ready.transfer, "trust_board", "declined"))["status"] == "blocked"
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == [(cast.OUTGOING, None)]
    assert (await ready["rsc"].get(ready.contract))["status"] == "completed"


async def test_a_deferral_puts_the_day_off_until_that_body_decides(ready: Case) -> None:
    body = {"by": "rsc", "decision": "deferred", "decided_on": RESULTS_OUT}
    await refused(ready, "rsc", "consents", body, 422, "bad_decision")
    await refused(ready, "rsc", "consents", body | {"until": RESULTS_OUT}, 422, "bad_decision")
    deferred = await ready["rsc"].change(ready.transfer, "consents", body | {"until": "2025-07-01"}, 201)
    assert (deferred["status"], deferred["consents"][-1]["until"]) == ("consenting", "2025-07-01")
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == [(cast.OUTGOING, None)]
    assert (await consent(ready["rsc"], ready.transfer, "rsc"))["status"] == "scheduled"
    await ready.world.settle()
    assert memberships(ready)[-1] == (cast.SUPPLIER, None)


async def test_conditions_of_a_consent_hold_the_day_back_until_each_is_met(ready: Case) -> None:
    body = {"by": "rsc", "decision": "approved_with_conditions", "decided_on": RESULTS_OUT}
    await refused(ready, "rsc", "consents", body, 422, "bad_decision")
    wanted = ["the deficit is settled", "the lease is signed"]
    given = await ready["rsc"].change(ready.transfer, "consents", body | {"conditions": wanted}, 201)
    assert given["status"] == "scheduled"
    assert [each["fulfilled_on"] for each in given["consents"][-1]["conditions"]] == [None, None]
    met = {"fulfilled_on": RESULTS_OUT, "note": "seen by the regional director"}
    await refused(ready, "mat", "consents/rsc/conditions/1/fulfilment", met, 403, "not_your_move")
    await refused(ready, "rsc", "consents/rsc/conditions/3/fulfilment", met, 404, "not_found")
    later = {"fulfilled_on": "2030-01-01"}
    await refused(ready, "rsc", "consents/rsc/conditions/1/fulfilment", later, 422, "invalid")
    await ready["rsc"].change(ready.transfer, "consents/rsc/conditions/1/fulfilment", met)
    await refused(ready, "rsc", "consents/rsc/conditions/1/fulfilment", met, 409, "status_forbids")
    reopened = {"reason": "the conditions came after it"}
    await ready["rsc"].change(ready.transfer, f"steps/{GATE}/reopening", reopened)
    locked = await refused(ready, "rsc", f"steps/{GATE}/completion", {}, 409, "step_locked")
    assert locked["waiting_for"] == ["rsc/2"]
    await to(ready.world, cast.EFFECTIVE_ON)
    assert (await ready["rsc"].get(ready.transfer))["reason_code"] == f"waiting_for_{GATE}"
    await ready["rsc"].change(ready.transfer, "consents/rsc/conditions/2/fulfilment", met)
    await ready["dfe"].change(ready.transfer, f"steps/{GATE}/completion", {})
    await ready.world.settle()
    assert memberships(ready)[-1] == (cast.SUPPLIER, None)


async def test_a_provisional_day_waits_until_it_is_confirmed_and_every_change_keeps_its_reason(ready: Case) -> None:
    for day, confirmed, reason in ((cast.EFFECTIVE_ON, False, "the lease"), ("2025-09-01", False, "the lease, still")):
        body = {"effective_on": day, "confirmed": confirmed, "reason": reason}
        await ready["rsc"].change(ready.transfer, "effective-date", body)
    await to(ready.world, "2025-09-01")
    waiting = await ready["rsc"].get(ready.transfer)
    assert (waiting["status"], waiting["reason_code"]) == ("scheduled", "waiting_for_confirmed_date")
    sure = {"effective_on": "2025-09-01", "confirmed": True, "reason": "all agree"}
    found = await ready["rsc"].change(ready.transfer, "effective-date", sure)
    assert [(each["effective_on"], each["confirmed"], each["reason"]) for each in found["days"]] == [
        (cast.EFFECTIVE_ON, True, "agreed by all"),
        (cast.EFFECTIVE_ON, False, "the lease"),
        ("2025-09-01", False, "the lease, still"),
        ("2025-09-01", True, "all agree"),
    ]
    await ready.world.settle()
    assert memberships(ready)[-1] == (cast.SUPPLIER, None)


async def test_on_hold_nothing_comes_until_it_is_taken_up_again(ready: Case) -> None:
    why = {"reason": "an appeal is heard"}
    await refused(ready, "mat", "hold", why, 403, "not_your_move")
    held = await ready["rsc"].change(ready.transfer, "hold", why)
    assert (held["status"], held["reason_code"], held["hold"]["reason"]) == ("blocked", "on_hold", why["reason"])
    again = await consent(ready["mat"], ready.transfer, "trust_board")
    assert (again["status"], again["reason_code"]) == ("blocked", "on_hold")
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == [(cast.OUTGOING, None)]
    await consent(ready["body"], ready.transfer, "outgoing_trust", "declined")
    still = await ready["rsc"].change(ready.transfer, "resumption", {"reason": "the appeal is over"})
    assert (still["status"], still["reason_code"]) == ("blocked", "declined_by_outgoing_trust")
    await refused(ready, "rsc", "resumption", why, 409, "not_on_hold")
    assert (await consent(ready["body"], ready.transfer, "outgoing_trust"))["status"] == "scheduled"
    await ready.world.settle()
    assert memberships(ready)[-1] == (cast.SUPPLIER, None)


async def test_what_the_commissioner_gave_up_is_not_proposed_again_on_the_same_verdict(case: Case) -> None:
    await case["rsc"].change(case.transfer, "cancellation", {"reason": "the parties have other plans"})
    await send_inspection(case.world, case["dfe"], on="2025-03-01")
    assert case.world.rows("SELECT status FROM gateway.transfer") == [("cancelled",)]
    await judged_anew(case, {})
    assert case.world.rows("SELECT status FROM gateway.transfer ORDER BY id") == [("cancelled",), ("proposed",)]


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
