"""Who and what the demonstration is about. School, trusts and results are real; the contract is invented."""

from dataclasses import dataclass
from typing import Any

SCHOOL, SCHOOL_NAME = "135936", "Fulwood Academy"
SUPPLIER, SUPPLIER_NAME = "4903", "Star Academies"
OUTGOING, OUTGOING_NAME = "3147", "Dunstone Education Trust"
ANOTHER_TRUST = "2864"
SUPPLIERS_OWN_SCHOOL = "144646"
CLOSED_SCHOOL = "100459"
UNKNOWN_SCHOOL = "999999"
WITHHELD_SCHOOL = "145169"
REGION = "North West"
YEAR = "2023/24"
EFFECTIVE_ON = "2025-06-01"


@dataclass(frozen=True, slots=True)
class File:
    """A sample file and how it was published."""

    name: str
    feed: str
    published_on: str
    academic_year: str | None = None


FILES = (
    File("gias_groups.json.gz", "gias_groups", "2026-03-31"),
    File("gias_group_links.csv.gz", "gias_group_links", "2022-03-31"),
    File("gias_links.json.gz", "gias_links", "2026-03-31"),
    File("gias_establishments.json.gz", "gias_establishments", "2026-03-31"),
    File("census_2022-23.csv.gz", "census", "2023-06-08", "2022/23"),
    File("absence_2022-23.json.gz", "absence", "2024-03-21", "2022/23"),
    File("absence_2023-24.json.gz", "absence", "2025-03-20", "2023/24"),
    File("ks2_2018-19.csv.gz", "ks2", "2020-03-26", "2018/19"),
    File("ks4_2018-19.csv.gz", "ks4", "2020-02-27", "2018/19"),
)

INSPECTION = File("inspection_invented.csv", "ofsted_history", "2025-02-03")
INSPECTED = f"urn,rating,inspection_date\n{SCHOOL},Good,20241105\n".encode()
"""What a school may join on: an inspection that found it good. Invented, as the contract is."""

CLIENTS: dict[str, tuple[str, ...]] = {
    "rsc": ("RSC North West", "--kind", "commissioner", "--region", REGION),
    "dfe": ("DfE data feeds", "--kind", "dfe"),
    "mat": (SUPPLIER_NAME, "--kind", "supplier", "--trust", SUPPLIER),
    "body": (OUTGOING_NAME, "--kind", "responsible_body", "--trust", OUTGOING),
}
KEYS = {"finance": SUPPLIER, "other_finance": ANOTHER_TRUST}
NAMES = {
    "rsc": "RSC North West (commissioner)",
    "dfe": "DfE data feeds",
    "mat": f"{SUPPLIER_NAME} (supplier)",
    "body": f"{OUTGOING_NAME} (responsible body)",
    "finance": f"{SUPPLIER_NAME}, finance team (API key)",
    "other_finance": "Another trust's finance team (API key)",
}


def outcome(code: str, measure: str, target: float) -> dict[str, Any]:
    """An agreed outcome: absence to come down to `target` percent."""
    agreed = {"mode": "absolute", "value": target}
    terms = {"weight": 0.5, "critical": code == "O1", "payment_pence": 3_000_000, "floor": 1.0, "full": 6.0}
    return {"code": code, "measure": measure, "target": agreed, **terms}


def milestone(code: str, title: str, kind: str, due_on: str, payment_pence: int) -> dict[str, Any]:
    """A required milestone."""
    return {"code": code, "title": title, "kind": kind, "due_on": due_on, "payment_pence": payment_pence}


CAPACITY: dict[str, Any] = {
    "max_contracts": 3,
    "max_pupils": 4_000,
    "phases": ["primary", "secondary"],
    "interventions": [
        {
            "code": "attendance",
            "title": "Attendance team, family liaison and a new timetable",
            "description": "A team of its own for a year, then handed over to the school's staff.",
        }
    ],
}
"""What the supplier declares that it can carry at once; invented, as the contract is."""
CONTRACT: dict[str, Any] = {
    "title": f"School improvement at {SCHOOL_NAME} (an invented contract)",
    "school_urn": SCHOOL,
    "supplier_uid": SUPPLIER,
    "legal_route": "light_touch",
    "term": {"starts_on": "2023-09-01", "ends_on": "2024-08-31"},
    "fee_pence": 12_000_000,
    "transfer_intended": True,
    "interventions": [{"code": "attendance", "title": "Attendance team, family liaison and a new timetable"}],
    "outcomes": [outcome("O1", "ABS_PA", 32.0), outcome("O2", "ABS_OVERALL", 10.5)],
    "outcomes_rationale": "Attendance is what the school was found wanting in; other tables start after its term.",
    "milestones": [
        milestone("M1", "Diagnosis agreed", "delivery", "2023-10-31", 2_000_000),
        milestone("M2", "Attendance plan in place", "delivery", "2024-01-31", 2_000_000),
        milestone("M3", "Final review held", "review", "2024-07-31", 1_000_000),
    ],
}
WRONG: dict[str, dict[str, Any]] = {
    "a school that is in that trust already": {"school_urn": SUPPLIERS_OWN_SCHOOL},
    "a school that has closed": {"school_urn": CLOSED_SCHOOL},
    "a URN that does not exist": {"school_urn": UNKNOWN_SCHOOL},
    "an end before the start": {"term": {"starts_on": "2023-09-01", "ends_on": "2023-08-31"}},
}
RECORDS = (
    ("M1", "2023-10-27", "2023-10-27", "Diagnosis signed by all parties"),
    ("M2", "2024-01-19", "2024-01-22", "Plan adopted by the governing body"),
    ("M3", "2024-07-12", "2024-07-15", "Review with the commissioner"),
)
"""Milestone, the day on which it was met, the day on which it was recorded, and a note."""
INSTALMENTS = 3
"""Of the fee, those that are earned by the day of the last record."""
DECISIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "rsc",
        "rsc",
        {"decision": "approved_with_conditions", "conditions": ["The deficit of the outgoing trust is settled"]},
    ),
    ("mat", "trust_board", {"decision": "approved"}),
    ("body", "outgoing_trust", {"decision": "approved"}),
)
"""Who decides on the transfer, for which body, and how."""
