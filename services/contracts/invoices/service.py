"""Issuing invoices and credit notes: each is numbered, reckoned and frozen in the transaction of its cause."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from services.contracts.accounts import Claim, Finance, Invoice
from services.contracts.events import tell
from services.contracts.invoices import queries
from services.contracts.ledger.service import open_book
from services.contracts.models import Contract, Payment
from services.contracts.rules.documents.lines import described
from services.contracts.rules.ledger import Account, Move, moved
from services.contracts.rules.life import ROLES
from services.contracts.rules.terms import BadTerms
from services.contracts.rules.vat import VatCategory, rate_of, totals
from services.kernel.auth import Caller
from services.kernel.errors import DomainError
from services.kernel.types import london_date, plain

Body = dict[str, Any]
TITLES = {"INV": "Invoice", "CRN": "Credit note"}


def line(number: int, payment: Payment, amount_pence: int, title: str, settings: Mapping[str, Any]) -> Body:
    """One line: a part of the contract's value, under the strings that the trust books it by."""
    found: Body = plain(
        {
            "number": number,
            "kind": payment.kind,
            "code": payment.code,
            "description": described(payment.kind, payment.code, title),
            "starts_on": payment.period_starts_on,
            "ends_on": payment.period_ends_on,
            "net_pence": amount_pence,
            **{name: settings[name] for name in ("account_code", "cost_centre", "fund")},
        }
    )
    return found


def parties(contract: Contract, settings: Mapping[str, Any]) -> Body:
    """Who sells and who buys, as they stand on the invoice."""
    trust, buyer = contract.supplier, contract.commissioner
    number = trust.get("companies_house_number")
    return {
        "seller": {
            "name": trust["name"],
            "uid": contract.supplier_uid,
            "company_number": number.upper().zfill(8) if number else None,
            "vat_number": settings["vat_number"],
            "endpoint": settings["seller_endpoint"],
            "address": settings["seller_address"],
            "bank_account": settings["bank_account"],
            "bank_code": settings["bank_code"],
        },
        "buyer": {
            "name": buyer["name"],
            "reference": settings["buyer_reference"],
            "customer_account": settings["customer_account"],
            "endpoint": settings["buyer_endpoint"],
            "address": settings["buyer_address"],
        },
    }


async def issue(
    session: AsyncSession,
    *,
    contract: Contract,
    claim: Claim,
    finance: Finance,
    lines: Sequence[tuple[Payment, int, str]],
    ocid: str | None,
    today: date,
    caller: Caller,
    now: datetime,
) -> Invoice:
    """The invoice for a claim that was approved; `lines` are payments, amounts in pence and titles."""
    settings = finance.settings
    body = {
        **parties(contract, settings),
        "contract": {"reference": contract.reference, "title": contract.title, "ocid": ocid},
        "claim": claim.reference,
        "due_on": claim.due_on,
        "vat": {name: settings[f"vat_{name}"] for name in ("category", "reason")},
        "lines": [line(number, *each, settings) for number, each in enumerate(lines, 1)],
    }
    return await freeze(session, contract, claim, "INV", body, 0, today, caller, now)


async def credit(
    session: AsyncSession,
    *,
    contract: Contract,
    claim: Claim,
    amounts: Mapping[tuple[str, str], int],
    owed: bool,
    reason: str,
    today: date,
    caller: Caller,
    now: datetime,
) -> Invoice:
    """A credit note to a claim's invoice, over amounts in pence by kind and code; `owed` when it has been paid."""
    invoice = await queries.of_claim(session, claim.id)
    kept = [each for each in invoice.body["lines"] if (each["kind"], each["code"]) in amounts]
    lines = [
        {**each, "number": number, "net_pence": amounts[each["kind"], each["code"]]}
        for number, each in enumerate(kept, 1)
    ]
    alike = ("seller", "buyer", "contract", "claim", "vat")
    body = {name: invoice.body[name] for name in alike} | {"lines": lines, "reason": reason}
    body["preceding"] = {"number": invoice.number, "issued_on": invoice.issued_on}
    net = sum(amounts.values())
    gross = totals(net, VatCategory(body["vat"]["category"])).gross_pence
    return await freeze(session, contract, claim, "CRN", body, gross if owed else 0, today, caller, now)


async def freeze(
    session: AsyncSession,
    contract: Contract,
    claim: Claim,
    series: str,
    body: Body,
    owed_pence: int,
    today: date,
    caller: Caller,
    now: datetime,
) -> Invoice:
    """Number and keep a document; its event names it."""
    category = VatCategory(body["vat"]["category"])
    sums = totals(sum(each["net_pence"] for each in body["lines"]), category)
    serial = await queries.next_serial(session, contract.supplier_uid, series)
    number = f"{series}-{contract.supplier_uid}-{serial:06d}"
    amounts = {name: getattr(sums, name) for name in ("net_pence", "vat_pence", "gross_pence")}
    head = {"number": number, "series": series, "title": TITLES[series], "issued_on": today, "currency": "GBP"}
    row = Invoice(
        contract_id=contract.id,
        claim_id=claim.id,
        supplier_uid=contract.supplier_uid,
        series=series,
        serial=serial,
        number=number,
        issued_on=today,
        owed_pence=owed_pence,
        body=plain({**head, **body, **amounts, "vat": body["vat"] | {"percent": rate_of(category)}}),
        **amounts,
    )
    session.add(row)
    kind = "invoice.issued" if series == "INV" else "credit_note.issued"
    await tell(session, contract, kind, caller, now, invoice_id=row.id, number=number, claim_id=claim.id, **amounts)
    return row


class NothingOwed(DomainError):
    """The document asks nothing back, or it has come back already."""

    code = "nothing_owed"
    title = "Nothing is owed by this document"


async def repay(
    session: AsyncSession, *, row: Contract, invoice: Invoice, repaid_on: date, caller: Caller, now: datetime
) -> None:
    """What a credit note asks back has come back to the commissioner."""
    moved(Account.PAID, Move.REPAY, ROLES[caller.kind])
    if not invoice.owed_pence or invoice.repaid_on is not None:
        raise NothingOwed("Only a credit note for what was paid asks something back, and once.")
    if not invoice.issued_on <= repaid_on <= london_date(now):
        raise BadTerms("It comes back from the day of the credit note on.", errors=[{"pointer": "/repaid_on"}])
    invoice.repaid_on = repaid_on
    book = await open_book(session, row.id, repaid_on, now)
    for each in invoice.body["lines"]:
        payment = await queries.payment(session, row.id, each["kind"], each["code"])
        book.post(
            payment,
            Account.PAID,
            Move.REPAY,
            each["net_pence"],
            role=ROLES[caller.kind],
            reason=f"credit note {invoice.number}",
            claim_id=invoice.claim_id,
        )
    facts = {"invoice_id": invoice.id, "number": invoice.number, "amount_pence": invoice.net_pence}
    await tell(session, row, "payment.repaid", caller, now, paid_on=repaid_on, **facts)
