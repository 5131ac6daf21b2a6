"""Who takes part, with identifiers of the org-id register (STANDARDS.md 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, under which prefix, and whose office a commissioner is: a department is the legal person."""

    prefix: str
    name: str
    uri: str
    department_scheme: str
    department_id: str
    department_name: str


def commissioner(contract: Mapping[str, Any], publisher: Publisher) -> Json:
    """The buyer: the commissioner's office under the department's identifier."""
    scheme, number = publisher.department_scheme, publisher.department_id
    return {
        "id": f"{scheme}-{number}",
        "name": contract["commissioner"]["name"],
        "identifier": {"scheme": scheme, "id": number, "legalName": publisher.department_name},
        "roles": ["buyer", "procuringEntity", "payer", "reviewBody"],
    }


def supplier(contract: Mapping[str, Any]) -> Json:
    """The trust: a company first, a learning provider too."""
    trust = contract["supplier"]
    company, ukprn = trust.get("companies_house_number"), trust.get("ukprn")
    known = [("GB-COH", company.upper().zfill(8) if company else None), ("GB-UKPRN", ukprn)]
    schemes = [{"scheme": scheme, "id": number, "legalName": trust["name"]} for scheme, number in known if number]
    found: Json = {"id": f"GIAS-{trust['uid']}", "name": trust["name"], "roles": ["supplier", "payee"]}
    if schemes:
        first, *others = schemes
        found |= {"id": f"{first['scheme']}-{first['id']}", "identifier": first}
        found |= {"additionalIdentifiers": others} if others else {}
    return found


def school(contract: Mapping[str, Any]) -> Json:
    """The school that the contract is about."""
    about = contract["school"]
    identifier = {"scheme": "GB-EDU", "id": about["urn"], "legalName": about["name"]}
    return {
        "id": f"GB-EDU-{about['urn']}",
        "name": about["name"],
        "identifier": identifier,
        "roles": ["interestedParty"],
    }


def responsible_body(contract: Mapping[str, Any]) -> Json:
    """Who answers for the school in law: another trust, or the local authority."""
    body = contract["responsible_body"]
    trust = body["kind"] == "trust"
    identity = f"GIAS-{body['uid']}" if trust else f"LA-{body['code']}"
    return {"id": identity, "name": body["name"], "roles": ["interestedParty"]}


def parties(contract: Mapping[str, Any], publisher: Publisher) -> list[Json]:
    """Everybody who takes part, each once."""
    everybody = (
        commissioner(contract, publisher),
        supplier(contract),
        school(contract),
        responsible_body(contract),
    )
    found: dict[str, Json] = {}
    for each in everybody:
        known = found.setdefault(each["id"], each)
        known["roles"] = sorted({*known["roles"], *each["roles"]})
    return list(found.values())


def reference(party: Mapping[str, Any]) -> Json:
    """How other parts name a party."""
    return {"id": party["id"], "name": party["name"]}
