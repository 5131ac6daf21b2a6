"""Who writes the register, who sees what, and what keeps a trust from new contracts."""

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from services.contracts.rules.life import MoveNotAllowed, NotTheirMove, Role
from services.contracts.rules.suppliers import (
    TABLE,
    BadMatter,
    MatterKind,
    Phase,
    Standing,
    SupplierMove,
    SupplierStatus,
    check_days,
    check_raise,
    check_resolve,
    check_writer,
    moved,
    obstacles,
    offers_phase,
    sees_matters,
)

KEEPERS = {Role.COMMISSIONER, Role.DFE}
ALLOWED = {
    (SupplierStatus.REGISTERED, SupplierMove.SUSPEND): SupplierStatus.SUSPENDED,
    (SupplierStatus.SUSPENDED, SupplierMove.REINSTATE): SupplierStatus.REGISTERED,
}
GOOD = Standing("4903", "Star Academies", SupplierStatus.REGISTERED, None, frozenset())
TODAY = date(2023, 6, 20)


@pytest.mark.parametrize(("status", "move", "role"), list(product(SupplierStatus, SupplierMove, Role)))
def test_every_move_from_every_status_by_every_role(status: SupplierStatus, move: SupplierMove, role: Role) -> None:
    if role not in KEEPERS:
        with pytest.raises(NotTheirMove):
            moved(status, move, role)
    elif (status, move) in ALLOWED:
        assert moved(status, move, role) is ALLOWED[status, move]
    else:
        with pytest.raises(MoveNotAllowed) as refused:
            moved(status, move, role)
        assert refused.value.extensions["allowed"] == [each.value for each in TABLE[status]]


@pytest.mark.parametrize(("role", "own"), list(product(Role, [True, False])))
def test_who_writes_an_entry_and_who_sees_matters(role: Role, own: bool) -> None:
    may = role in KEEPERS or (role is Role.SUPPLIER and own)
    assert sees_matters(role, own=own) is (may or role is Role.CLOCK)
    if may:
        check_writer(role, own=own)
    else:
        with pytest.raises(NotTheirMove):
            check_writer(role, own=own)


def test_a_supplier_declares_its_conflicts_and_raises_no_concern() -> None:
    for role, kind in product(KEEPERS, MatterKind):
        check_raise(role, kind)
    check_raise(Role.SUPPLIER, MatterKind.CONFLICT)
    with pytest.raises(NotTheirMove):
        check_raise(Role.SUPPLIER, MatterKind.CONCERN)


def test_a_matter_is_resolved_once_and_not_by_the_supplier() -> None:
    check_resolve(Role.DFE, resolved=False)
    with pytest.raises(MoveNotAllowed):
        check_resolve(Role.COMMISSIONER, resolved=True)
    with pytest.raises(NotTheirMove):
        check_resolve(Role.SUPPLIER, resolved=True)


@pytest.mark.parametrize(
    ("raised_on", "resolved_on", "pointer"),
    [
        (date(2023, 6, 21), None, "/raised_on"),
        (date(2023, 6, 20), date(2023, 6, 19), "/resolved_on"),
        (date(2023, 6, 20), date(2023, 6, 21), "/resolved_on"),
    ],
)
def test_matters_are_of_the_past_and_in_order(raised_on: date, resolved_on: date | None, pointer: str) -> None:
    with pytest.raises(BadMatter) as refused:
        check_days(raised_on, resolved_on, TODAY)
    assert refused.value.extensions == {"errors": [{"pointer": pointer}]}


def test_a_matter_may_be_raised_and_resolved_today() -> None:
    check_days(TODAY, None, TODAY)
    check_days(TODAY, TODAY, TODAY)


@pytest.mark.parametrize("wanted", list(Phase))
def test_a_phase_is_offered_or_made_of_two(wanted: Phase) -> None:
    assert offers_phase([wanted], wanted)
    assert not offers_phase([], wanted)
    both = offers_phase([Phase.PRIMARY, Phase.SECONDARY], wanted)
    assert both is (wanted in {Phase.PRIMARY, Phase.SECONDARY, Phase.ALL_THROUGH})
    assert offers_phase([Phase.ALL_THROUGH], wanted) is (wanted is Phase.ALL_THROUGH)


def codes(standing: Standing, *, told: bool = True) -> list[str]:
    return [each.code for each in obstacles(standing, told=told)]


def test_a_registered_supplier_of_whom_nothing_is_said_may_contract() -> None:
    assert codes(GOOD) == codes(GOOD, told=False) == []


def test_everything_that_stands_against_a_supplier_is_named() -> None:
    against = frozenset(MatterKind)
    suspended = replace(GOOD, status=SupplierStatus.SUSPENDED, since=date(2023, 5, 1), matters=against)
    assert codes(suspended) == ["supplier_suspended", "live_concern", "conflict_of_interest"]
    first = obstacles(suspended, told=True)[0]
    assert (first.status, first.extensions) == (409, {"since": "2023-05-01"})
    assert "since 2023-05-01" in first.detail
    undated = obstacles(replace(suspended, since=None), told=True)[0]
    assert undated.extensions == {"since": None}
    assert codes(replace(GOOD, matters=frozenset({MatterKind.CONCERN}))) == ["live_concern"]
    assert codes(replace(GOOD, matters=frozenset({MatterKind.CONFLICT}))) == ["conflict_of_interest"]


@pytest.mark.parametrize("kind", list(MatterKind))
def test_who_may_not_know_of_matters_learns_no_more_than_that_there_is_one(kind: MatterKind) -> None:
    (one,) = obstacles(replace(GOOD, matters=frozenset({kind})), told=False)
    assert (one.status, one.code) == (409, "supplier_not_available")
    assert kind.value not in one.detail


def test_a_trust_that_is_not_on_the_register_is_told_how_to_get_there() -> None:
    (one,) = obstacles(replace(GOOD, status=None, matters=frozenset(MatterKind)), told=False)
    assert (one.status, one.code, one.extensions) == (409, "supplier_not_registered", {"supplier_uid": "4903"})
    assert "PUT /v1/suppliers/4903" in one.detail
