"""The conditions under which a transfer opens."""

from itertools import product
from typing import Any

import pytest

from services.gateway.rules.transfer import Condition, condition, conditions, gate_open

VERDICT: dict[str, Any] = {
    "run": "final",
    "release_status": "revised",
    "overall": "met",
    "score": 0.8126,
    "vetoes": [],
    "critical_not_met": [],
}
CODES = [
    "transfer_intended",
    "contract_completed",
    "required_milestones_met",
    "outcomes_met",
    "final_data",
    "no_veto",
    "no_critical_measure_failed",
]


def milestone(code: str, status: str, required: bool = True) -> dict[str, Any]:
    return {"code": code, "status": status, "required": required}


def contract(**changes: Any) -> dict[str, Any]:
    plain = {
        "transfer_intended": True,
        "status": "completed",
        "milestones": [milestone("M1", "met"), milestone("M2", "not_met", required=False)],
        "evaluation": VERDICT,
    }
    return {**plain, **changes}


def states(found: list[Condition]) -> dict[str, str]:
    return {each.code: each.state for each in found}


def test_a_contract_that_worked_opens_the_gate() -> None:
    found = conditions(contract())
    assert states(found) == dict.fromkeys(CODES, "met")
    assert gate_open(found)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"transfer_intended": False}, "transfer_intended"),
        ({"status": "active"}, "contract_completed"),
        ({"status": "terminated"}, "contract_completed"),
        ({"status": "expired"}, "contract_completed"),
        ({"milestones": [milestone("M1", "met"), milestone("M2", "partially_met")]}, "required_milestones_met"),
        ({"milestones": [milestone("M1", "scheduled")]}, "required_milestones_met"),
        ({"evaluation": VERDICT | {"overall": "partly_met"}}, "outcomes_met"),
        ({"evaluation": VERDICT | {"overall": "not_measurable", "score": None}}, "outcomes_met"),
        ({"evaluation": VERDICT | {"run": "interim"}}, "final_data"),
        ({"evaluation": VERDICT | {"release_status": "provisional"}}, "final_data"),
        ({"evaluation": VERDICT | {"release_status": None}}, "final_data"),
        ({"evaluation": VERDICT | {"vetoes": ["critical_measure_not_met"]}}, "no_veto"),
        ({"evaluation": VERDICT | {"critical_not_met": ["O1"]}}, "no_critical_measure_failed"),
    ],
)
def test_one_condition_that_fails_keeps_the_gate_shut(changes: dict[str, Any], failed: str) -> None:
    found = conditions(contract(**changes))
    assert states(found) == dict.fromkeys(CODES, "met") | {failed: "not_met"}
    assert not gate_open(found)


def test_revised_and_final_releases_both_serve() -> None:
    for release in ("revised", "final"):
        assert gate_open(conditions(contract(evaluation=VERDICT | {"release_status": release})))


def test_a_contract_without_required_milestones_has_met_them() -> None:
    for milestones in ([], [milestone("M1", "scheduled", required=False)]):
        found = conditions(contract(milestones=milestones))
        assert found[2] == Condition("required_milestones_met", "met", "0 of 0 required milestones met.")
        assert gate_open(found)


def test_a_contract_already_transferred_was_completed() -> None:
    assert states(conditions(contract(status="transferred")))["contract_completed"] == "met"


def test_without_an_evaluation_nothing_is_known_and_the_gate_is_shut() -> None:
    found = conditions(contract(evaluation=None))
    assert [each.code for each in found] == CODES
    assert [each.state for each in found] == ["met"] * 3 + ["unknown"] * 4
    assert not gate_open(found)


def test_each_condition_gives_its_figure() -> None:
    verdict = VERDICT | {"overall": "partly_met", "vetoes": ["v1", "v2"], "critical_not_met": ["O1", "O3"]}
    milestones = [milestone("M1", "met"), milestone("M2", "not_met"), milestone("M3", "scheduled")]
    details = {each.code: each.detail for each in conditions(contract(evaluation=verdict, milestones=milestones))}
    assert details == {
        "transfer_intended": "The parties agreed that a transfer may follow.",
        "contract_completed": "The contract is completed.",
        "required_milestones_met": "1 of 3 required milestones met; not met: M2, M3.",
        "outcomes_met": "Overall partly_met, score 0.813.",
        "final_data": "A final run on revised data.",
        "no_veto": "Vetoes: v1, v2.",
        "no_critical_measure_failed": "Critical, not met: O1, O3.",
    }
    plain = {each.code: each.detail for each in conditions(contract(evaluation=VERDICT | {"score": None}))}
    assert plain["outcomes_met"] == "Overall met, score none."
    assert (plain["no_veto"], plain["no_critical_measure_failed"]) == (
        "Vetoes: none.",
        "Critical, not met: none.",
    )


def test_a_truth_that_is_not_known_is_neither_met_nor_failed() -> None:
    assert [condition("c", held, "d").state for held in (True, False, None)] == ["met", "not_met", "unknown"]


def test_the_gate_opens_only_when_every_condition_is_met() -> None:
    for three in product(("met", "not_met", "unknown"), repeat=3):
        assert gate_open([Condition("c", state, "") for state in three]) is (three == ("met", "met", "met"))
