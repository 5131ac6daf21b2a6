"""Documents of money: exports that no spreadsheet runs, credit notes that validate, statements that add up."""

import csv
import io
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.documents.exports import Booked, generic, sage50, xero
from services.contracts.rules.documents.lines import day, described, shown
from services.contracts.rules.documents.pdf import invoice_pdf, statement_pdf
from services.contracts.rules.documents.tables import csv_bytes, guarded
from services.contracts.rules.documents.ubl import invoice_xml

ADDRESS = {"street": "1 Some Street", "city": "Blackburn", "postcode": "BB1 2HT"}


def document(series: str = "INV", category: str = "S", name: str = "RSC North West", **more: Any) -> dict[str, Any]:
    """A frozen document over two lines of 50,000.03 pounds."""
    taxed = category == "S"
    lines = [
        {"number": 1, "kind": "fee", "code": "FEE-1", "starts_on": "2023-09-01", "ends_on": "2023-11-30"},
        {"number": 2, "kind": "milestone", "code": "M1", "starts_on": None, "ends_on": None},
    ]
    books = {"account_code": "510320", "cost_centre": "SI01", "fund": "GAG"}
    for line, net in zip(lines, (3_000_003, 2_000_000), strict=True):
        line |= {"description": f"{line['kind']} {line['code']}", "net_pence": net, **books}
    found = {
        "series": series,
        "number": f"{series}-4903-000001",
        "title": "Invoice" if series == "INV" else "Credit note",
        "issued_on": "2023-12-20",
        "currency": "GBP",
        "seller": {
            "name": "A Trust",
            "uid": "4903",
            "company_number": "07387540",
            "vat_number": "GB888801003",
            "endpoint": {"scheme": "9932", "id": "GB888801003"},
            "address": ADDRESS,
            "bank_account": "GB33BUKB20201555555555",
            "bank_code": "1200",
        },
        "buyer": {
            "name": name,
            "reference": "PO-1",
            "customer_account": "RSCNW",
            "endpoint": {"scheme": "0088", "id": "5060000000009"},
            "address": None,
        },
        "contract": {"reference": "CTR-2023-000001", "title": "A contract", "ocid": None},
        "claim": "CTR-2023-000001-01",
        "vat": {
            "category": category,
            "reason": None if taxed else "a reason",
            "percent": 20.0 if taxed else 0.0,
        },
        "lines": lines,
        "net_pence": 5_000_003,
        "vat_pence": 1_000_001 if taxed else 0,
        "gross_pence": 6_000_004 if taxed else 5_000_003,
    }
    if series == "INV":
        return found | {"due_on": "2024-01-03"} | more
    before = {"number": "INV-4903-000001", "issued_on": "2023-12-20"}
    return found | {"preceding": before, "reason": "record_withdrawn"} | more


def read(made: bytes, encoding: str = "utf-8") -> list[list[str]]:
    return list(csv.reader(io.StringIO(made.decode(encoding), newline="")))


def test_credit_notes_of_every_category_validate(tmp_path: Path) -> None:
    files = []
    for category in "SEO":
        files.append(tmp_path / f"{category}.xml")
        files[-1].write_bytes(invoice_xml(document("CRN", category)))
    plain = document("INV", "O")
    plain["seller"] |= {"company_number": None, "vat_number": None, "bank_account": None}
    files.append(tmp_path / "plain.xml")
    files[-1].write_bytes(invoice_xml(plain))
    tool = Path(sys.executable).with_name("peppol-ubl-validate")
    checked = subprocess.run([tool, *files], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("words", ["=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "\r=1", " =cmd", "\n@x"])
def test_no_cell_is_run(words: str) -> None:
    assert guarded(words).startswith("'")


@given(st.text(max_size=30))
def test_whatever_a_name_is_no_cell_begins_a_formula_and_no_row_is_broken(words: str) -> None:
    [[found, beside]] = read(csv_bytes([[words, "beside"]]).replace(b"\x00", b""), "utf-8")
    assert beside == "beside"
    assert not found.lstrip().startswith(("=", "+", "-", "@"))


def test_a_table_for_any_package() -> None:
    rows = read(generic([Booked(document(name="=HYPERLINK(1)"), date(2024, 1, 2)), Booked(document("CRN"), None)]))
    head = rows[0]
    first, credit = dict(zip(head, rows[1], strict=True)), dict(zip(head, rows[3], strict=True))
    assert (first["net"], first["vat"], first["gross"]) == ("30000.03", "6000.01", "36000.04")
    assert (first["customer"], first["settled_on"]) == ("'=HYPERLINK(1)", "2024-01-02")
    assert (credit["net"], credit["due_on"]) == ("-30000.03", "")
    assert sum(float(row[head.index("vat")]) for row in rows[1:3]) == pytest.approx(10_000.01)


def test_sages_audit_trail() -> None:
    made = sage50([Booked(document(), date(2024, 1, 2)), Booked(document("CRN", "E"), date(2024, 2, 1))])
    rows = read(made, "cp1252")
    assert [row[0] for row in rows] == ["SI", "SI", "SA", "SC", "SC"]
    assert rows[0] == [
        "SI",
        "RSCNW",
        "510320",
        "SI01",
        "20/12/2023",
        "INV-4903-000001",
        "fee FEE-1",
        "30000.03",
        "T1",
        "6000.01",
        "1.00",
        "GAG",
    ]
    assert rows[2][:8] == ["SA", "RSCNW", "1200", "", "02/01/2024", "INV-4903-000001", rows[2][6], "60000.04"]
    assert rows[3][8] == "T2"
    assert sage50([Booked(document(name="x"), None)]).count(b"\r\n") == 2


def test_xeros_template() -> None:
    rows = read(xero([Booked(document(), None), Booked(document("CRN", "O"), None)]))
    head = rows[0]
    first, credit = dict(zip(head, rows[1], strict=True)), dict(zip(head, rows[3], strict=True))
    assert [name for name in head if name.startswith("*")] == [
        "*ContactName",
        "*InvoiceNumber",
        "*InvoiceDate",
        "*DueDate",
        "*Description",
        "*Quantity",
        "*UnitAmount",
        "*AccountCode",
        "*TaxType",
    ]
    assert (first["*InvoiceDate"], first["*DueDate"], first["*TaxType"]) == (
        "20/12/2023",
        "03/01/2024",
        "20% (VAT on Income)",
    )
    assert (credit["*UnitAmount"], credit["*DueDate"], credit["*TaxType"]) == ("-30000.03", "20/12/2023", "No VAT")
    with_address = document()
    with_address["buyer"]["address"] = ADDRESS
    assert "Blackburn" in read(xero([Booked(with_address, None)]))[1]


def test_documents_to_read_are_the_same_every_time() -> None:
    for each in (document(), document("CRN", "O"), document("INV", "E")):
        assert invoice_pdf(each) == invoice_pdf(each)
    bare = document(contract={"reference": "CTR-1", "title": "x", "ocid": "ocds-213czf-1"})
    bare["seller"] |= {"bank_account": None}
    assert invoice_pdf(bare).startswith(b"%PDF-")
    movement = {"occurred_on": "2023-09-01", "kind": "fee", "code": "FEE-1", "from": "value", "to": "scheduled"}
    contract = {
        "reference": "CTR-1",
        "title": "A contract",
        "accounts": {"value": {"opening_pence": 0, "moved_pence": -5, "closing_pence": -5}},
        "movements": [movement | {"amount_pence": 5, "reason": "agreed"}],
    }
    for first in (None, "2023-09-01"):
        whole = {"of": "trust 4903", "from": first, "until": "2023-12-31", "contracts": [contract]}
        assert statement_pdf(whole).startswith(b"%PDF-")


def test_words_for_people() -> None:
    assert described("milestone", "M1", "Diagnosis agreed") == "Milestone M1: Diagnosis agreed"
    assert (shown(123_456_789), shown(-5)) == ("£1,234,567.89", "-£0.05")
    assert day("2023-09-01") == day(date(2023, 9, 1)) == "1 September 2023"
