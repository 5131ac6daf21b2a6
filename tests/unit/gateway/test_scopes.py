"""What each kind of caller may be given at most."""

from itertools import product

import pytest

from services.gateway.rules.scopes import ALLOWED, KEY_SCOPES, SCOPES, ScopeNotAllowed, check_scopes
from services.kernel.types import Kind

ALL = {
    "contracts:read",
    "contracts:write",
    "milestones:write",
    "outcomes:read",
    "outcomes:write",
    "releases:write",
    "transfers:read",
    "transfers:write",
    "finance:read",
    "finance:write",
    "keys:write",
    "clients:write",
    "subscriptions:write",
    "log:read",
}
"""The scopes of the public API, written out apart from the code."""
NOT_FOR = {
    Kind.DFE: set(),
    Kind.COMMISSIONER: {"releases:write", "clients:write", "keys:write"},
    Kind.SUPPLIER: {"outcomes:write", "releases:write", "clients:write"},
    Kind.RESPONSIBLE_BODY: {
        "outcomes:write",
        "releases:write",
        "finance:write",
        "keys:write",
        "clients:write",
        "subscriptions:write",
    },
}


def test_the_scopes_are_those_of_the_public_api_each_with_a_description() -> None:
    assert set(SCOPES) == ALL
    assert all(SCOPES.values())


def test_who_may_be_given_what() -> None:
    for kind, scope in product(NOT_FOR, ALL):
        refused = scope in NOT_FOR[kind]
        if refused:
            with pytest.raises(ScopeNotAllowed, match=scope) as found:
                check_scopes([scope], ALLOWED[kind])
            assert found.value.status == 422
        else:
            check_scopes([scope], ALLOWED[kind])


def test_a_service_is_given_no_scope_from_outside() -> None:
    assert set(ALLOWED) == set(Kind) - {Kind.SERVICE}


def test_only_dfe_ingests_releases_and_registers_clients() -> None:
    for scope in ("releases:write", "clients:write"):
        assert [kind for kind, scopes in ALLOWED.items() if scope in scopes] == [Kind.DFE]


def test_an_api_key_reads_and_claims_and_cannot_sign_or_make_keys() -> None:
    assert set(KEY_SCOPES) == {"contracts:read", "finance:read", "finance:write", "outcomes:read"}
    assert not KEY_SCOPES - ALLOWED[Kind.SUPPLIER]


def test_one_scope_too_many_refuses_all_and_says_what_is_possible() -> None:
    check_scopes([], KEY_SCOPES)
    check_scopes(sorted(KEY_SCOPES), KEY_SCOPES)
    possible = "contracts:read, finance:read, finance:write, outcomes:read"
    with pytest.raises(ScopeNotAllowed, match=f"^clients:write cannot be given here; possible are {possible}.$"):
        check_scopes(["contracts:read", "clients:write"], KEY_SCOPES)


@pytest.mark.parametrize("unknown", ["", "contracts", "CONTRACTS:READ", "contracts:read ", "contracts:read log:read"])
def test_a_scope_that_does_not_exist_is_refused_even_for_dfe(unknown: str) -> None:
    with pytest.raises(ScopeNotAllowed):
        check_scopes([unknown], ALLOWED[Kind.DFE])
