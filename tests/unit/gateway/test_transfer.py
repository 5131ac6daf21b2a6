"""How a transfer moves, on every combination of status, move and role; and who consents to it."""

from datetime import date
from itertools import product

import pytest

from services.gateway.rules.transfer import (
    ROLES,
    SPEAKS_FOR,
    BadDate,
    BadDecision,
    Body,
    Decision,
    Move,
    NotNeeded,
    NotTheirConsent,
    NoWayBack,
    Role,
    Route,
    Status,
    TransferNotAllowed,
    all_approved,
    blocking,
    check_consent,
    check_decision,
    check_effective_date,
    check_way_back,
    consents_needed,
    moved,
    route_of,
)
from services.kernel.types import Kind

TODAY = date(2019, 9, 15)
ALLOWED = {
    ("proposed", "consent", "commissioner"): "consenting",
    ("proposed", "consent", "supplier"): "consenting",
    ("proposed", "consent", "responsible_body"): "consenting",
    ("proposed", "block", "commissioner"): "blocked",
    ("proposed", "block", "supplier"): "blocked",
    ("proposed", "block", "responsible_body"): "blocked",
    ("proposed", "hold", "commissioner"): "blocked",
    ("proposed", "cancel", "commissioner"): "cancelled",
    ("proposed", "withdraw", "worker"): "cancelled",
    ("consenting", "consent", "commissioner"): "consenting",
    ("consenting", "consent", "supplier"): "consenting",
    ("consenting", "consent", "responsible_body"): "consenting",
    ("consenting", "schedule", "commissioner"): "scheduled",
    ("consenting", "schedule", "worker"): "scheduled",
    ("consenting", "block", "commissioner"): "blocked",
    ("consenting", "block", "supplier"): "blocked",
    ("consenting", "block", "responsible_body"): "blocked",
    ("consenting", "hold", "commissioner"): "blocked",
    ("consenting", "cancel", "commissioner"): "cancelled",
    ("consenting", "withdraw", "worker"): "cancelled",
    ("scheduled", "consent", "commissioner"): "consenting",
    ("scheduled", "consent", "supplier"): "consenting",
    ("scheduled", "consent", "responsible_body"): "consenting",
    ("scheduled", "schedule", "commissioner"): "scheduled",
    ("scheduled", "schedule", "worker"): "scheduled",
    ("scheduled", "block", "commissioner"): "blocked",
    ("scheduled", "block", "supplier"): "blocked",
    ("scheduled", "block", "responsible_body"): "blocked",
    ("scheduled", "hold", "commissioner"): "blocked",
    ("scheduled", "complete", "worker"): "completed",
    ("scheduled", "cancel", "commissioner"): "cancelled",
    ("scheduled", "withdraw", "worker"): "cancelled",
    ("blocked", "consent", "commissioner"): "consenting",
    ("blocked", "consent", "supplier"): "consenting",
    ("blocked", "consent", "responsible_body"): "consenting",
    ("blocked", "block", "commissioner"): "blocked",
    ("blocked", "block", "supplier"): "blocked",
    ("blocked", "block", "responsible_body"): "blocked",
    ("blocked", "hold", "commissioner"): "blocked",
    ("blocked", "resume", "commissioner"): "consenting",
    ("blocked", "cancel", "commissioner"): "cancelled",
    ("blocked", "withdraw", "worker"): "cancelled",
}
"""Every move that there is, written out apart from the code."""
MOVERS = {
    "consent": {"commissioner", "supplier", "responsible_body"},
    "schedule": {"commissioner", "worker"},
    "block": {"commissioner", "supplier", "responsible_body"},
    "complete": {"worker"},
    "cancel": {"commissioner"},
    "withdraw": {"worker"},
    "hold": {"commissioner"},
    "resume": {"commissioner"},
}


def test_exactly_these_moves_exist() -> None:
    for status, move, role in product(Status, Move, Role):
        expected = ALLOWED.get((status.value, move.value, role.value))
        if expected is not None:
            assert moved(status, move, role).value == expected
        elif role.value in MOVERS[move.value]:
            with pytest.raises(TransferNotAllowed) as conflict:
                moved(status, move, role)
            assert conflict.value.status == 409
        else:
            with pytest.raises(NotTheirConsent) as refused:
                moved(status, move, role)
            assert refused.value.status == 403


def test_a_refusal_says_who_may_or_which_moves_there_are() -> None:
    with pytest.raises(NotTheirConsent, match="To schedule a transfer is for the commissioner or worker"):
        moved(Status.CONSENTING, Move.SCHEDULE, Role.SUPPLIER)
    with pytest.raises(TransferNotAllowed, match="A transfer that is blocked cannot complete") as refused:
        moved(Status.BLOCKED, Move.COMPLETE, Role.WORKER)
    assert refused.value.extensions == {"allowed": ["block", "cancel", "consent", "hold", "resume", "withdraw"]}


def test_statuses_bodies_decisions_and_routes_are_those_of_the_public_api() -> None:
    assert " ".join(Status) == "proposed consenting scheduled blocked completed cancelled"
    assert " ".join(Body) == "rsc trust_board governing_body outgoing_trust diocese"
    assert " ".join(Decision) == "approved approved_with_conditions declined deferred"
    assert " ".join(Route) == "conversion trust_to_trust"


def test_every_kind_of_caller_acts_in_one_capacity() -> None:
    assert {kind.value: role.value for kind, role in ROLES.items()} == {
        "commissioner": "commissioner",
        "supplier": "supplier",
        "responsible_body": "responsible_body",
        "dfe": "dfe",
        "service": "worker",
    }
    assert set(ROLES) == set(Kind)


def test_an_academy_moves_between_trusts_and_any_other_school_converts() -> None:
    assert route_of({"trust": {"uid": "2059"}}) is Route.TRUST_TO_TRUST
    assert route_of({"trust": None}) is Route.CONVERSION


@pytest.mark.parametrize("character", [None, "", "None", "Does not apply", "DOES NOT APPLY"])
def test_a_school_without_a_faith_asks_no_diocese(character: str | None) -> None:
    assert consents_needed(Route.CONVERSION, character) == [Body.RSC, Body.TRUST_BOARD, Body.GOVERNING_BODY]
    assert consents_needed(Route.TRUST_TO_TRUST, character) == [Body.RSC, Body.TRUST_BOARD, Body.OUTGOING_TRUST]


@pytest.mark.parametrize("character", ["Church of England", "Roman Catholic", "Church of England/Methodist"])
def test_a_church_school_asks_the_diocese_too(character: str) -> None:
    for route in Route:
        assert consents_needed(route, character) == [*consents_needed(route, None), Body.DIOCESE]


def test_each_body_has_one_who_speaks_for_it_and_nobody_else_does() -> None:
    speakers = {
        "rsc": "commissioner",
        "trust_board": "supplier",
        "governing_body": "responsible_body",
        "outgoing_trust": "responsible_body",
        "diocese": "commissioner",
    }
    needed = [body.value for body in Body]
    for body, role in product(Body, Role):
        assert SPEAKS_FOR[body].value == speakers[body.value]
        if role.value == speakers[body.value]:
            check_consent(needed, body, role)
        else:
            with pytest.raises(NotTheirConsent, match=f"recorded by the {speakers[body.value]}"):
                check_consent(needed, body, role)


def test_a_consent_that_is_not_asked_for_is_refused_first() -> None:
    needed = ["rsc", "trust_board", "governing_body"]
    for body, role in product((Body.OUTGOING_TRUST, Body.DIOCESE), Role):
        with pytest.raises(NotNeeded, match="rsc, trust_board, governing_body") as refused:
            check_consent(needed, body, role)
        assert refused.value.status == 422


def test_schools_join_on_the_first_of_a_month_today_or_later() -> None:
    check_effective_date(date(2019, 10, 1), TODAY)
    check_effective_date(date(2019, 10, 1), date(2019, 10, 1))
    check_effective_date(date(2024, 1, 1), TODAY)
    for day in (date(2019, 10, 2), date(2019, 9, 30), date(2019, 9, 1), date(2018, 10, 1)):
        with pytest.raises(BadDate) as refused:
            check_effective_date(day, TODAY)
        assert refused.value.status == 422


def test_consents_add_up_in_every_combination() -> None:
    needed = ["rsc", "trust_board"]
    for rsc, board in product([None, *Decision], repeat=2):
        decisions = {name: each for name, each in zip(needed, (rsc, board), strict=True) if each is not None}
        yes = {"approved", "approved_with_conditions"}
        assert all_approved(needed, decisions) is (rsc in yes and board in yes)
        first = "rsc" if rsc == "declined" else "trust_board" if board == "declined" else None
        assert blocking(None, decisions) == (f"declined_by_{first}" if first else None)
        assert blocking({"reason": "waiting"}, decisions) == "on_hold"


DAY, LATER = date(2019, 9, 10), date(2019, 9, 20)


def test_a_decision_names_what_goes_with_it_and_nothing_else() -> None:
    for decision, conditions, until in product(Decision, ([], ["a lease"]), (None, LATER, DAY)):
        fits = (decision == "approved_with_conditions") == bool(conditions)
        fits = fits and (until == LATER if decision == "deferred" else until is None)
        if fits:
            check_decision(decision, conditions, until, DAY)
        else:
            with pytest.raises(BadDecision):
                check_decision(decision, conditions, until, DAY)


def test_after_the_point_of_no_return_only_a_new_transfer_leads_back() -> None:
    check_way_back(False)
    with pytest.raises(NoWayBack, match=r"^It can only be reversed by a new transfer\.$") as refused:
        check_way_back(True)
    assert refused.value.status == 409
