"""Claims from what was earned to what was paid, by different hands."""

import pytest

from services.demo import cast
from services.kernel.types import Kind
from tests.integration.books import (
    Hands,
    approved,
    certified,
    check_books,
    hands_of,
    invoice_of,
    paid,
    pay,
    payments,
    set_finance,
    submitted,
)
from tests.integration.conftest import active_contract, problem, record, to
from tests.integration.scenes import Actors
from tests.world import Json, World, move_clock


@pytest.fixture
async def hands(seeded_world: World, actors: Actors) -> Hands:
    return await hands_of(seeded_world, actors)


async def earning(world: World, actors: Actors) -> str:
    """The path of a contract with M1 and the first instalment earned, that can be invoiced, on 4 December 2023."""
    path = await active_contract(world, actors)
    await record(actors["mat"], path, "M1", "2023-09-01")
    await to(world, "2023-12-04")
    await set_finance(actors["finance"], path)
    return path


async def test_a_claim_goes_from_hand_to_hand_and_is_paid(seeded_world: World, actors: Actors, hands: Hands) -> None:
    path = await earning(seeded_world, actors)
    found = await payments(actors["rsc"], path)
    assert {code for code, each in found.items() if each["status"] == "earned"} == {"FEE-1", "M1"}
    claim = await submitted(hands, path)
    assert (await hands.approves.get(claim))["amount_pence"] == 5_000_000
    own = {"signed_by": "C. Ertifier"}
    same_key = await hands.prepares.ask("POST", f"{claim}/certification", json=own, headers={"If-Match": "*"})
    problem(same_key, 403, "same_hand")
    name = {"signed_by": " p.  reparer "}
    same_person = await hands.certifies.ask("POST", f"{claim}/certification", json=name, headers={"If-Match": "*"})
    problem(same_person, 403, "same_hand")
    await hands.certifies.change(claim, "certification", own)
    move_clock("2023-12-20")
    problem(await hands.certifies.ask("POST", f"{claim}/approval", json=own, headers={"If-Match": "*"}), 403)
    await hands.approves.change(claim, "approval", {"signed_by": "A. Pprover"})
    invoice = await invoice_of(hands.prepares, claim)
    assert (invoice["number"], invoice["gross_pence"]) == (f"INV-{cast.SUPPLIER}-000001", 5_000_000)
    assert invoice["body"]["due_on"] == "2024-01-03"
    body = {"signed_by": "P. Ayer", "paid_on": "2023-12-20", "amount_pence": 5_000_000, "reference": "BACS 1"}
    same = await hands.approves.ask("POST", f"{claim}/payment", json=body, headers={"If-Match": "*"})
    problem(same, 403, "same_hand")
    assert (
        problem(
            await hands.pays.ask(
                "POST", f"{claim}/payment", json=body | {"amount_pence": 4_999_999}, headers={"If-Match": "*"}
            ),
            409,
            "wrong_amount",
        )["amount_pence"]
        == 5_000_000
    )
    done = await pay(hands, claim, "2023-12-20")
    assert (done["status"], done["paid_on"], sorted(done["hands"])) == (
        "paid",
        "2023-12-20",
        ["approved", "certified", "paid", "prepared"],
    )
    found = await payments(actors["rsc"], path)
    assert {code for code, each in found.items() if each["status"] == "paid"} == {"FEE-1", "M1"}
    assert found["M1"]["paid_on"] == "2023-12-20"
    check_books(seeded_world)
    kinds = [each["type"] for each in (await actors["rsc"].get(f"{path}/events"))["data"]]
    story = ["claim.submitted", "claim.certified", "claim.approved", "invoice.issued", "payment.paid"]
    assert [each for each in kinds if each in story] == story
    assert "A. Pprover" not in str(seeded_world.rows("SELECT data::text FROM contracts.event"))


async def test_nothing_is_claimed_that_is_not_earned_or_twice_or_for_another_trust(
    seeded_world: World, actors: Actors, hands: Hands
) -> None:
    path = await earning(seeded_world, actors)
    body: Json = {"contract_id": path.rpartition("/")[2], "prepared_by": "P. Reparer"}
    unearned = body | {"items": [{"kind": "milestone", "code": "M2"}]}
    problem(await hands.prepares.ask("POST", "/v1/claims", json=unearned), 409, "nothing_to_claim")
    await submitted(hands, path, "M1")
    again = body | {"items": [{"kind": "milestone", "code": "M1"}]}
    problem(await hands.certifies.ask("POST", "/v1/claims", json=again), 409, "nothing_to_claim")
    stranger = await seeded_world.key(cast.ANOTHER_TRUST)
    problem(await stranger.ask("POST", "/v1/claims", json=body), 404)
    problem(await actors["rsc"].ask("POST", "/v1/claims", json=body), 403, "not_your_move")


async def test_a_claim_needs_to_know_how_it_is_invoiced(
    seeded_world: World, actors: Actors, active: str, hands: Hands
) -> None:
    await record(actors["mat"], active, "M1", "2023-09-01")
    await seeded_world.settle()
    body = {"contract_id": active.rpartition("/")[2], "prepared_by": "P. Reparer"}
    problem(await hands.prepares.ask("POST", "/v1/claims", json=body), 409, "finance_missing")


async def test_who_recorded_the_evidence_cannot_approve(
    seeded_world: World, actors: Actors, active: str, hands: Hands
) -> None:
    await record(actors["rsc"], active, "M1", "2023-09-01")
    await seeded_world.settle()
    await set_finance(actors["finance"], active)
    claim = await certified(hands, active, "M1")
    body = {"signed_by": "A. Pprover"}
    answer = await hands.approves.ask("POST", f"{claim}/approval", json=body, headers={"If-Match": "*"})
    problem(answer, 403, "recorded_by_you")
    assert (await hands.pays.change(claim, "approval", body))["status"] == "approved"


async def test_a_dispute_pauses_the_clock_and_the_rest_is_still_due(
    seeded_world: World, actors: Actors, hands: Hands
) -> None:
    path = await earning(seeded_world, actors)
    claim = await certified(hands, path)
    move_clock("2023-12-14")
    body = {"signed_by": "A. Pprover", "reason": "Not seen", "items": [{"kind": "milestone", "code": "M1"}]}
    part = await hands.approves.change(claim, "dispute", body)
    assert (part["status"], part["amount_pence"], part["id"] == claim.rpartition("/")[2]) == (
        "disputed",
        2_000_000,
        False,
    )
    rest = await hands.approves.get(claim)
    assert (rest["status"], rest["amount_pence"], rest["due_on"]) == ("certified", 3_000_000, "2024-01-03")
    move_clock("2024-01-04")
    late = (await hands.approves.get("/v1/claims", late=True))["data"]
    assert [(each["id"], each["late"]) for each in late] == [(rest["id"], True)]
    move_clock("2024-01-13")
    settled = {"signed_by": "A. Pprover", "finding": "payable", "reason": "Seen now"}
    part = await hands.approves.change(f"/v1/claims/{part['id']}", "dispute-resolution", settled)
    assert (part["status"], part["due_on"]) == ("certified", "2024-02-02")
    await hands.approves.change(claim, "approval", {"signed_by": "A. Pprover"})
    assert (await pay(hands, claim, "2024-01-13"))["status"] == "paid"
    check_books(seeded_world)


async def test_a_rejected_claim_can_be_made_anew_and_a_trust_can_withdraw_one(
    seeded_world: World, actors: Actors, hands: Hands
) -> None:
    path = await earning(seeded_world, actors)
    claim = await certified(hands, path, "M1")
    why = {"signed_by": "A. Pprover", "reason": "Wrong period"}
    assert (await hands.approves.change(claim, "rejection", why))["status"] == "rejected"
    again = await submitted(hands, path, "M1")
    assert (await hands.prepares.change(again, "rejection", why))["status"] == "withdrawn"
    claim = await certified(hands, path, "M1")
    await hands.approves.change(claim, "dispute", why)
    closed = why | {"finding": "not_payable"}
    assert (await hands.approves.change(claim, "dispute-resolution", closed))["status"] == "rejected"
    found = await payments(actors["rsc"], path)
    assert (found["M1"]["status"], found["M1"]["due_on"]) == ("earned", None)
    check_books(seeded_world)


async def unearn(world: World, path: str, code: str, now: str) -> None:
    """What the withdrawal of a record does to the payment of its milestone."""
    from datetime import datetime
    from uuid import UUID

    from services.contracts.payments.service import unearn as take_back
    from services.contracts.queries import locked_contract
    from services.contracts.rules.money import PaymentKind
    from services.kernel.auth import service_caller

    caller = service_caller("contracts")
    async with world.database("contracts").transaction(caller) as session:
        row = await locked_contract(session, UUID(path.rpartition("/")[2]))
        facts = {"kind": PaymentKind.MILESTONE, "code": code, "reason": "record_withdrawn"}
        await take_back(session, row=row, caller=caller, now=datetime.fromisoformat(f"{now}T12:00:00+00:00"), **facts)


@pytest.mark.parametrize(
    ("stage", "status", "claim_status"),
    [
        (None, "scheduled", None),
        (submitted, "scheduled", "void"),
        (certified, "scheduled", "void"),
        (approved, "reversed", "void"),
        (paid, "reversed", "paid"),
    ],
)
async def test_what_was_earned_by_a_record_that_was_withdrawn(
    seeded_world: World, actors: Actors, hands: Hands, stage: Json, status: str, claim_status: str | None
) -> None:
    path = await earning(seeded_world, actors)
    days = ("2023-12-04",) if stage is paid else ()
    claim = await stage(hands, path, *days, "M1") if stage else None
    await unearn(seeded_world, path, "M1", "2023-12-05")
    move_clock("2023-12-06")
    found = (await payments(actors["rsc"], path))["M1"]
    assert (found["status"], found["reason_code"]) == (status, "record_withdrawn")
    check_books(seeded_world)
    if claim:
        assert (await hands.prepares.get(claim))["status"] == claim_status
    if stage is not paid:
        return
    note = await invoice_of(hands.prepares, claim, "CRN")
    assert (note["number"], note["owed_pence"]) == (f"CRN-{cast.SUPPLIER}-000001", 2_000_000)
    assert note["body"]["preceding"]["number"] == f"INV-{cast.SUPPLIER}-000001"
    await hands.pays.change(f"/v1/invoices/{note['id']}", "repayment", {"repaid_on": "2023-12-06"})
    found = (await payments(actors["rsc"], path))["M1"]
    assert (found["status"], found["paid_pence"]) == ("reversed", 0)
    again = await hands.pays.ask(
        "POST", f"/v1/invoices/{note['id']}/repayment", json={"repaid_on": "2023-12-06"}, headers={"If-Match": "*"}
    )
    problem(again, 409, "nothing_owed")
    check_books(seeded_world)


async def test_money_between_commissioner_and_trust_is_not_the_responsible_bodys(
    seeded_world: World, actors: Actors, hands: Hands
) -> None:
    path = await earning(seeded_world, actors)
    claim = await paid(hands, path, "2023-12-04")
    invoice = (await invoice_of(hands.pays, claim))["id"]
    for target in (claim, f"/v1/invoices/{invoice}", f"{path}/finance"):
        problem(await actors["body"].ask("GET", target), 404)
        assert (await actors["dfe"].ask("GET", target)).status_code == 200
    assert (await actors["body"].get("/v1/claims"))["data"] == []
    kinds = {each["type"] for each in (await actors["body"].get(f"{path}/events"))["data"]}
    assert "payment.earned" in kinds
    assert not kinds & {"claim.submitted", "invoice.issued", "payment.paid", "finance.set"}
    other = await seeded_world.client(Kind.COMMISSIONER, regions=["London"], organisation="rsc-london")
    problem(await other.ask("GET", claim), 404)
