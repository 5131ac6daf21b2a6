"""The ledger under everything: verdicts, statements, documents, exports, and many at once."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from services.contracts.awards.service import award
from services.contracts.invoices.queries import next_serial
from services.contracts.queries import locked_contract
from services.contracts.rules.ledger import Account
from services.demo import cast
from services.kernel.auth import service_caller
from tests.integration.books import (
    Hands,
    approved,
    check_books,
    hands_of,
    invoice_of,
    ledger,
    paid,
    payments,
    set_finance,
    submitted,
)
from tests.integration.conftest import as_role, problem
from tests.integration.scenes import RESULTS_OUT, Case
from tests.world import Json, World, change, move_clock, plain_url

SELF = service_caller("contracts")
STOPS = {"clock": False, "payments": False, "reviews": False, "ring_fence": False}


@pytest.fixture
async def hands(case: Case) -> Hands:
    """Both sides, on a completed contract that can be invoiced."""
    await set_finance(case["finance"], case.contract)
    return await hands_of(case.world, case.actors)


def contract_id(case: Case) -> UUID:
    return UUID(case.contract.rpartition("/")[2])


def verdict(share: float, **changes: Json) -> Json:
    """A verdict by which both outcomes earn this share; floor is 1 and full 6."""
    measure = {
        "status": "met",
        "actual": {"n": 900},
        "effect": {"lower90": 0.4},
        "value_result": "same",
        "shrunk": 1 + 5 * share,
        "rounding_half_width": 0.05,
    }
    facts = {"id": str(uuid4()), "run": "final", "release_status": "final", "coverage": 1.0, "vetoes": []}
    return facts | {"measures": [measure | {"code": code} for code in ("O1", "O2")]} | changes


async def take(case: Case, evaluation: Json) -> None:
    """Take a verdict to the contract's payments."""
    async with case.world.database("contracts").transaction(SELF) as session:
        row = await locked_contract(session, contract_id(case))
        now = datetime.fromisoformat(f"{RESULTS_OUT}T12:00:00+00:00")
        await award(session, row=row, evaluation=evaluation, caller=SELF, now=now)


def outcome(case: Case, code: str) -> dict[Account, int]:
    found = ledger(case.world)[f"{contract_id(case)}/outcome", code]
    return {account: amount for account, amount in found.items() if amount}


async def test_the_verdict_of_the_main_job_has_moved_the_payments_for_outcomes(case: Case) -> None:
    check_books(case.world)
    for each in [each for each in (await payments(case["rsc"], case.contract)).values() if each["kind"] == "outcome"]:
        assert each["basis"]["settled"]
        assert each["earned_pence"] + each["reduced_pence"] == each["amount_pence"]
        assert each["earned_pence"] == round(each["amount_pence"] * each["basis"]["share"])


async def test_revised_verdicts_are_taken_by_new_entries_for_the_difference(case: Case, hands: Hands) -> None:
    await take(case, verdict(0.4))
    before = case.world.rows("SELECT * FROM contracts.ledger_entry ORDER BY id")
    await take(case, verdict(0.5))
    assert outcome(case, "O1") == {Account.VALUE: -3_000_000, Account.EARNED: 1_500_000, Account.REDUCED: 1_500_000}
    after = case.world.rows("SELECT * FROM contracts.ledger_entry ORDER BY id")
    assert [row for row in after if row in before] == before
    claim = await paid(hands, case.contract, RESULTS_OUT)
    await take(case, verdict(0.495))
    assert outcome(case, "O1")[Account.PAID] == 1_500_000
    assert Account.OWED not in outcome(case, "O1")
    await take(case, verdict(0.3))
    assert outcome(case, "O1")[Account.OWED] == -600_000
    note = await invoice_of(case["finance"], claim, "CRN")
    assert (note["owed_pence"], note["body"]["reason"]) == (600_000, "verdict_revised")
    assert [each["code"] for each in note["body"]["lines"]] == ["O2"]
    await take(case, verdict(0.9))
    assert (outcome(case, "O1")[Account.EARNED], outcome(case, "O1")[Account.REDUCED]) == (1_800_000, 300_000)
    check_books(case.world)


async def test_a_verdict_waits_while_a_suspension_stops_payments(case: Case) -> None:
    reached = outcome(case, "O1")
    await take(case, verdict(0.0))
    before = outcome(case, "O1")
    assert before != reached
    rests = {"reason": "an inquiry", "since": RESULTS_OUT, "stops": {**STOPS, "payments": True}}
    change(
        case.world.database_url,
        "UPDATE contracts.contract SET status = 'suspended', ended_on = NULL,"
        " suspension = %(rests)s::jsonb WHERE id = %(id)s",
        rests=json.dumps(rests),
        id=contract_id(case),
    )
    await take(case, verdict(1.0))
    assert outcome(case, "O1") == before
    await case["rsc"].change(case.contract, "resumption", {"reason": "cleared"})
    await case.world.settle()
    assert outcome(case, "O1") == reached
    check_books(case.world)


async def test_an_advance_keeps_a_quarter_back_and_guards_block_all(case: Case, hands: Hands) -> None:
    await take(case, verdict(0.0))
    await take(case, verdict(1.0, run="interim", release_status="provisional"))
    held = outcome(case, "O1")
    assert held[Account.EARNED] == 2_250_000
    claim = await submitted(hands, case.contract)
    await take(case, verdict(1.0, vetoes=["disadvantaged_pupils_fell_behind"]))
    assert outcome(case, "O1") == {Account.VALUE: -3_000_000, Account.REDUCED: 3_000_000}
    codes = {each["code"] for each in (await case["finance"].get(claim))["lines"]}
    assert {"FEE-1", "M1"} <= codes
    assert not codes & {"O1", "O2"}
    check_books(case.world)


async def test_a_statement_is_the_ledger_to_the_penny(case: Case, hands: Hands) -> None:
    await paid(hands, case.contract, RESULTS_OUT, "FEE-1", "M1")
    await submitted(hands, case.contract)
    found = await case["finance"].get(f"{case.contract}/statement")
    raw = case.world.rows("SELECT account, sum(amount_pence)::bigint FROM contracts.ledger_entry GROUP BY 1")
    assert {name: each["closing_pence"] for name, each in found["totals"].items() if each["closing_pence"]} == {
        account: amount for account, amount in raw if amount
    }
    assert sum(each["closing_pence"] for each in found["totals"].values()) == 0
    [told] = found["contracts"]
    moved = dict.fromkeys(told["accounts"], 0)
    for each in told["movements"]:
        moved[each["from"]] -= each["amount_pence"]
        moved[each["to"]] += each["amount_pence"]
    assert moved == {name: each["closing_pence"] for name, each in told["accounts"].items()}
    year = {"from": "2024-01-01", "until": "2024-12-31"}
    part = (await case["finance"].get(f"{case.contract}/statement", **year))["contracts"][0]
    rows = case.world.rows(
        "SELECT account, sum(amount_pence) FILTER (WHERE occurred_on < '2024-01-01')::bigint,"
        " sum(amount_pence) FILTER (WHERE occurred_on <= '2024-12-31')::bigint FROM contracts.ledger_entry GROUP BY 1"
    )
    for account, opening, closing in rows:
        line = part["accounts"][account]
        assert (line["opening_pence"], line["closing_pence"]) == (opening or 0, closing or 0)
    whole = await case["finance"].get(f"/v1/trusts/{cast.SUPPLIER}/statement")
    assert whole["totals"] == found["totals"]
    answer = await case["finance"].ask("GET", f"{case.contract}/statement", params={"format": "csv"})
    table = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    assert answer.content.endswith(b"\r\n")
    closing = {row[5]: row[6] for row in table if row[7] == "closing"}
    assert closing["paid"] == "50000.00"
    pdf = await case["finance"].ask("GET", f"{case.contract}/statement", headers={"Accept": "application/pdf"})
    assert (pdf.content[:5], pdf.headers["content-type"]) == (b"%PDF-", "application/pdf")
    problem(await case["finance"].ask("GET", f"/v1/trusts/{cast.ANOTHER_TRUST}/statement"), 404)


@pytest.mark.parametrize("category", ["O", "S", "E"])
async def test_an_invoice_is_valid_for_peppol_and_readable(
    case: Case, hands: Hands, category: str, tmp_path: Path
) -> None:
    reason: Json = {} if category == "O" else {"vat_number": "GB888801003"}
    reason |= {"vat_reason": "Exempt education"} if category == "E" else {}
    reason |= {"vat_reason": None} if category == "S" else {}
    await set_finance(case["finance"], case.contract, vat_category=category, **reason)
    claim = await approved(hands, case.contract, "FEE-1", "M1")
    invoice = await invoice_of(case["finance"], claim)
    assert invoice["vat_pence"] == (1_000_000 if category == "S" else 0)
    path = f"/v1/invoices/{invoice['id']}"
    document = await case["rsc"].ask("GET", path, headers={"Accept": "application/xml"})
    assert document.headers["content-disposition"] == f'attachment; filename="{invoice["number"]}.xml"'
    (tmp_path / "invoice.xml").write_bytes(document.content)
    tool = Path(sys.executable).with_name("peppol-ubl-validate")
    checked = await asyncio.to_thread(
        subprocess.run, [tool, tmp_path / "invoice.xml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    pdf = [await case["rsc"].ask("GET", path, params={"format": "pdf"}) for _ in range(2)]
    assert pdf[0].content == pdf[1].content
    assert pdf[0].content.startswith(b"%PDF-")
    await set_finance(case["finance"], case.contract, account_code="999999")
    assert (await case["rsc"].get(path))["body"] == invoice["body"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), as_role(case.world.database_url, "contracts") as role:
        role.execute("UPDATE contracts.invoice SET net_pence = 1")


async def test_exports_for_finance_packages(case: Case, hands: Hands) -> None:
    await set_finance(case["finance"], case.contract, bank_code="1200")
    await paid(hands, case.contract, RESULTS_OUT, "FEE-1", "M1")
    found = {}
    for package in ("generic", "sage50", "xero"):
        answer = await case["finance"].ask("GET", "/v1/exports/payments", params={"format": package})
        assert answer.status_code == 200
        found[package] = list(csv.reader(io.StringIO(answer.content.decode("cp1252"), newline="")))
    assert [row[0] for row in found["sage50"]] == ["SI", "SI", "SA"]
    assert found["sage50"][2][1:3] == ["RSCNW", "1200"]
    assert found["sage50"][0][4:6] == ["21/03/2025", f"INV-{cast.SUPPLIER}-000001"]
    assert found["generic"][1][11:14] == ["30000.00", "0.00", "30000.00"]
    head = found["xero"][0]
    assert (head[0], head[10], found["xero"][1][head.index("*TaxType")]) == ("*ContactName", "*InvoiceNumber", "No VAT")
    strange = await case.world.key(cast.ANOTHER_TRUST)
    answer = await strange.ask("GET", "/v1/exports/payments")
    assert answer.text.count("\r\n") == 1


async def test_of_many_claims_at_once_one_is_made(case: Case, hands: Hands) -> None:
    body = {"contract_id": str(contract_id(case)), "prepared_by": "P. Reparer"}
    answers = await asyncio.gather(*(hands.prepares.ask("POST", "/v1/claims", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    check_books(case.world)


def journal(connection: Any, contract: UUID, source: str, target: str, amount: int) -> None:
    """Two entries, written past every rule of the service."""
    entries = ((source, -amount), (target, amount))
    name = uuid4()
    for account, pence in entries:
        connection.execute(
            "INSERT INTO contracts.ledger_entry (id, journal_id, contract_id, kind, code, account, amount_pence,"
            " occurred_on, reason, recorded_at) VALUES (gen_random_uuid(), %s, %s, 'fee', 'FEE-1', %s, %s, now(), 'x',"
            " now())",
            (name, contract, account, pence),
        )


async def test_two_transactions_at_once_cannot_move_the_same_money(case: Case) -> None:
    url, contract = plain_url(case.world.database_url), contract_id(case)
    with psycopg.connect(url) as first, psycopg.connect(url) as second:
        journal(first, contract, "earned", "claimed", 3_000_000)
        journal(second, contract, "earned", "claimed", 3_000_000)
        first.commit()
        with pytest.raises(psycopg.errors.CheckViolation, match="less than nothing"):
            second.commit()
    for source, target, amount in (("value", "scheduled", 1), ("value", "paid", 23_000_000)):
        with psycopg.connect(url) as connection:
            journal(connection, contract, source, target, amount)
            with pytest.raises(psycopg.errors.CheckViolation, match="more than the value"):
                connection.commit()
    with psycopg.connect(url) as connection:
        journal(connection, contract, "earned", "claimed", 1)
        connection.execute(
            "INSERT INTO contracts.ledger_entry SELECT gen_random_uuid(), gen_random_uuid(), contract_id, kind, code,"
            " account, claim_id, 5, occurred_on, reason, cause_id, recorded_at FROM contracts.ledger_entry LIMIT 1"
        )
        with pytest.raises(psycopg.errors.CheckViolation, match=r"sum to zero|less than nothing"):
            connection.commit()
    with (
        as_role(case.world.database_url, "contracts") as role,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        role.execute("UPDATE contracts.ledger_entry SET amount_pence = 1")


class UndoneError(Exception):
    """Something else in the transaction went wrong."""


async def test_numbers_have_no_gaps_however_many_want_one_and_fail(database_url: str, world: World) -> None:
    given: list[int] = []

    async def number(place: int) -> None:
        try:
            async with world.database("contracts").transaction(SELF) as session:
                serial = await next_serial(session, cast.SUPPLIER, "INV")
                await asyncio.sleep(0)
                if place % 3 == 0:
                    raise UndoneError
        except UndoneError:
            return
        given.append(serial)

    await change_bounds(world)
    await asyncio.gather(*(number(place) for place in range(30)))
    assert sorted(given) == list(range(1, 21))


async def change_bounds(world: World) -> None:
    """A series belongs to a trust that has a contract; the service is let in without one here."""
    with psycopg.connect(plain_url(world.database_url)) as connection:
        connection.execute("ALTER TABLE contracts.invoice_series DISABLE ROW LEVEL SECURITY")


async def test_rows_of_money_are_seen_by_those_whose_money_it_is(case: Case, hands: Hands) -> None:
    await paid(hands, case.contract, RESULTS_OUT, "FEE-1")
    tables = ("ledger_entry", "claim", "invoice", "invoice_series", "finance")
    sees = {
        ("dfe", "dfe", "", ""): True,
        ("supplier", "x", cast.SUPPLIER, ""): True,
        ("supplier", "x", cast.ANOTHER_TRUST, ""): False,
        ("commissioner", "rsc-north-west", "", ""): True,
        ("commissioner", "rsc-london", "", ""): False,
        ("responsible_body", "x", cast.OUTGOING, ""): False,
        ("responsible_body", "x", "", cast.SCHOOL): False,
        ("", "", "", ""): False,
    }
    with as_role(case.world.database_url, "contracts") as role:
        for (kind, organisation, trust, urns), seen in sees.items():
            bounds = {"kind": kind, "organisation": organisation, "trust_uid": trust, "urns": urns}
            for name, value in (bounds | {"regions": "", "la_codes": ""}).items():
                role.execute("SELECT set_config(%s, %s, false)", (f"ringfence.{name}", value))
            for table in tables:
                found = role.execute(f"SELECT FROM contracts.{table} LIMIT 1").fetchall()
                assert bool(found) is seen, (kind, trust, table)


async def test_what_was_paid_is_published(case: Case, hands: Hands) -> None:
    await paid(hands, case.contract, RESULTS_OUT, "FEE-1", "M1")
    move_clock(RESULTS_OUT)
    await case.world.settle()
    ocid = f"ocds-213czf-{contract_id(case)}"
    record = (await case["rsc"].get(f"/v1/ocds/records/{ocid}"))["records"][0]["compiledRelease"]
    done = record["contracts"][0]["implementation"]
    amounts = {
        each["id"].rpartition("-fee-")[2].rpartition("-")[2]: each["value"]["amount"] for each in done["transactions"]
    }
    assert sorted(amounts.values()) == [20_000.0, 30_000.0]
    assert done["finalValue"] == {"amount": 50_000.0, "currency": "GBP"}
    [milestone] = [each for each in done["transactions"] if "relatedImplementationMilestone" in each]
    assert milestone["relatedImplementationMilestone"]["id"] == "M1"
