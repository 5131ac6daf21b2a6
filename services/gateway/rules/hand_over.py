"""The hand-over package: the few facts that DfE's own systems need of a transfer (DOMAIN.md 6.1, step 8)."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from services.gateway.rules.transfer import Body
from services.kernel.errors import Unprocessable
from services.kernel.types import canonical_json, plain

TITLES = {
    "reference": "Transfer",
    "contract_reference": "Contract",
    "route": "Way in",
    "urn": "URN",
    "previous_urn": "URN until then",
    "school_name": "School",
    "incoming_trust": "Incoming trust",
    "outgoing_trust": "Outgoing trust",
    "decided_on": "Decided on",
    "decided_by": "Decided by",
    "conditions": "Conditions of the decision",
    "directive_academy_order": "Directive academy order",
    "academy_order_on": "Academy order of",
    "prepare_id": "Project in Prepare",
    "project_group": "Group of projects",
    "provisional_on": "Provisional date",
    "effective_on": "Effective date",
    "inadequate": "Found inadequate or of concern",
    "financial_reasons": "Because of finances",
    "safeguarding_reasons": "Because of safeguarding",
    "governance_reasons": "Because of governance",
    "outgoing_trust_closes": "Outgoing trust closes",
    "first_platform_year": "Results count for the trust from",
    "first_dfe_year": "Results count as DfE counts them from",
    "verdict": "Verdict on the contract",
}
"""The facts in the order of the document, each with its title."""
TOLD = (
    "directive_academy_order",
    "academy_order_on",
    "financial_reasons",
    "safeguarding_reasons",
    "governance_reasons",
    "prepare_id",
    "project_group",
)
"""Facts that no register has: the RSC tells them with its decision, or nobody does."""


class NotTheirFacts(Unprocessable):
    """Facts for the hand-over come with the decision of the RSC, and with no other."""

    code = "facts_of_the_rsc"
    title = "Only the RSC tells these facts"


def identified(trust: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies a trust, as far as it is known."""
    return {name: trust.get(name) for name in ("name", "uid", "group_id", "ukprn")}


def told(decision: Mapping[str, Any]) -> dict[str, Any]:
    """What was told with a decision, fact by fact."""
    return {name: decision[name] for name in TOLD}


def check_told(by: Body, facts: Mapping[str, Any], today: date) -> None:
    """Raise unless the facts are told with the decision of the RSC, and an academy order has been made by now."""
    if by is not Body.RSC and (names := [name for name, each in facts.items() if each is not None]):
        errors = [{"pointer": f"/{name}"} for name in names]
        raise NotTheirFacts(f"Told with the decision of the rsc only: {', '.join(names)}.", errors=errors)
    if facts["academy_order_on"] is not None and facts["academy_order_on"] > today:
        raise Unprocessable("academy_order_on lies in the future.", errors=[{"pointer": "/academy_order_on"}])


def package(
    *,
    transfer: Mapping[str, Any],
    contract: Mapping[str, Any],
    consents: Sequence[Mapping[str, Any]],
    days: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The package of a transfer that was carried out. `consents` are the latest of each body, `days` all that were set.

    What nobody has told is None, never a guess. Of the trust that is left, GIAS tells when the transfer is proposed.
    """
    decision = next((each for each in consents if each["by"] == Body.RSC), None)
    result, evidence = transfer["result"], transfer["evidence"]
    left = evidence.get("outgoing_trust", contract["responsible_body"]) or {}
    known = evidence.get("circumstances", {})
    verdict = contract["evaluation"]
    found: dict[str, Any] = plain(
        {
            "transfer_id": transfer["id"],
            "reference": transfer["reference"],
            "contract_id": transfer["contract_id"],
            "contract_reference": contract["reference"],
            "route": transfer["route"],
            "urn": result["urn"],
            "previous_urn": str(transfer["school_urn"]) if result["urn"] != str(transfer["school_urn"]) else None,
            "school_name": contract["school"]["name"],
            "incoming_trust": identified(contract["supplier"]),
            "outgoing_trust": identified(left) if left.get("uid") else None,
            "decided_on": decision["decided_on"] if decision else None,
            "decided_by": contract["commissioner"]["organisation"],
            "conditions": decision["conditions"] if decision else [],
            **(told(decision) if decision else dict.fromkeys(TOLD)),
            "provisional_on": next((each["effective_on"] for each in days if not each["confirmed"]), None),
            "effective_on": transfer["effective_on"],
            "inadequate": False if met(transfer, "inspections_strong") else None,
            "outgoing_trust_closes": known.get("outgoing_trust_closes", {}).get("held"),
            "first_platform_year": result["first_platform_year"],
            "first_dfe_year": result["first_dfe_year"],
            "verdict": {name: verdict[name] for name in ("id", "academic_year", "overall")} if verdict else None,
        }
    )
    return found


def met(transfer: Mapping[str, Any], code: str) -> bool:
    """Whether the last check of the ground found this condition met."""
    found = (transfer["ground"] or transfer["evidence"])["conditions"]
    return any(each["code"] == code and each["state"] == "met" for each in found)


def digest(facts: Mapping[str, Any]) -> str:
    """SHA-256 of a package, by which an acknowledgement can be compared."""
    return hashlib.sha256(canonical_json(dict(facts))).hexdigest()


def in_words(value: Any) -> str:
    """A fact as a person reads it."""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')} {in_words(each)}" for name, each in value.items() if each is not None
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(in_words(each) for each in value) or "none"
    if value is None:
        return "not told"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def document(facts: Mapping[str, Any], sha256: str) -> str:
    """The package as a page that stands by itself, to read, print and file."""
    rows = "\n".join(
        f"<tr><th scope=row>{escape(title)}</th><td>{escape(in_words(facts[name]))}</td></tr>"
        for name, title in TITLES.items()
    )
    heading = f"Hand-over of {escape(str(facts['school_name']))}"
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #111; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #bbb; }}
th {{ width: 40%; font-weight: 600; }}
footer {{ margin-top: 1.5rem; font-size: .8rem; overflow-wrap: anywhere; }}
</style>
<h1>{heading}</h1>
<table>
{rows}
</table>
<footer>SHA-256 of the facts: {escape(sha256)}</footer>
</html>
"""
