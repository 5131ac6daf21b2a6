"""The ground of a transfer: checked at every gate; gone, it withdraws the transfer, or opens a discrepancy."""

from services.demo import cast
from tests.integration.books import certified, hands_of, set_finance
from tests.integration.conftest import (
    consent,
    judged_anew,
    memberships,
    send_inspection,
    to,
    work_on,
)
from tests.integration.scenes import RESULTS_OUT, Case
from tests.world import Json, change, move_clock

WORSE = f"urn,rating,inspection_date\n{cast.SCHOOL},Inadequate,20250310\n".encode()


async def matter(case: Case, kind: str = "concern") -> str:
    """Something stands against the supplier; gives its path."""
    path = f"/v1/suppliers/{cast.SUPPLIER}/matters"
    body = {"kind": kind, "details": "a serious matter", "raised_on": RESULTS_OUT}
    return f"{path}/{(await case['dfe'].post(path, body))['id']}"


async def conditions(case: Case) -> dict[str, Json]:
    """The conditions of the contract, by their codes."""
    found = await case["body"].get(f"{case.contract}/transfer-conditions")
    return {each["code"]: each for each in found["data"]}


async def test_a_concern_about_the_supplier_withdraws_the_transfer_and_its_end_opens_another(ready: Case) -> None:
    path = await matter(ready)
    await ready.world.settle()
    gone = await ready["rsc"].get(ready.transfer)
    assert (gone["status"], gone["reason_code"]) == ("cancelled", "ground_gone:nothing_open")
    told = {each["code"]: each for each in gone["ground"]["conditions"]}
    assert told["nothing_open"] == {
        "code": "nothing_open",
        "state": "not_met",
        "detail": "Open: a concern about the supplier.",
    }
    assert (await conditions(ready))["nothing_open"] == told["nothing_open"]
    events = ready.world.rows("SELECT data -> 'gone' FROM gateway.event WHERE type = 'transfer.withdrawn'")
    assert events == [(["nothing_open"],)]
    await to(ready.world, cast.EFFECTIVE_ON)
    assert memberships(ready) == [(cast.OUTGOING, None)]
    await ready["dfe"].change(path, "resolution", {"resolution": "cleared", "resolved_on": cast.EFFECTIVE_ON})
    await ready.world.settle()
    found = (await ready["rsc"].get("/v1/transfers"))["data"]
    assert [each["status"] for each in found] == ["cancelled", "proposed"]


async def test_an_inspection_that_finds_the_school_weak_withdraws_it(case: Case) -> None:
    await send_inspection(case.world, case["dfe"], WORSE, "2025-03-20")
    gone = await case["rsc"].get(case.transfer)
    assert (gone["status"], gone["reason_code"]) == ("cancelled", "ground_gone:inspections_strong")
    assert (await conditions(case))["inspections_strong"]["detail"].startswith("Latest inspection 2025-03-10")


async def test_a_payment_in_dispute_holds_the_day_back_until_it_is_settled(ready: Case) -> None:
    hands = await hands_of(ready.world, ready.actors)
    await set_finance(ready["finance"], ready.contract)
    claim = await certified(hands, ready.contract, "M1", "FEE-1")
    body = {"signed_by": "A. Pprover", "reason": "Not seen", "items": [{"kind": "milestone", "code": "M1"}]}
    part = await hands.approves.change(claim, "dispute", body)
    told = {"code": "no_dispute", "state": "not_met"}
    told["detail"] = f"Payments in dispute: claim {part['reference']} for M1 since {RESULTS_OUT}."
    assert (await conditions(ready))["no_dispute"] == told
    assert (await conditions(ready))["nothing_open"]["state"] == "met"
    await to(ready.world, cast.EFFECTIVE_ON)
    waiting = await ready["rsc"].get(ready.transfer)
    assert (waiting["status"], waiting["reason_code"]) == ("scheduled", "waiting_for_no_dispute")
    assert told in waiting["ground"]["conditions"]
    assert memberships(ready) == [(cast.OUTGOING, None)]
    settled = {"signed_by": "A. Pprover", "finding": "not_payable", "reason": "Never done"}
    await hands.approves.change(f"/v1/claims/{part['id']}", "dispute-resolution", settled)
    await ready.world.settle()
    assert (await ready["rsc"].get(ready.transfer))["status"] == "completed"
    assert memberships(ready)[-1] == (cast.SUPPLIER, None)


async def test_the_day_itself_checks_the_ground_even_if_no_event_told_of_it(ready: Case) -> None:
    """As if the event were still on its way when the day comes."""
    await matter(ready)
    move_clock(cast.EFFECTIVE_ON)
    await work_on(ready, "carry_out", ready.transfer.rpartition("/")[2])
    gone = await ready["rsc"].get(ready.transfer)
    assert (gone["status"], gone["reason_code"]) == ("cancelled", "ground_gone:nothing_open")
    assert memberships(ready) == [(cast.OUTGOING, None)]


async def test_what_is_not_known_holds_the_day_back_and_withdraws_nothing(ready: Case) -> None:
    change(ready.world.database_url, "DELETE FROM outcomes.judgement")
    change(ready.world.database_url, "DELETE FROM outcomes.inspection")
    await to(ready.world, cast.EFFECTIVE_ON)
    waiting = await ready["rsc"].get(ready.transfer)
    assert (waiting["status"], waiting["reason_code"]) == ("scheduled", "waiting_for_inspections_strong")
    known = cast.INSPECTED.replace(b"20241105", b"20241106")
    await send_inspection(ready.world, ready["dfe"], known, "2025-03-01")
    assert memberships(ready)[-1] == (cast.SUPPLIER, None)


async def test_after_the_point_of_no_return_a_worse_verdict_is_a_discrepancy(ready: Case) -> None:
    await to(ready.world, cast.EFFECTIVE_ON)
    await judged_anew(ready, {"overall": "not_met"})
    found = await ready["rsc"].get(ready.transfer)
    assert (found["status"], found["attention"]) == ("completed", ["ground_gone"])
    assert found["discrepancies"][0]["detail"] == "Overall not_met, score 1.000."
    listed = (await ready["rsc"].get("/v1/transfers", attention="true"))["data"]
    assert [each["id"] for each in listed] == [found["id"]]
    await judged_anew(ready, {"overall": "met"})
    found = await ready["rsc"].get(ready.transfer)
    assert (found["attention"], found["discrepancies"][0]["closed_by"]) == ([], "a later verdict")
    assert (await ready["rsc"].get("/v1/transfers", attention="true"))["data"] == []


async def test_each_consent_and_gate_asks_for_the_ground_again(case: Case) -> None:
    waiting = "SELECT count(*) FROM gateway.job WHERE kind = 'review'"
    assert case.world.rows(waiting) == [(0,)]
    await consent(case["rsc"], case.transfer, "rsc")
    assert case.world.rows(waiting) == [(1,)]
    await case.world.settle()
    assert case.world.rows(waiting) == [(0,)]
