"""The conditions under which a transfer opens."""

from itertools import product
from typing import Any

import pytest

from services.gateway.rules import ground
from services.gateway.rules.ground import Condition, condition, gate_open, gone

VERDICT: dict[str, Any] = {
    "run": "final",
    "release_status": "revised",
    "overall": "met",
    "score": 0.8126,
    "vetoes": [],
    "critical_not_met": [],
    "critical": {"O1": "met", "O2": "partly_met"},
}
STRONG: dict[str, Any] = {"concern": "none", "strong": True, "latest_on": "2024-05-21"}
CODES = [
    "transfer_intended",
    "contract_completed",
    "required_milestones_met",
    "outcomes_met",
    "final_data",
    "no_veto",
    "critical_measures_partly_met",
    "nothing_open",
    "no_dispute",
    "inspections_strong",
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


def conditions(
    shown: dict[str, Any], concerns: Any = (), inspections: dict[str, Any] | None = STRONG
) -> list[Condition]:
    return ground.conditions(shown, concerns, inspections)


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
        ({"evaluation": VERDICT | {"critical": {"O1": "not_met", "O2": "met"}}}, "critical_measures_partly_met"),
        (
            {"evaluation": VERDICT | {"critical": {"O1": "not_measurable", "O2": "not_met"}}},
            "critical_measures_partly_met",
        ),
        ({"evaluation": VERDICT | {"critical": {}, "critical_not_met": ["O1"]}}, "critical_measures_partly_met"),
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
    assert [each.state for each in found] == ["met"] * 3 + ["unknown"] * 4 + ["met"] * 3
    assert not gate_open(found)


def test_a_critical_measure_that_could_not_be_measured_leaves_it_open() -> None:
    found = conditions(contract(evaluation=VERDICT | {"critical": {"O1": "not_measurable"}}))
    assert states(found)["critical_measures_partly_met"] == "unknown"
    assert not gate_open(found)
    assert gone(found, joined=False) == []


@pytest.mark.parametrize(
    ("inspections", "state", "detail"),
    [
        (STRONG, "met", "Latest inspection 2024-05-21: category of concern none; led to the expected standard."),
        (
            STRONG | {"concern": "special_measures", "strong": False},
            "not_met",
            "Latest inspection 2024-05-21: category of concern special_measures; not strong enough.",
        ),
        (
            STRONG | {"concern": None, "strong": None},
            "unknown",
            "Latest inspection 2024-05-21: category of concern not told; leadership not graded.",
        ),
        (STRONG | {"latest_on": None}, "unknown", "No inspection of the school is known."),
        (None, "unknown", "No inspection of the school is known."),
    ],
)
def test_inspections_must_leave_the_school_strong(inspections: dict[str, Any] | None, state: str, detail: str) -> None:
    found = conditions(contract(), inspections=inspections)
    assert found[-1] == Condition("inspections_strong", state, detail)
    assert gate_open(found) is (state == "met")


def test_what_is_open_keeps_the_gate_shut_and_a_dispute_takes_no_ground_away() -> None:
    concern = {"kind": "concern", "detail": "a concern about the supplier"}
    dispute = {"kind": "dispute", "detail": "claim C-01 for M1 since 2024-10-01"}
    found = conditions(contract(), [dispute, concern, {"kind": "poor_performance", "detail": "poor performance 2"}])
    assert found[-3:-1] == [
        Condition("nothing_open", "not_met", "Open: a concern about the supplier; poor performance 2."),
        Condition("no_dispute", "not_met", "Payments in dispute: claim C-01 for M1 since 2024-10-01."),
    ]
    assert gone(found, joined=False) == ["nothing_open"]
    held = conditions(contract(), [dispute])
    assert (gate_open(held), gone(held, joined=False)) == (False, [])
    assert conditions(contract())[-3:-1] == [
        Condition("nothing_open", "met", "Open: nothing."),
        Condition("no_dispute", "met", "Payments in dispute: nothing."),
    ]


def test_what_is_gone_is_what_is_not_met_and_after_the_day_only_the_verdict_counts() -> None:
    verdict = VERDICT | {"overall": "not_met", "vetoes": ["v"]}
    found = conditions(contract(evaluation=verdict, status="active"), [{"kind": "concern", "detail": "x"}], None)
    assert gone(found, joined=False) == ["contract_completed", "outcomes_met", "no_veto", "nothing_open"]
    assert gone(found, joined=True) == ["outcomes_met", "no_veto"]
    assert gone(conditions(contract()), joined=False) == []


def test_each_condition_gives_its_figure() -> None:
    critical = {"O1": "not_met", "O2": "met", "O3": "not_met"}
    verdict = VERDICT | {"overall": "partly_met", "vetoes": ["v1", "v2"], "critical": critical}
    milestones = [milestone("M1", "met"), milestone("M2", "not_met"), milestone("M3", "scheduled")]
    details = {each.code: each.detail for each in conditions(contract(evaluation=verdict, milestones=milestones))[:7]}
    assert details == {
        "transfer_intended": "The parties agreed that a transfer may follow.",
        "contract_completed": "The contract is completed.",
        "required_milestones_met": "1 of 3 required milestones met; not met: M2, M3.",
        "outcomes_met": "Overall partly_met, score 0.813.",
        "final_data": "A final run on revised data.",
        "no_veto": "Vetoes: v1, v2.",
        "critical_measures_partly_met": "Critical, below partly met: O1 not_met, O3 not_met.",
    }
    plain = {each.code: each.detail for each in conditions(contract(evaluation=VERDICT | {"score": None}))}
    assert plain["outcomes_met"] == "Overall met, score none."
    assert plain["no_veto"] == "Vetoes: none."
    assert plain["critical_measures_partly_met"] == "Critical, below partly met: none."
    none = {each.code: each.detail for each in conditions(contract(transfer_intended=False))}
    assert none["transfer_intended"] == "The parties did not agree on a transfer."


def test_a_truth_that_is_not_known_is_neither_met_nor_failed() -> None:
    assert [condition("c", held, "d").state for held in (True, False, None)] == ["met", "not_met", "unknown"]


def test_the_gate_opens_only_when_every_condition_is_met() -> None:
    for three in product(("met", "not_met", "unknown"), repeat=3):
        assert gate_open([Condition("c", state, "") for state in three]) is (three == ("met", "met", "met"))


def test_conditions_are_kept_as_they_were_found() -> None:
    found = conditions(contract(), [])
    kept = ground.shown(found)
    assert [Condition(**each) for each in kept] == found
    assert [each["code"] for each in kept] == CODES
