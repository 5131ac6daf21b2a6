"""The task lists of a transfer."""

from itertools import product

import pytest

from services.gateway.rules.steps import (
    TEMPLATES,
    NotTheirStep,
    Step,
    StepFinished,
    StepLocked,
    StepNotOptional,
    check_completion,
    shown_status,
    waiting_for,
)
from services.gateway.rules.transfer import Role, Route
from services.kernel.errors import DomainError

SPINE = {
    "conversion": [
        "stakeholder_kick_off",
        "land_questionnaire",
        "supplemental_funding_agreement",
        "church_supplemental_agreement",
        "commercial_transfer_agreement",
        "tupe_consultation",
        "all_conditions_met",
        "open_membership",
        "freeze_contract",
    ],
    "trust_to_trust": [
        "stakeholder_kick_off",
        "form_m",
        "land_consent_letter",
        "deed_of_novation",
        "commercial_transfer_agreement",
        "incoming_trust_ready",
        "authority_to_proceed",
        "open_membership",
        "freeze_contract",
    ],
}
STEPS = [step for template in TEMPLATES.values() for step in template]


def test_each_route_has_the_spine_of_its_task_list() -> None:
    assert {route.value: [step.key for step in TEMPLATES[route]] for route in Route} == SPINE


@pytest.mark.parametrize("route", Route)
def test_a_step_waits_only_for_steps_before_it(route: Route) -> None:
    before: set[str] = set()
    for step in TEMPLATES[route]:
        assert set(step.depends_on) <= before
        assert step.key not in before
        before.add(step.key)


@pytest.mark.parametrize("route", Route)
def test_one_mandatory_gate_of_the_commissioner_stands_before_the_day(route: Route) -> None:
    gates = [step for step in TEMPLATES[route] if step.gate]
    assert [(gate.owner, gate.section, gate.optional) for gate in gates] == [(Role.COMMISSIONER, "ready", False)]
    day = [step for step in TEMPLATES[route] if step.section == "the_day"]
    assert TEMPLATES[route][-3:] == (*gates, *day)
    assert {step.owner for step in day} == {Role.WORKER}
    assert {step.owner for step in TEMPLATES[route] if step not in day} <= set(Role) - {Role.WORKER, Role.DFE}


@pytest.mark.parametrize("route", Route)
def test_every_mandatory_agreement_is_behind_the_gate(route: Route) -> None:
    steps = {step.key: step for step in TEMPLATES[route]}
    gate = next(step for step in steps.values() if step.gate)
    behind, waiting = set(), list(gate.depends_on)
    while waiting:
        key = waiting.pop()
        behind.add(key)
        waiting.extend(steps[key].depends_on)
    mandatory = {key for key, step in steps.items() if step.section in {"legal", "ready"} and not step.optional}
    assert behind == mandatory - {gate.key}


def test_no_mandatory_step_waits_for_an_optional_one() -> None:
    optional = {step.key for step in STEPS if step.optional}
    assert optional == {"church_supplemental_agreement", "form_m", "land_consent_letter"}
    assert not [step.key for step in STEPS if not step.optional and optional & set(step.depends_on)]


def test_a_step_waits_for_open_ones_in_the_order_of_the_list() -> None:
    statuses = {"a": "open", "b": "done", "c": "not_applicable", "d": "open"}
    assert waiting_for(("d", "b", "c", "a"), statuses) == ["d", "a"]
    assert waiting_for((), statuses) == []


@pytest.mark.parametrize(("status", "first"), list(product(["open", "done", "not_applicable"], repeat=2)))
def test_only_an_open_step_that_waits_is_shown_locked(status: str, first: str) -> None:
    expected = "locked" if (status, first) == ("open", "open") else status
    assert shown_status(status, ("first",), {"first": first}) == expected
    assert shown_status(status, (), {"first": first}) == status


def refusal(owner: Role, role: Role, status: str, optional: bool, applicable: bool, waiting: list[str]) -> str | None:
    try:
        check_completion(
            owner=owner, role=role, status=status, optional=optional, applicable=applicable, waiting=waiting
        )
    except DomainError as error:
        return error.code
    return None


def test_every_way_of_finishing_a_step() -> None:
    statuses, yes_no = ("open", "done", "not_applicable"), (False, True)
    for owner, role, status, optional, applicable, waits in product(Role, Role, statuses, yes_no, yes_no, yes_no):
        expected = None
        if not applicable and not optional:
            expected = "step_mandatory"
        if waits:
            expected = "step_locked"
        if status != "open":
            expected = "step_finished"
        if owner != role:
            expected = "not_your_step"
        assert refusal(owner, role, status, optional, applicable, ["first"] if waits else []) == expected


@pytest.mark.parametrize(
    ("error", "status"), [(NotTheirStep, 403), (StepFinished, 409), (StepLocked, 409), (StepNotOptional, 409)]
)
def test_who_may_is_403_and_when_may_it_is_409(error: type[DomainError], status: int) -> None:
    assert error.status == status


def test_a_locked_step_says_what_it_waits_for() -> None:
    step: Step = next(step for step in STEPS if step.key == "authority_to_proceed")
    with pytest.raises(StepLocked, match=r"^Finish first: deed_of_novation, incoming_trust_ready\.$") as locked:
        check_completion(
            owner=step.owner,
            role=Role.COMMISSIONER,
            status="open",
            optional=step.optional,
            applicable=True,
            waiting=["deed_of_novation", "incoming_trust_ready"],
        )
    assert locked.value.extensions == {"waiting_for": ["deed_of_novation", "incoming_trust_ready"]}
