"""Ends before the term: who, when, and what stays payable."""

from datetime import date, timedelta
from itertools import product

import pytest

from services.contracts.rules.life import NotTheirMove, Role
from services.contracts.rules.money import PaymentKind, PaymentStatus
from services.contracts.rules.termination import (
    AlreadyNotified,
    BadEnd,
    Ground,
    NotABreakPoint,
    NoticeTooShort,
    Terms,
    after_termination,
    check_earlier,
    check_notice,
    ended_on,
)

TODAY, POINT, END = date(2024, 1, 10), date(2024, 8, 31), date(2025, 8, 31)
TERMS = Terms(90, [POINT], END)
WHO = {
    "agreement": {"commissioner", "supplier", "responsible_body"},
    "breach": {"commissioner"},
    "convenience": {"commissioner", "supplier"},
    "school_closed": {"commissioner"},
}


@pytest.mark.parametrize(("ground", "role"), list(product(Ground, Role)))
def test_who_may_end_a_contract_on_which_ground(ground: Ground, role: Role) -> None:
    if role.value in WHO[ground.value]:
        check_notice(ground, role, TERMS, TODAY, POINT)
        return
    with pytest.raises(NotTheirMove) as refused:
        check_notice(ground, role, TERMS, TODAY, POINT)
    assert refused.value.extensions == {"ground": ground.value}


@pytest.mark.parametrize("ground", list(Ground))
def test_no_contract_ends_in_the_past_or_when_it_ends_by_itself(ground: Ground) -> None:
    for day in (TODAY - timedelta(days=1), END, END + timedelta(days=1)):
        with pytest.raises(BadEnd):
            check_notice(ground, Role.COMMISSIONER, TERMS, TODAY, day)


@pytest.mark.parametrize("ground", [Ground.AGREEMENT, Ground.BREACH, Ground.SCHOOL_CLOSED])
def test_without_notice_a_contract_can_end_today(ground: Ground) -> None:
    check_notice(ground, Role.COMMISSIONER, TERMS, TODAY, TODAY)


def test_convenience_asks_for_notice_to_the_day() -> None:
    first = date(2024, 4, 9)
    check_notice(Ground.CONVENIENCE, Role.COMMISSIONER, TERMS, TODAY, first)
    with pytest.raises(NoticeTooShort, match="90 days") as refused:
        check_notice(Ground.CONVENIENCE, Role.COMMISSIONER, TERMS, TODAY, first - timedelta(days=1))
    assert refused.value.extensions["first_day"] == "2024-04-09"


def test_a_supplier_leaves_at_a_break_point_only() -> None:
    with pytest.raises(NotABreakPoint, match="2024-08-31"):
        check_notice(Ground.CONVENIENCE, Role.SUPPLIER, TERMS, TODAY, POINT + timedelta(days=1))
    with pytest.raises(NotABreakPoint, match="none"):
        check_notice(Ground.CONVENIENCE, Role.SUPPLIER, Terms(0, [], END), TODAY, POINT)


def test_a_second_notice_ends_the_contract_earlier_or_not_at_all() -> None:
    check_earlier(POINT, None)
    check_earlier(POINT, POINT + timedelta(days=1))
    with pytest.raises(AlreadyNotified):
        check_earlier(POINT, POINT)


def test_what_stays_payable() -> None:
    before, after = POINT - timedelta(days=1), POINT + timedelta(days=1)
    stays = {
        (ground, kind, day)
        for ground, kind, day in product(Ground, PaymentKind, (None, before, POINT, after))
        if after_termination(ground, kind, day, POINT) is PaymentStatus.SCHEDULED
    }
    without_breach = set(Ground) - {Ground.BREACH}
    assert stays == {
        *((ground, PaymentKind.OUTCOME, day) for ground in without_breach for day in (None, before, POINT, after)),
        *((ground, PaymentKind.MILESTONE, day) for ground in without_breach for day in (before, POINT)),
    }


def test_a_contract_that_never_began_ends_on_the_eve_of_its_first_day() -> None:
    assert ended_on(date(2024, 9, 1), date(2024, 8, 1)) == date(2024, 8, 31)
    assert ended_on(date(2024, 9, 1), date(2024, 9, 2)) == date(2024, 9, 2)
