"""What the public is told, release by release."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.ocds.merging import compiled, difference, identified, merged
from services.contracts.rules.ocds.parties import Publisher, parties, supplier
from services.contracts.rules.ocds.parts import observations
from services.contracts.rules.ocds.releases import TAGS, Told, record_package, release, release_package

PUBLISHER = Publisher("ocds-213czf", "Ringfence", "https://x", "GB-GOR", "D6", "Department for Education")
ID = "0199c7a2-6c1e-7d3a-8f00-000000000000"
CONTRACT: dict[str, Any] = {
    "id": ID,
    "reference": "CTR-2023-000001",
    "title": "School improvement",
    "status": "offered",
    "reason_code": None,
    "commissioner": {"organisation": "rsc", "name": "RSC North West"},
    "school": {"urn": "135936", "name": "Fulwood Academy"},
    "supplier": {"uid": "4903", "name": "Star Academies", "companies_house_number": "7554121", "ukprn": "10058253"},
    "responsible_body": {"kind": "trust", "uid": "3147", "name": "Dunstone Education Trust"},
    "legal_route": "light_touch",
    "legal_route_detail": None,
    "term": {"starts_on": "2023-09-01", "ends_on": "2024-08-31", "ended_on": None, "latest_ends_on": "2025-08-31"},
    "fee_pence": 12_000_000,
    "value_pence": 15_000_050,
    "outcomes": [
        {
            "code": "O1",
            "measure": "ABS_PA",
            "weight": 0.5,
            "target": {"mode": "absolute", "value": 32.0},
            "baseline": {"value": 40.12345, "n": 1800, "years": ["2021/22", "2022/23"]},
        },
        {
            "code": "O2",
            "measure": "KS4_P8",
            "weight": 0.5,
            "target": {"mode": "change", "value": 0.2},
            "baseline": {"value": None, "n": None, "years": []},
        },
    ],
    "outcomes_rationale": "Attendance comes first.",
    "milestones": [
        {
            "code": "M1",
            "title": "Plan",
            "kind": "delivery",
            "due_on": "2023-10-31",
            "status": "scheduled",
            "decided_on": None,
        },
        {
            "code": "M2",
            "title": "Review",
            "kind": "review",
            "due_on": "2024-01-31",
            "status": "scheduled",
            "decided_on": None,
        },
    ],
    "offer": {"number": 1, "offered_on": "2023-06-20", "lapses_on": "2023-09-01"},
    "entered_on": None,
    "termination": None,
}
PAYMENTS = [{"kind": "fee", "code": "FEE-1", "earned_pence": 12_000_000, "paid_pence": 0}]
EXTRAS: dict[str, Any] = {"payments": PAYMENTS, "kpi_assessments": [], "findings": [], "notices": [], "variations": []}


class Process:
    """A contract that goes on, and what the public is told of it."""

    def __init__(self, **changes: Any) -> None:
        self.contract, self.extras = copy.deepcopy(CONTRACT) | changes, copy.deepcopy(EXTRAS)
        self.releases: list[dict[str, Any]] = []
        self.version = 1

    def tell(self, kind: str, extras: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any] | None:
        """Something happens."""
        self.version += 1
        self.contract |= changes
        self.extras |= extras or {}
        at = f"2023-09-{self.version:02d}T10:00:00Z"
        view = (copy.deepcopy(self.contract), copy.deepcopy(self.extras))
        said = release(Told(kind, self.version, at, at, *view), self.releases, PUBLISHER)
        if said is not None:
            self.releases.append(said)
        return said

    def agree(self) -> "Process":
        """Offered, and signed by all."""
        self.tell("contract.offered")
        self.tell("contract.agreed", status="agreed", entered_on="2023-07-01")
        return self

    @property
    def now(self) -> Any:
        """What has been published in all."""
        return compiled(self.releases)

    @property
    def signed(self) -> Any:
        """The contract as it has been published."""
        return self.now["contracts"][0]


names = st.sampled_from(["a", "b", "c"])
plain = st.integers(0, 3) | st.sampled_from(["x", "y"]) | st.lists(st.integers(0, 2), max_size=2)
values = st.recursive(
    plain,
    lambda inner: (
        st.dictionaries(names, inner, max_size=3)
        | st.lists(st.tuples(names, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0]).map(
            lambda pairs: [{"id": key, "value": each} for key, each in pairs]
        )
    ),
    max_leaves=8,
)


@given(values, values)
def test_what_is_said_leads_to_what_is_meant(before: Any, more: Any) -> None:
    after = merged(before, more)
    said = difference(before, after)
    assert (before if said is None else merged(before, said)) == after


@given(values)
def test_nothing_new_is_nothing_said(value: Any) -> None:
    assert difference(value, value) is None


def test_lists_without_identifiers_are_replaced() -> None:
    assert not any(identified(each) for each in ([], [1], [{"id": 1}, {"x": 1}]))
    assert merged({"a": [1, 2]}, {"a": [3]}) == {"a": [3]}


def test_the_first_release_is_the_offer() -> None:
    process = Process()
    assert process.tell("contract.signed") is None
    assert process.tell("contract.active") is None
    said = process.tell("contract.offered")
    assert said is not None
    assert said["tag"] == ["planning", "tender", "award"]
    assert (said["ocid"], said["id"]) == (f"ocds-213czf-{ID}", f"ocds-213czf-{ID}-0004")
    assert said["tender"]["specialRegime"] == ["lightTouch"]
    assert said["awards"][0]["value"] == {"amount": 150000.5, "currency": "GBP"}
    assert "contracts" not in said


def test_identifiers_come_by_scheme() -> None:
    trust = supplier(CONTRACT)
    assert (trust["id"], trust["identifier"]["id"]) == ("GB-COH-07554121", "07554121")
    assert [each["scheme"] for each in trust["additionalIdentifiers"]] == ["GB-UKPRN"]
    learning = supplier({"supplier": {"uid": "1", "name": "T", "companies_house_number": None, "ukprn": "10000001"}})
    assert learning["id"] == "GB-UKPRN-10000001"
    assert "additionalIdentifiers" not in learning
    assert supplier({"supplier": {"uid": "1", "name": "T"}})["id"] == "GIAS-1"
    authority = {"kind": "local_authority", "code": "888", "name": "Lancashire"}
    assert [each["id"] for each in parties(CONTRACT | {"responsible_body": authority}, PUBLISHER)][-1] == "LA-888"


def test_a_party_in_two_roles_is_one_party() -> None:
    own = {"kind": "trust", "uid": "4903", "name": "Star Academies"}
    bare = CONTRACT["supplier"] | {"companies_house_number": None, "ukprn": None}
    found = parties(CONTRACT | {"responsible_body": own, "supplier": bare}, PUBLISHER)
    assert [each["roles"] for each in found if each["id"] == "GIAS-4903"] == [["interestedParty", "payee", "supplier"]]


@pytest.mark.parametrize(
    ("route", "detail", "special", "law"),
    [("light_touch", None, True, True), ("grant", None, False, False), ("other", "A local law", False, True)],
)
def test_the_legal_route_is_said_and_never_assumed(route: str, detail: str | None, special: bool, law: bool) -> None:
    said = Process(legal_route=route, legal_route_detail=detail).tell("contract.offered")
    assert said is not None
    assert ("specialRegime" in said["tender"]) is special
    assert ("legalBasis" in said["tender"]) is law
    assert ("procurementMethodDetails" in said["tender"]) is (route != "light_touch")


def test_a_milestone_is_dated_when_it_changes_and_only_then() -> None:
    process = Process().agree()
    first = process.signed["implementation"]["milestones"]
    assert {each["dateModified"] for each in first} == {"2023-09-03T10:00:00Z"}
    milestones = [CONTRACT["milestones"][0] | {"status": "met", "decided_on": "2023-10-27"}, CONTRACT["milestones"][1]]
    said = process.tell("milestone.decided", milestones=milestones)
    assert said is not None
    assert said["tag"] == ["implementation"]
    assert [each["id"] for each in said["contracts"][0]["implementation"]["milestones"]] == ["M1"]
    assert process.tell("milestone.decided") is None
    again = process.tell("kpi.assessed", {"kpi_assessments": [assessment()]})
    assert again is not None
    assert again["tag"] == ["implementationUpdate"]
    assert "milestones" not in again["contracts"][0]["implementation"]


def assessment(**changes: Any) -> dict[str, Any]:
    days = {"assessed_on": "2025-03-21", "period_starts_on": "2023-09-01", "period_ends_on": "2024-08-31"}
    return {"number": 1, "rating": "good", "explanation": None, "basis": "policy", **days, **changes}


def test_what_a_variation_takes_out_stays_with_the_reason() -> None:
    process = Process().agree()
    variation = {
        "number": 1,
        "status": "in_force",
        "effective_on": "2023-10-01",
        "rationale": "Less",
        "changes": {"x": 1},
    }
    earlier = process.releases[-1]["id"]
    said = process.tell("contract.varied", {"variations": [variation]}, milestones=CONTRACT["milestones"][:1])
    assert said is not None
    assert said["tag"] == ["contractAmendment"]
    amendment = process.signed["amendments"][0]
    assert (amendment["amendsReleaseID"], amendment["releaseID"]) == (earlier, said["id"])
    gone = next(each for each in process.signed["implementation"]["milestones"] if each["id"] == "M2")
    assert (gone["status"], gone["description"]) == ("notMet", "Taken out of the contract by a variation.")
    second = variation | {"number": 2, "changes": {"y": 1}}
    process.tell("contract.varied", {"variations": [variation, second]}, title="Another")
    assert [each["id"] for each in process.signed["amendments"]] == ["variation-1", "variation-2"]


@pytest.mark.parametrize(
    ("status", "event", "details", "final"),
    [
        ("completed", "contract.completed", "The term has run out and", "complete"),
        ("expired", "contract.expired", "The term has run out;", "incomplete"),
        ("transferred", "contract.transferred", "The term was completed;", "complete"),
        ("terminated", "contract.terminated", "For breach", "unsuccessful"),
    ],
)
def test_every_end_is_told_apart(status: str, event: str, details: str, final: str) -> None:
    process = Process().agree()
    notice = {"ground": "breach", "reason": "x", "ends_on": "2024-02-10"} if status == "terminated" else None
    said = process.tell(event, status=status, termination=notice, term=CONTRACT["term"] | {"ended_on": "2024-02-10"})
    assert said is not None
    assert said["tag"] == ["contractTermination"]
    found = process.signed
    assert (found["status"], found["statusDetails"]) == ("terminated", final)
    assert found["implementation"]["endDate"] == "2024-02-10T23:59:59Z"
    assert found["implementation"]["endDateDetails"].startswith(details)
    assert "£120,000.00" in found["implementation"]["finalValueDetails"]
    assert ("terminationRationaleClassifications" in found) is (status == "terminated")
    codes = {each["code"] for each in found["implementation"]["milestones"]}
    assert ("transfer-decision" in codes) is (status == "transferred")
    assert process.tell(event) is None


def test_a_decision_that_was_published_stays() -> None:
    process = Process().agree()
    ended = CONTRACT["term"] | {"ended_on": "2024-08-31"}
    process.tell("contract.completed", status="completed", term=ended)
    process.tell("contract.transferred", status="transferred")
    process.tell(
        "notice.published", {"notices": [{"number": 1, "kind": "UK11", "published_on": "2024-09-20", "url": None}]}
    )
    milestones = {each["id"]: each for each in process.signed["implementation"]["milestones"]}
    assert milestones["transfer-decision"]["status"] == "met"
    assert process.signed["implementation"]["documents"][0]["documentType"] == "contractTerminationNotice"


@pytest.mark.parametrize(
    ("reason", "award"), [("cancelled", "cancelled"), ("refused", "unsuccessful"), ("lapsed", "unsuccessful")]
)
def test_what_was_never_signed_has_no_contract(reason: str, award: str) -> None:
    process = Process()
    process.tell("contract.offered")
    process.tell("contract.withdrawn", status="draft", reason_code="withdrawn")
    process.tell("contract.offered", status="offered", reason_code=None)
    process.tell("contract.cancelled", status="cancelled", reason_code=reason)
    assert [each["tag"][0] for each in process.releases] == [
        "planning",
        "tenderUpdate",
        "planningUpdate",
        "tenderCancellation",
    ]
    assert (process.now["tender"]["status"], process.now["awards"][0]["status"]) == ("cancelled", award)
    assert "contracts" not in process.now


def test_notices_ratings_and_failures_are_named() -> None:
    process = Process().agree()
    notices = [
        {"number": 1, "kind": "UK7", "published_on": "2023-08-01", "url": "https://find-tender/1"},
        {"number": 2, "kind": "UK9", "published_on": "2024-05-01", "url": None},
    ]
    findings = [
        {"number": 1, "kind": "improvement_opportunity", "opened_on": "2024-01-01", "details": "A chance"},
        {"number": 2, "kind": "poor_performance", "opened_on": "2024-04-01", "details": "No plan"},
    ]
    kpis = [assessment(), assessment(number=2, rating="other", explanation="Nothing published")]
    process.tell("poor_performance.found", {"notices": notices, "findings": findings, "kpi_assessments": kpis})
    found = process.signed
    assert [each["url"] for each in found["documents"]] == ["https://find-tender/1"]
    assert "url" not in found["implementation"]["documents"][0]
    assert [each["description"] for each in found["implementation"]["performanceFailures"]] == ["No plan"]
    seen = found["implementation"]["metrics"][0]["observations"]
    assert [(each["measure"], each["notes"]) for each in seen] == [
        ("Good", "Assessed on 2025-03-21 (policy)"),
        ("Other", "Nothing published"),
    ]
    assert found["noAgreedMetricsRationale"] == "Attendance comes first."


def test_three_measures_need_no_excuse_and_a_contract_before_its_day_no_date() -> None:
    third = CONTRACT["outcomes"][0] | {"code": "O3", "measure": "KS4_A8"}
    process = Process(outcomes=[*CONTRACT["outcomes"], third], offer=None, outcomes_rationale=None)
    said = process.tell("contract.offered")
    assert said is not None
    assert "date" not in said["awards"][0]
    assert said["planning"]["rationale"] == "School improvement"
    process.tell("contract.agreed", status="agreed")
    assert "noAgreedMetricsRationale" not in process.signed
    assert "dateSigned" not in process.signed


def test_a_baseline_that_tells_of_single_pupils_is_not_published() -> None:
    first = CONTRACT["outcomes"][0]
    for disclosive, told in ((False, ["O1-baseline", "O1-target"]), (True, ["O1-target"])):
        outcome = {**first, "baseline": {**first["baseline"], "disclosive": disclosive}}
        assert [each["id"] for each in observations(outcome)] == told


def test_packages_say_where_they_come_from() -> None:
    process = Process().agree()
    package = release_package(process.releases, "https://x/1", "2023-09-03T10:00:00Z", PUBLISHER)
    assert (package["version"], package["publisher"]["name"], len(package["extensions"])) == ("1.1", "Ringfence", 6)
    record = record_package(process.releases, "https://x/2", "2023-09-03T10:00:00Z", PUBLISHER)["records"][0]
    assert record["compiledRelease"] == process.now
    assert record["compiledRelease"]["tag"] == ["compiled"]
    json.dumps([package, record])


def test_every_published_event_has_its_tags() -> None:
    assert all(tags for tags in TAGS.values())


def test_what_was_paid_is_told_line_by_line_and_sums_to_the_final_value() -> None:
    process = Process().agree()
    lines = [
        {"kind": "fee", "code": "FEE-1", "amount_pence": 3_000_000, "paid_pence": 3_000_000},
        {"kind": "milestone", "code": "M1", "amount_pence": 2_000_000, "paid_pence": 1_500_050},
        {"kind": "milestone", "code": "M9", "amount_pence": 5, "paid_pence": 5},
        {"kind": "outcome", "code": "O1", "amount_pence": 5, "paid_pence": 0},
    ]
    claim = {"number": 1, "reference": "CTR-1-01", "paid_on": "2024-01-02", "lines": lines}
    waiting = {"number": 2, "reference": "CTR-1-02", "paid_on": None, "lines": [{"kind": "fee", "code": "FEE-2"}]}
    said = process.tell("payment.paid", {"claims": [waiting, claim]})
    assert said is not None
    assert said["tag"] in (["implementation"], ["implementationUpdate"])
    found = process.signed["implementation"]["transactions"]
    assert [(each["id"], each["value"]["amount"]) for each in found] == [
        ("CTR-1-01-fee-FEE-1", 30_000.0),
        ("CTR-1-01-milestone-M1", 15_000.5),
        ("CTR-1-01-milestone-M9", 0.05),
    ]
    assert "relatedImplementationMilestone" not in found[0]
    assert found[1]["relatedImplementationMilestone"]["id"] == "M1"
    assert found[2]["relatedImplementationMilestone"] == {"id": "M9", "title": "M9"}
    note = {"series": "CRN", "serial": 1, "number": "CRN-1", "net_pence": 500_000, "repaid_on": "2024-02-01"}
    others = [note | {"number": "CRN-2", "serial": 2, "repaid_on": None}, note | {"series": "INV", "number": "INV-1"}]
    extras = {"claims": [claim], "invoices": [*others, note]}
    process.tell("payment.repaid", extras)
    term = CONTRACT["term"] | {"ended_on": "2024-08-31"}
    process.tell("contract.completed", extras, status="completed", term=term)
    found = process.signed["implementation"]
    assert found["transactions"][-1]["value"]["amount"] == -5_000.0
    assert found["finalValue"]["amount"] == 40_000.55
