"""An invoice or credit note as UBL 2.1 by Peppol BIS Billing 3.0, which is EN 16931 (Procurement Act 2023 s.67)."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from services.contracts.rules.documents.lines import pounds

Body = Mapping[str, Any]
URN = "urn:oasis:names:specification:ubl:schema:xsd:"
SPACES = {"cac": f"{URN}CommonAggregateComponents-2", "cbc": f"{URN}CommonBasicComponents-2"}
CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
KINDS = {"INV": ("Invoice", "380", "Invoiced"), "CRN": ("CreditNote", "381", "Credited")}
"""By series: the document, its type in UNCL 1001, and how its quantities are called."""


def invoice_xml(body: Body) -> bytes:
    """The frozen document as UBL; the same document gives the same bytes."""
    document, type_code, counted = KINDS[body["series"]]
    root = ET.Element(f"{{{URN}{document}-2}}{document}")
    add(root, "cbc:CustomizationID", CUSTOMIZATION)
    add(root, "cbc:ProfileID", PROFILE)
    add(root, "cbc:ID", body["number"])
    add(root, "cbc:IssueDate", body["issued_on"])
    if "due_on" in body:
        add(root, "cbc:DueDate", body["due_on"])
    add(root, f"cbc:{document}TypeCode", type_code)
    if body.get("reason"):
        add(root, "cbc:Note", body["reason"])
    add(root, "cbc:DocumentCurrencyCode", body["currency"])
    add(root, "cbc:BuyerReference", body["buyer"]["reference"])
    references(root, body)
    party(add(root, "cac:AccountingSupplierParty"), body["seller"], body["vat"]["category"])
    party(add(root, "cac:AccountingCustomerParty"), body["buyer"], None)
    if body["seller"].get("bank_account"):
        means = add(root, "cac:PaymentMeans")
        add(means, "cbc:PaymentMeansCode", "30")
        add(means, "cbc:PaymentID", body["number"])
        add(add(means, "cac:PayeeFinancialAccount"), "cbc:ID", body["seller"]["bank_account"])
    add(add(root, "cac:PaymentTerms"), "cbc:Note", terms(body))
    tax(root, body)
    sums(root, body)
    for each in body["lines"]:
        line(root, each, document, counted, body)
    return tree(root, document)


def tree(root: ET.Element, document: str) -> bytes:
    """The document as bytes, with the prefixes that everybody uses."""
    for prefix, uri in {**SPACES, "": f"{URN}{document}-2"}.items():
        ET.register_namespace(prefix, uri)
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def add(parent: ET.Element, name: str, words: str | None = None, **attributes: str) -> ET.Element:
    """A child by its prefixed name."""
    prefix, _, local = name.partition(":")
    found = ET.SubElement(parent, f"{{{SPACES[prefix]}}}{local}", attributes)
    found.text = words
    return found


def money(parent: ET.Element, name: str, pence: int) -> None:
    """An amount in pounds."""
    add(parent, f"cbc:{name}", f"{pounds(pence):.2f}", currencyID="GBP")


def terms(body: Body) -> str:
    """How and by when it is to be paid."""
    if "due_on" in body:
        return f"To be paid by {body['due_on']}: 30 days from a valid claim (Procurement Act 2023, section 68)."
    return f"To be set off or repaid: credit to invoice {body['preceding']['number']}."


def references(root: ET.Element, body: Body) -> None:
    """What it follows from: the contract by its Open Contracting identifier; a credit note from its invoice too."""
    if "preceding" in body:
        before = add(add(root, "cac:BillingReference"), "cac:InvoiceDocumentReference")
        add(before, "cbc:ID", body["preceding"]["number"])
        add(before, "cbc:IssueDate", body["preceding"]["issued_on"])
    contract = body["contract"]
    add(add(root, "cac:ContractDocumentReference"), "cbc:ID", contract["ocid"] or contract["reference"])


def party(parent: ET.Element, who: Body, category: str | None) -> None:
    """Seller or buyer. Where a supply is outside the scope of VAT, the seller's VAT number may not be named."""
    found = add(parent, "cac:Party")
    add(found, "cbc:EndpointID", who["endpoint"]["id"], schemeID=who["endpoint"]["scheme"])
    if "uid" in who:
        add(add(found, "cac:PartyIdentification"), "cbc:ID", who["uid"])
    add(add(found, "cac:PartyName"), "cbc:Name", who["name"])
    postal, address = add(found, "cac:PostalAddress"), who["address"]
    if address:
        for name, key in (("StreetName", "street"), ("CityName", "city"), ("PostalZone", "postcode")):
            add(postal, f"cbc:{name}", address[key])
    add(add(postal, "cac:Country"), "cbc:IdentificationCode", "GB")
    if who.get("vat_number") and category not in {None, "O"}:
        scheme = add(found, "cac:PartyTaxScheme")
        add(scheme, "cbc:CompanyID", who["vat_number"])
        add(add(scheme, "cac:TaxScheme"), "cbc:ID", "VAT")
    legal = add(found, "cac:PartyLegalEntity")
    add(legal, "cbc:RegistrationName", who["name"])
    if who.get("company_number"):
        add(legal, "cbc:CompanyID", who["company_number"])


def tax_category(parent: ET.Element, name: str, vat: Body, *, reason: bool) -> None:
    """A VAT category; outside the scope there is no rate."""
    found = add(parent, f"cac:{name}")
    add(found, "cbc:ID", vat["category"])
    if vat["category"] != "O":
        add(found, "cbc:Percent", f"{vat['percent']:g}")
    if reason and vat["reason"]:
        add(found, "cbc:TaxExemptionReason", vat["reason"])
    add(add(found, "cac:TaxScheme"), "cbc:ID", "VAT")


def tax(root: ET.Element, body: Body) -> None:
    """The VAT of the whole."""
    total = add(root, "cac:TaxTotal")
    money(total, "TaxAmount", body["vat_pence"])
    part = add(total, "cac:TaxSubtotal")
    money(part, "TaxableAmount", body["net_pence"])
    money(part, "TaxAmount", body["vat_pence"])
    tax_category(part, "TaxCategory", body["vat"], reason=True)


def sums(root: ET.Element, body: Body) -> None:
    """What the lines come to."""
    found = add(root, "cac:LegalMonetaryTotal")
    for name, key in (
        ("LineExtensionAmount", "net_pence"),
        ("TaxExclusiveAmount", "net_pence"),
        ("TaxInclusiveAmount", "gross_pence"),
        ("PayableAmount", "gross_pence"),
    ):
        money(found, name, body[key])


def line(root: ET.Element, each: Body, document: str, counted: str, body: Body) -> None:
    """One part of the contract's value, under the trust's account code."""
    found = add(root, f"cac:{document}Line")
    add(found, "cbc:ID", str(each["number"]))
    add(found, f"cbc:{counted}Quantity", "1", unitCode="C62")
    money(found, "LineExtensionAmount", each["net_pence"])
    add(found, "cbc:AccountingCost", each["account_code"])
    if each["starts_on"]:
        period = add(found, "cac:InvoicePeriod")
        add(period, "cbc:StartDate", each["starts_on"])
        add(period, "cbc:EndDate", each["ends_on"])
    item = add(found, "cac:Item")
    add(item, "cbc:Name", each["description"])
    tax_category(item, "ClassifiedTaxCategory", body["vat"], reason=False)
    money(add(found, "cac:Price"), "PriceAmount", each["net_pence"])
