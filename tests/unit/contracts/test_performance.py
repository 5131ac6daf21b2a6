"""KPI ratings, their basis, and findings that come only after a chance to improve."""

from datetime import date

import pytest

from services.contracts.rules.performance import (
    IN_FORCE_ON,
    RATING_OF,
    BadPeriod,
    Basis,
    FindingKind,
    NoOpportunity,
    Rating,
    check_finding,
    check_opportunity,
    in_words,
    kpi_basis,
    over_threshold,
    still_open,
    under_the_act,
)


def test_the_words_of_the_regulations() -> None:
    words = ("Good", "Approaching target", "Requires improvement", "Inadequate", "Other")
    assert [in_words(each) for each in words] == list(Rating)
    assert {status: rating.value for status, rating in RATING_OF.items()} == {
        "met": "good",
        "partly_met": "approaching_target",
        "not_met": "requires_improvement",
        "not_measurable": "other",
    }


def test_five_million_pounds_are_counted_with_vat_to_the_penny() -> None:
    assert not over_threshold(416_666_666)
    assert over_threshold(416_666_667)


@pytest.mark.parametrize("route", ["light_touch", "grant", "other"])
def test_light_touch_and_grants_are_held_to_kpis_by_policy(route: str) -> None:
    assert kpi_basis(route, 10**9, IN_FORCE_ON) is (Basis.STATUTORY if route == "other" else Basis.POLICY)
    assert kpi_basis(route, 10**6, IN_FORCE_ON) is Basis.POLICY
    assert kpi_basis(route, 10**9, None) is Basis.POLICY


def test_the_act_binds_from_its_first_day_on_and_no_grants() -> None:
    assert under_the_act("light_touch", IN_FORCE_ON)
    assert not under_the_act("grant", IN_FORCE_ON)
    assert not under_the_act("other", date(2025, 2, 23))


def test_an_opportunity_lasts() -> None:
    check_opportunity(date(2024, 1, 1), date(2024, 1, 2))
    for closes_on in (date(2024, 1, 1), date(2023, 12, 31)):
        with pytest.raises(BadPeriod):
            check_opportunity(date(2024, 1, 1), closes_on)


def test_poor_performance_is_found_after_the_opportunity() -> None:
    given = [(1, date(2024, 1, 31)), (3, date(2024, 6, 30))]
    check_finding(given, 1, date(2024, 2, 1))
    for number, day in ((1, date(2024, 1, 31)), (3, date(2024, 2, 1)), (2, date(2025, 1, 1))):
        with pytest.raises(NoOpportunity) as refused:
            check_finding(given, number, day)
        assert refused.value.status == 409


def test_an_opportunity_is_open_until_it_has_run_out() -> None:
    kind = FindingKind.IMPROVEMENT_OPPORTUNITY
    for today, held in ((date(2024, 3, 31), True), (date(2024, 4, 1), False)):
        assert still_open(kind, date(2024, 3, 1), date(2024, 3, 31), None, today) is held
    assert still_open(kind, date(2024, 3, 1), None, date(2024, 5, 1), date(2024, 6, 1))


def test_poor_performance_is_open_until_performance_was_assessed_after_it() -> None:
    kind, found_on = FindingKind.POOR_PERFORMANCE, date(2024, 3, 1)
    for assessed_on, held in ((None, True), (date(2024, 3, 1), True), (date(2024, 3, 2), False)):
        assert still_open(kind, found_on, None, assessed_on, date(2024, 6, 1)) is held
