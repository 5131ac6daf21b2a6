"""What the parties agree on, as it is kept and hashed."""

from typing import Any
from uuid import UUID

from services.contracts.models import Contract, Milestone, Outcome
from services.contracts.rules import parties


def parties_of(school: parties.School, trust: parties.Trust) -> dict[str, Any]:
    """School, supplier and responsible body as GIAS shows them now."""
    if school.trust_uid:
        body = {"kind": "trust", "uid": school.trust_uid, "name": school.trust_name}
    else:
        body = {"kind": "local_authority", "code": school.la_code, "name": school.la_name}
    alike = ("name", "region", "la_code", "la_name", "kind_group", "phase", "ukprn", "pupils", "religious_character")
    company = ("uid", "name", "group_id", "companies_house_number", "ukprn")
    return {
        "school": {"urn": str(school.urn), **{name: getattr(school, name) for name in alike}},
        "supplier": {name: getattr(trust, name) for name in company},
        "responsible_body": body,
        "school_urn": school.urn,
        "school_id": UUID(school.school_id) if school.school_id else None,
        "identifiers": [dict(each) for each in school.identifiers],
        "region": school.region,
        "la_code": school.la_code,
    }


SCALARS = (
    "reference",
    "title",
    "organisation",
    "school_urn",
    "supplier_uid",
    "legal_route",
    "legal_route_detail",
    "starts_on",
    "ends_on",
    "latest_ends_on",
    "break_points",
    "notice_days",
    "fee_pence",
    "value_pence",
    "transfer_intended",
    "interventions",
    "outcomes_rationale",
    "method",
)
PROMISED = ("code", "title", "kind", "due_on", "required", "payment_pence", "depends_on", "evidence_asked")


def agreement(row: Contract, outcomes: list[Outcome], milestones: list[Milestone]) -> dict[str, Any]:
    """Everything that the parties put their names to."""
    return {
        **{name: getattr(row, name) for name in SCALARS},
        "outcomes": [each.model_dump(exclude={"contract_id"}) for each in outcomes],
        "milestones": [{name: getattr(each, name) for name in PROMISED} for each in milestones],
    }
