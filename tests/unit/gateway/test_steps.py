"""The task lists of a transfer, and the rules of their steps."""

from itertools import product

import pytest

from services.gateway.rules.circumstances import UNTOLD, Circumstance, Known
from services.gateway.rules.list_versions import moved_to
from services.gateway.rules.steps import (
    ACTS_FOR,
    OWNERS,
    Actor,
    BadAnswer,
    NotTheirStep,
    Section,
    Step,
    StepFinished,
    StepLocked,
    StepNotOptional,
    StepOpen,
    check_answer,
    check_completion,
    check_reopening,
    prefilled,
    shown_status,
    waiting_for,
)
from services.gateway.rules.templates import TEMPLATES
from services.gateway.rules.transfer import Role, Route
from services.kernel.errors import DomainError

LISTS = {
    "conversion": """post_decision_actions handover_with_delivery_officer stakeholder_kick_off
        risk_protection_arrangement high_needs_places conversion_support_grant high_needs_places_change
        sponsored_support_grant nursery_arrangement childrens_centre statutory_consultation academy_name
        headteacher_contact chair_contact incoming_chief_executive_contact main_contact proposed_capacity
        payroll_deadline land_questionnaire supplemental_funding_agreement church_supplemental_agreement
        master_funding_agreement articles_of_association deed_of_variation trust_modification_order
        direction_to_transfer lease_125_years subleases third_party_leases tenancy_at_will
        commercial_transfer_agreement private_finance_initiative bank_details school_completed_actions
        all_conditions_met tupe_consultation dbs_checks check_ground open_membership freeze_contract hand_over
        academy_opened redact_and_send expenditure_certificate""",
    "trust_to_trust": """handover_with_delivery_officer stakeholder_kick_off risk_protection_arrangement
        headteacher_contact incoming_chief_executive_contact outgoing_chief_executive_contact main_contact
        new_urn_and_record transfer_grant_level surplus_or_deficit form_m land_consent_letter
        supplemental_funding_agreement deed_of_novation_and_variation church_supplemental_agreement
        master_funding_agreement articles_of_association deed_of_variation termination_of_church_agreement
        commercial_transfer_agreement closure_or_transfer_declaration bank_details
        incoming_trust_completed_actions authority_to_proceed check_ground open_membership freeze_contract hand_over
        termination_of_master_funding_agreement academy_transferred redact_and_send expenditure_certificate""",
}
"""DfE's lists in their order: 40 and 28 steps, and the four of the system."""
STEPS = [step for template in TEMPLATES.values() for step in template]
GATES = {
    Route.CONVERSION: ["all_conditions_met", "academy_opened"],
    Route.TRUST_TO_TRUST: ["authority_to_proceed", "academy_transferred"],
}


def behind(route: Route, key: str) -> set[str]:
    """Every step that has to be finished before this one."""
    steps = {step.key: step for step in TEMPLATES[route]}
    found, waiting = set[str](), list(steps[key].depends_on)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(steps[each].depends_on)
    return found


def test_each_route_has_dfes_whole_list() -> None:
    assert {route.value: [step.key for step in TEMPLATES[route]] for route in Route} == {
        route: keys.split() for route, keys in LISTS.items()
    }
    own = [[step for step in TEMPLATES[route] if step.actor is not Actor.SYSTEM] for route in Route]
    assert [len(steps) for steps in own] == [40, 28]


@pytest.mark.parametrize("route", Route)
def test_no_step_waits_for_itself_or_for_one_that_is_not_there(route: Route) -> None:
    keys = [step.key for step in TEMPLATES[route]]
    assert len(keys) == len(set(keys))
    for step in TEMPLATES[route]:
        assert set(step.depends_on) <= set(keys)
        assert step.key not in behind(route, step.key)


@pytest.mark.parametrize("route", Route)
def test_mandatory_gates_of_the_commissioner_stand_before_the_day_and_after_it(route: Route) -> None:
    gates = [step for step in TEMPLATES[route] if step.gate]
    assert [step.key for step in gates] == GATES[route]
    assert all(step.owner is Role.COMMISSIONER and not step.optional and step.applies is None for step in gates)
    assert [step.section for step in gates] == [Section.READY, Section.AFTER]


ORDERS = [
    (Route.CONVERSION, "land_questionnaire", "supplemental_funding_agreement"),
    (Route.CONVERSION, "land_questionnaire", "master_funding_agreement"),
    (Route.CONVERSION, "supplemental_funding_agreement", "redact_and_send"),
    (Route.CONVERSION, "open_membership", "redact_and_send"),
    (Route.CONVERSION, "open_membership", "expenditure_certificate"),
    (Route.TRUST_TO_TRUST, "form_m", "land_consent_letter"),
    (Route.TRUST_TO_TRUST, "authority_to_proceed", "land_consent_letter"),
    (Route.TRUST_TO_TRUST, "open_membership", "termination_of_master_funding_agreement"),
    (Route.TRUST_TO_TRUST, "deed_of_novation_and_variation", "redact_and_send"),
    (Route.TRUST_TO_TRUST, "open_membership", "expenditure_certificate"),
]


@pytest.mark.parametrize(("route", "first", "then"), ORDERS)
def test_the_hard_orders_hold(route: Route, first: str, then: str) -> None:
    assert first in behind(route, then)


def test_church_agreements_end_before_the_day() -> None:
    ending = next(step for step in STEPS if step.key == "termination_of_church_agreement")
    assert (ending.section, ending.applies) == (Section.LEGAL, Circumstance.FAITH)


@pytest.mark.parametrize("route", Route)
def test_what_comes_after_the_day_waits_for_it_and_nothing_before_it_does(route: Route) -> None:
    for step in TEMPLATES[route]:
        waits = "open_membership" in behind(route, step.key)
        assert waits == (step.section is Section.AFTER or step.key == "freeze_contract")


@pytest.mark.parametrize("route", Route)
def test_the_gate_waits_for_no_optional_step_and_for_every_mandatory_agreement(route: Route) -> None:
    steps = {step.key: step for step in TEMPLATES[route]}
    first = behind(route, GATES[route][0])
    assert not [key for key in first if steps[key].optional or steps[key].applies]
    legal = {step.key for step in steps.values() if step.section is Section.LEGAL}
    mandatory = {key for key in legal if not steps[key].optional and not steps[key].applies}
    assert mandatory <= first


def test_every_actor_acts_in_one_capacity_and_dfe_acts_for_its_officers() -> None:
    assert set(OWNERS) == set(Actor)
    assert {role for role in Role if role is not Role.DFE} == {step.owner for step in STEPS}
    for owner, role in product(Role, Role):
        assert (role in ACTS_FOR[owner]) == (owner is role or (owner, role) == (Role.COMMISSIONER, Role.DFE))


def test_circumstances_decide_whether_a_step_applies() -> None:
    plain = Step("a", "A", Section.LEGAL, Actor.SOPU)
    church = Step("b", "B", Section.LEGAL, Actor.SOPU, applies=Circumstance.FAITH)
    found = dict.fromkeys(Circumstance, UNTOLD)
    start = prefilled(plain, found)
    assert (start.status, start.optional, start.known) == ("open", False, None)
    for held, status, optional in ((True, "open", False), (False, "not_applicable", True), (None, "open", True)):
        known = Known(held, "GIAS", "as it says")
        start = prefilled(church, found | {Circumstance.FAITH: known})
        assert (start.status, start.optional, start.known) == (status, optional, known)


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
        if owner != role and (owner, role) != (Role.COMMISSIONER, Role.DFE):
            expected = "not_your_step"
        assert refusal(owner, role, status, optional, applicable, ["first"] if waits else []) == expected


def test_every_way_of_opening_a_step_again() -> None:
    for role, status, follower in product(Role, ("open", "done", "not_applicable"), ("open", "done", "not_applicable")):
        expected: type[DomainError] | None = None
        if follower == "done":
            expected = StepLocked
        if status == "open":
            expected = StepOpen
        if role is not Role.SUPPLIER:
            expected = NotTheirStep
        facts = {"owner": Role.SUPPLIER, "role": role, "status": status, "followers": {"next": follower}}
        if expected is None:
            check_reopening(**facts)
        else:
            with pytest.raises(expected):
                check_reopening(**facts)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotTheirStep, 403),
        (StepFinished, 409),
        (StepLocked, 409),
        (StepNotOptional, 409),
        (StepOpen, 409),
        (BadAnswer, 422),
    ],
)
def test_who_may_is_403_and_when_may_it_is_409(error: type[DomainError], status: int) -> None:
    assert error.status == status


ASKED = ("new_urn", "new_laestab")


def test_an_answer_holds_what_the_step_asks_for_and_a_new_urn_is_another() -> None:
    check_answer((), {}, 100_000, done=True)
    check_answer(ASKED, {}, 100_000, done=False)
    check_answer(ASKED, {"new_urn": "100001"}, 100_000, done=True)
    check_answer(ASKED, {"new_urn": "100001", "new_laestab": "8881234"}, 100_000, done=True)
    for asks, given, done in (
        (ASKED, {}, True),
        (ASKED, {"new_laestab": "8881234"}, True),
        (ASKED, {"new_urn": "100000"}, True),
        (ASKED, {"new_urn": "100001"}, False),
        ((), {"new_urn": "100001"}, True),
    ):
        with pytest.raises(BadAnswer):
            check_answer(asks, given, 100_000, done=done)


def test_a_list_moves_to_a_newer_template_by_its_keys_and_their_former_names() -> None:
    template = (
        Step("a", "A", Section.LEGAL, Actor.SOPU),
        Step("b", "B", Section.LEGAL, Actor.SOPU, formerly=("b_then", "b_long_ago")),
        Step("c", "C", Section.LEGAL, Actor.SOPU, formerly=("c_then",)),
    )
    found = moved_to(template, ["b_long_ago", "a", "gone"])
    assert found.kept == {"a": "a", "b": "b_long_ago"}
    assert (found.added, found.dropped, found.renamed) == (("c",), ("gone",), {"b": "b_long_ago"})
    keys = [step.key for step in template]
    assert (moved_to(template, keys).added, moved_to(template, keys).dropped, moved_to(template, keys).renamed) == (
        (),
        (),
        {},
    )


def test_no_former_name_is_in_use_for_another_step() -> None:
    for template in TEMPLATES.values():
        former = [name for step in template for name in step.formerly]
        assert len(former) == len(set(former))
        assert not set(former) & {step.key for step in template}


def test_a_locked_step_says_what_it_waits_for() -> None:
    with pytest.raises(StepLocked, match=r"^Finish first: first, second\.$") as locked:
        check_completion(
            owner=Role.SUPPLIER,
            role=Role.SUPPLIER,
            status="open",
            optional=False,
            applicable=True,
            waiting=["first", "second"],
        )
    assert locked.value.extensions == {"waiting_for": ["first", "second"]}
