"""Everything that the public is to know of a contract at a moment, as one OCDS object."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.contracts.rules.ocds import parts
from services.contracts.rules.ocds.parties import Publisher, commissioner, parties, reference, supplier
from services.contracts.rules.performance import over_threshold

Json = dict[str, Any]

CONTRACT_STATUS = {
    "agreed": "pending",
    "active": "active",
    "suspended": "active",
    "completed": "terminated",
    "expired": "terminated",
    "terminated": "terminated",
    "transferred": "terminated",
}
FINAL_STATUS = {
    "completed": "complete",
    "transferred": "complete",
    "expired": "incomplete",
    "terminated": "unsuccessful",
}
"""In the words of OCDS 1.2, beside the one status that 1.1 has for every end."""
END_DETAILS = {
    "completed": "The term has run out and every required milestone was decided.",
    "expired": "The term has run out; not everything was decided.",
    "transferred": "The term was completed; the school has become a full member of the trust.",
}
GROUNDS = {
    "agreement": "By agreement of all parties",
    "breach": "For breach",
    "convenience": "For convenience",
    "school_closed": "The school has closed",
}
TENDER_STATUS = {"draft": "planned", "offered": "active", "cancelled": "cancelled"}


def state(
    contract: Mapping[str, Any], extras: Mapping[str, Any], modified: str, before: Json, publisher: Publisher
) -> Json:
    """The state to publish. `before` is the state published last: what was once named stays named."""
    signed = contract["status"] in CONTRACT_STATUS
    buyer = reference(commissioner(contract, publisher))
    everybody = {each["id"]: each for each in [*before.get("parties", []), *parties(contract, publisher)]}
    found: Json = {
        "parties": list(everybody.values()),
        "buyer": buyer,
        "planning": {
            "rationale": contract.get("outcomes_rationale") or contract["title"],
            "budget": {"amount": parts.value(contract["value_pence"])},
        },
        "tender": tender(contract, buyer),
        "awards": [award(contract)],
    }
    if signed:
        found["contracts"] = [signed_contract(contract, extras, modified, (before.get("contracts") or [{}])[0])]
    return found


def tender(contract: Mapping[str, Any], buyer: Json) -> Json:
    """The route: one supplier is asked, under the law that the contract names."""
    found: Json = {
        "id": contract["reference"],
        "title": contract["title"],
        "status": TENDER_STATUS.get(contract["status"], "complete"),
        "procuringEntity": buyer,
        "procurementMethod": "direct",
        "procurementMethodRationale": "A proven trust is asked to improve one school; see the shortlist of suppliers.",
        "mainProcurementCategory": "services",
        "value": parts.value(contract["value_pence"]),
        "contractPeriod": parts.period(contract),
        "aboveThreshold": over_threshold(contract["value_pence"]),
        "targets": parts.targets(contract),
    }
    if contract["legal_route"] == "grant":
        return {**found, "procurementMethodDetails": "Grant: outside the Procurement Act 2023"}
    if contract["legal_route"] == "light_touch":
        found["specialRegime"] = ["lightTouch"]
    if contract.get("legal_route_detail"):
        found["procurementMethodDetails"] = contract["legal_route_detail"]
    return {**found, "legalBasis": {"scheme": "UKPGA", "id": "2023/54", "description": "Procurement Act 2023"}}


def award(contract: Mapping[str, Any]) -> Json:
    """The offer to the one supplier, and the award that comes of it when all have signed."""
    status = {"draft": "pending", "offered": "pending", "cancelled": "cancelled"}.get(contract["status"], "active")
    if contract.get("reason_code") in {"refused", "lapsed"} and status == "cancelled":
        status = "unsuccessful"
    offer = contract.get("offer") or {}
    found: Json = {
        "id": f"{contract['reference']}-award",
        "title": contract["title"],
        "status": status,
        "value": parts.value(contract["value_pence"]),
        "suppliers": [reference(supplier(contract))],
        "contractPeriod": parts.period(contract),
    }
    day = contract.get("entered_on") or offer.get("offered_on")
    return {**found, "date": parts.instant(day)} if day else found


def signed_contract(
    contract: Mapping[str, Any], extras: Mapping[str, Any], modified: str, before: Mapping[str, Any]
) -> Json:
    """The contract from the last signature on."""
    status, agreed = contract["status"], parts.targets(contract)
    found: Json = {
        "id": contract["reference"],
        "awardID": f"{contract['reference']}-award",
        "title": contract["title"],
        "status": CONTRACT_STATUS[status],
        "statusDetails": FINAL_STATUS.get(status, status),
        "period": parts.period(contract),
        "value": parts.value(contract["value_pence"]),
        "aboveThreshold": over_threshold(contract["value_pence"]),
        "agreedMetrics": agreed,
        "implementation": implementation(contract, extras, modified, before.get("implementation", {})),
    }
    if contract.get("entered_on"):
        found["dateSigned"] = parts.instant(contract["entered_on"])
    if len(agreed) < MIN_KPIS:
        found["noAgreedMetricsRationale"] = contract.get("outcomes_rationale") or "Fewer than three were agreed."
    documents = parts.documents(extras.get("notices", ()), about_contract=True)
    found |= {"documents": documents} if documents else {}
    found |= {"amendments": before["amendments"]} if "amendments" in before else {}
    if status == "terminated":
        ground = (contract.get("termination") or {}).get("ground", contract.get("reason_code"))
        classification = {
            "scheme": "RINGFENCE-GROUND",
            "id": ground,
            "description": GROUNDS.get(str(ground), str(ground)),
        }
        found["terminationRationaleClassifications"] = [classification]
    return found


MIN_KPIS = 3


def implementation(
    contract: Mapping[str, Any], extras: Mapping[str, Any], modified: str, before: Mapping[str, Any]
) -> Json:
    """How the contract is carried out, and how it ended."""
    lists: Mapping[str, Sequence[Json]] = {
        "milestones": parts.milestones(contract, modified, before.get("milestones", ())),
        "metrics": parts.metrics(extras.get("kpi_assessments", ())),
        "performanceFailures": parts.failures(extras.get("findings", ())),
        "documents": parts.documents(extras.get("notices", ()), about_contract=False),
        "transactions": parts.transactions(contract, extras.get("claims", ()), extras.get("invoices", ())),
    }
    found: Json = {name: list(each) for name, each in lists.items() if each}
    ended = contract["term"].get("ended_on")
    if ended and contract["status"] in FINAL_STATUS:
        ground = (contract.get("termination") or {}).get("ground", "")
        found["endDate"] = parts.end_of(ended)
        found["endDateDetails"] = END_DETAILS.get(contract["status"], GROUNDS.get(ground, "Terminated"))
        found |= final_value(found.get("transactions", ()), extras.get("payments", ()))
    return found


def final_value(transactions: Sequence[Json], payments: Sequence[Mapping[str, Any]]) -> Json:
    """What was paid in all, once something was; and what is earned and not paid yet."""
    earned = sum(each.get("earned_pence", 0) for each in payments)
    paid = sum(each.get("paid_pence", 0) for each in payments)
    found: Json = {"finalValueDetails": f"Earned: £{earned / 100:,.2f}; paid so far: £{paid / 100:,.2f}, without VAT."}
    if transactions:
        amount = round(sum(each["value"]["amount"] for each in transactions), 2)
        found["finalValue"] = {"amount": amount, "currency": "GBP"}
    return found
