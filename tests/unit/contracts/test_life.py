"""The life of a contract, on every combination of status, move and role."""

from itertools import product

import pytest

from services.contracts.rules.life import (
    PARTIES,
    ROLES,
    Move,
    MoveNotAllowed,
    NotAParty,
    NotTheirMove,
    Role,
    Status,
    all_signed,
    check_in_force,
    check_party,
    may_sign,
    moved,
)
from services.kernel.types import Kind

ALLOWED = {
    ("draft", "offer", "commissioner"): "offered",
    ("draft", "cancel", "commissioner"): "cancelled",
    ("offered", "agree", "commissioner"): "agreed",
    ("offered", "agree", "supplier"): "agreed",
    ("offered", "agree", "responsible_body"): "agreed",
    ("offered", "cancel", "commissioner"): "cancelled",
    ("offered", "withdraw", "commissioner"): "draft",
    ("offered", "refuse", "supplier"): "cancelled",
    ("offered", "refuse", "responsible_body"): "cancelled",
    ("offered", "lapse", "clock"): "cancelled",
    ("agreed", "activate", "clock"): "active",
    ("active", "suspend", "commissioner"): "suspended",
    ("active", "complete", "clock"): "completed",
    ("active", "expire", "clock"): "expired",
    ("suspended", "resume", "commissioner"): "active",
    ("suspended", "expire", "clock"): "expired",
    ("expired", "complete", "clock"): "completed",
    ("completed", "transfer", "gateway"): "transferred",
    **{
        (status, "terminate", role): "terminated"
        for status in ("agreed", "active", "suspended")
        for role in ("commissioner", "supplier", "responsible_body", "clock")
    },
}
"""Every move that there is, written out apart from the code."""
MOVERS = {
    "offer": {"commissioner"},
    "agree": {"commissioner", "supplier", "responsible_body"},
    "withdraw": {"commissioner"},
    "refuse": {"supplier", "responsible_body"},
    "lapse": {"clock"},
    "cancel": {"commissioner"},
    "activate": {"clock"},
    "suspend": {"commissioner"},
    "resume": {"commissioner"},
    "complete": {"clock"},
    "expire": {"clock"},
    "terminate": {"commissioner", "supplier", "responsible_body", "clock"},
    "transfer": {"gateway"},
}


def outcome(status: Status, move: Move, role: Role) -> str | None:
    try:
        return moved(status, move, role).value
    except (NotTheirMove, MoveNotAllowed):
        return None


def test_exactly_these_moves_exist() -> None:
    found = {
        (status.value, move.value, role.value): after
        for status, move, role in product(Status, Move, Role)
        if (after := outcome(status, move, role)) is not None
    }
    assert found == ALLOWED


@pytest.mark.parametrize(("move", "role"), [(move, role) for move, role in product(Move, Role)])
def test_who_may_is_asked_before_when_may_it(move: Move, role: Role) -> None:
    for status in Status:
        if role.value not in MOVERS[move.value]:
            with pytest.raises(NotTheirMove) as refused:
                moved(status, move, role)
            assert refused.value.status == 403
        elif (status.value, move.value, role.value) not in ALLOWED:
            with pytest.raises(MoveNotAllowed) as conflict:
                moved(status, move, role)
            assert conflict.value.status == 409


def test_a_refusal_says_who_may() -> None:
    with pytest.raises(NotTheirMove, match="for the commissioner or responsible_body or supplier") as refused:
        moved(Status.OFFERED, Move.AGREE, Role.DFE)
    assert refused.value.extensions == {"move": "agree"}


def test_a_refusal_says_which_moves_there_are() -> None:
    with pytest.raises(MoveNotAllowed, match="A contract that is suspended cannot cancel") as refused:
        moved(Status.SUSPENDED, Move.CANCEL, Role.COMMISSIONER)
    assert refused.value.extensions == {"status_now": "suspended", "allowed": ["expire", "resume", "terminate"]}


def test_nothing_follows_an_end() -> None:
    for status, move, role in product((Status.TERMINATED, Status.CANCELLED, Status.TRANSFERRED), Move, Role):
        assert outcome(status, move, role) is None


def test_the_statuses_are_those_of_the_public_api() -> None:
    words = "draft offered agreed active suspended completed terminated expired cancelled transferred"
    assert [status.value for status in Status] == words.split()


def test_every_kind_of_caller_acts_in_one_capacity_and_none_as_the_gateway() -> None:
    assert {kind.value: role.value for kind, role in ROLES.items()} == {
        "commissioner": "commissioner",
        "supplier": "supplier",
        "responsible_body": "responsible_body",
        "dfe": "dfe",
        "service": "clock",
    }
    assert set(ROLES) == set(Kind)


def test_a_party_signs_for_itself_while_the_offer_stands() -> None:
    for party, role, status in product(PARTIES, Role, Status):
        if party is role and status is Status.OFFERED:
            may_sign(party, role, status)
            continue
        expected = MoveNotAllowed if party is role else NotAParty
        with pytest.raises(expected):
            may_sign(party, role, status)


def test_all_three_parties_have_to_sign() -> None:
    three = (Role.COMMISSIONER, Role.SUPPLIER, Role.RESPONSIBLE_BODY)
    for signs in product((False, True), repeat=3):
        signed = frozenset(role for role, there in zip(three, signs, strict=True) if there)
        assert all_signed(signed) is all(signs)
    assert all_signed(frozenset(Role))


def test_only_what_binds_and_has_not_ended_is_in_force() -> None:
    for status in Status:
        if status.value in {"agreed", "active", "suspended"}:
            check_in_force(status)
            continue
        with pytest.raises(MoveNotAllowed, match="not in force"):
            check_in_force(status)


def test_only_parties_are_parties() -> None:
    for role in Role:
        if role in PARTIES:
            check_party(role)
            continue
        with pytest.raises(NotTheirMove):
            check_party(role)
