"""Invoices for finance packages: a plain table, Sage 50's audit trail, and Xero's sales invoices (STANDARDS.md 9)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.contracts.rules.documents.lines import pounds
from services.contracts.rules.documents.tables import Cell, csv_bytes
from services.contracts.rules.vat import VatCategory, totals

Body = Mapping[str, Any]
XERO_FILE = 500
"""Invoices that Xero takes in one file."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A document to be booked: as it was frozen, and the day on which it was paid or repaid, where it was."""

    body: Body
    settled_on: date | None


def sign(document: Booked) -> int:
    """A credit note counts with a minus."""
    return -1 if document.body["series"] == "CRN" else 1


def taxed(body: Body) -> Iterator[tuple[Body, int]]:
    """Lines with their VAT in pence, each the growth of that of the sum: together exactly the VAT of the document."""
    category, done, so_far = VatCategory(body["vat"]["category"]), 0, 0
    for line in body["lines"]:
        so_far += line["net_pence"]
        vat = totals(so_far, category).vat_pence - done
        done += vat
        yield line, vat


GENERIC = (
    "document",
    "number",
    "issued_on",
    "due_on",
    "settled_on",
    "contract",
    "claim",
    "customer",
    "kind",
    "code",
    "description",
    "net",
    "vat",
    "gross",
    "vat_category",
    "account_code",
    "cost_centre",
    "fund",
)


def generic(documents: Sequence[Booked]) -> bytes:
    """A table with a head, a row for each line; amounts in pounds, credit notes with a minus."""
    rows: list[Sequence[Cell]] = [GENERIC]
    for each in documents:
        body, by = each.body, sign(each)
        for line, vat in taxed(body):
            rows.append(
                (
                    body["title"],
                    body["number"],
                    body["issued_on"],
                    body.get("due_on"),
                    each.settled_on,
                    body["contract"]["reference"],
                    body["claim"],
                    body["buyer"]["name"],
                    line["kind"],
                    line["code"],
                    line["description"],
                    by * pounds(line["net_pence"]),
                    by * pounds(vat),
                    by * pounds(line["net_pence"] + vat),
                    body["vat"]["category"],
                    line["account_code"],
                    line["cost_centre"],
                    line["fund"],
                )
            )
    return csv_bytes(rows)


def british(day: str | date) -> str:
    """A day as 01/09/2023."""
    return f"{date.fromisoformat(str(day)):%d/%m/%Y}"


SAGE_TAX = {"S": "T1", "E": "T2", "O": "T9"}
"""Sage 50's own codes: standard rate, exempt, not in the VAT return."""


def sage50(documents: Sequence[Booked]) -> bytes:
    """Sage 50's audit trail transactions: no head, columns by place, Windows-1252.

    Invoices are SI, credit notes SC; money received is SA, on account, to be matched there. Columns: type, account,
    nominal code, department, date, reference, details, net, tax code, tax, exchange rate, extra reference.
    """
    rows: list[Sequence[Cell]] = []
    for each in documents:
        body = each.body
        account, kind = body["buyer"]["customer_account"], "SC" if body["series"] == "CRN" else "SI"
        for line, vat in taxed(body):
            amounts = (pounds(line["net_pence"]), SAGE_TAX[body["vat"]["category"]], pounds(vat))
            words = (british(body["issued_on"]), body["number"], line["description"][:60])
            own = (line["account_code"], line["cost_centre"])
            rows.append((kind, account, *own, *words, *amounts, "1.00", line["fund"]))
        bank = body["seller"].get("bank_code")
        if kind == "SI" and each.settled_on and bank:
            words = (british(each.settled_on), body["number"], f"Receipt for {body['number']}")
            rows.append(("SA", account, bank, "", *words, pounds(body["gross_pence"]), "T9", pounds(0), "1.00", ""))
    return csv_bytes(rows, "cp1252")


XERO = (
    "*ContactName",
    "EmailAddress",
    "POAddressLine1",
    "POAddressLine2",
    "POAddressLine3",
    "POAddressLine4",
    "POCity",
    "PORegion",
    "POPostalCode",
    "POCountry",
    "*InvoiceNumber",
    "Reference",
    "*InvoiceDate",
    "*DueDate",
    "InventoryItemCode",
    "*Description",
    "*Quantity",
    "*UnitAmount",
    "Discount",
    "*AccountCode",
    "*TaxType",
    "TaxAmount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
    "Currency",
    "BrandingTheme",
)
XERO_TAX = {"S": "20% (VAT on Income)", "E": "Exempt Income", "O": "No VAT"}


def xero(documents: Sequence[Booked]) -> bytes:
    """Xero's template for sales invoices: amounts without tax throughout, a credit note as a negative invoice.

    The caller gives no more than XERO_FILE documents.
    """
    rows: list[Sequence[Cell]] = [XERO]
    for each in documents:
        body, by = each.body, sign(each)
        address = body["buyer"]["address"] or {}
        for line, vat in taxed(body):
            found: dict[str, Cell] = {
                "*ContactName": body["buyer"]["name"],
                "POAddressLine1": address.get("street"),
                "POCity": address.get("city"),
                "POPostalCode": address.get("postcode"),
                "*InvoiceNumber": body["number"],
                "Reference": body["buyer"]["reference"],
                "*InvoiceDate": british(body["issued_on"]),
                "*DueDate": british(body.get("due_on") or body["issued_on"]),
                "*Description": line["description"],
                "*Quantity": 1,
                "*UnitAmount": by * pounds(line["net_pence"]),
                "*AccountCode": line["account_code"],
                "*TaxType": XERO_TAX[body["vat"]["category"]],
                "TaxAmount": by * pounds(vat),
                "TrackingName1": "Cost centre",
                "TrackingOption1": line["cost_centre"],
                "TrackingName2": "Fund",
                "TrackingOption2": line["fund"],
                "Currency": body["currency"],
            }
            rows.append([found.get(name) for name in XERO])
    return csv_bytes(rows)
