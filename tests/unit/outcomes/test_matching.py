from dataclasses import replace
from datetime import date

import pytest

from services.outcomes.rules.matching import FEATURES, NO_MATCH, Candidate, comparable, match, spread
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import Reading
from services.outcomes.rules.values import ValueState

WINDOW = (date(2021, 9, 12), date(2024, 7, 31))


def school(urn: int, before: float, after: float, *, n: int = 900, size: float = 900.0) -> Candidate:
    readings = {
        year: Reading(year, ValueState.OK, value, n, False, "r", Stage.FINAL)
        for year, value in ((2021, before), (2022, before), (2023, after))
    }
    features = (30.0, 15.0, 12.0, 2.5, size)
    return Candidate(urn, "Secondary", True, False, "1", (), (), features, readings)


def pool_of(count: int, start: float = 20.0, step: float = 0.5) -> list[Candidate]:
    return [school(100_001 + place, start + step * place, start + step * place - 1.0) for place in range(count)]


TREATED = school(999_999, 35.0, 25.0)


def test_a_school_like_it_and_left_alone_is_comparable() -> None:
    assert comparable(TREATED, school(100_001, 30.0, 29.0), "77", WINDOW)


@pytest.mark.parametrize(
    "change",
    [
        {"urn": 999_999},
        {"phase": "Primary"},
        {"mainstream": False},
        {"selective": True},
        {"trust_uid": "77"},
        {"moves": (date(2022, 4, 1),)},
        {"contracts": (Term(date(2024, 7, 31), date(2026, 8, 31)),)},
    ],
)
def test_others_are_not(change: dict[str, object]) -> None:
    other = replace(school(100_001, 30.0, 29.0), **change)  # type: ignore[arg-type]
    assert not comparable(TREATED, other, "77", WINDOW)


def test_what_happened_outside_the_years_compared_does_not_matter() -> None:
    contracts = (Term(date(2024, 8, 1), date(2026, 8, 31)),)
    other = replace(school(100_001, 30.0, 29.0), moves=(date(2020, 1, 1), date(2024, 9, 1)), contracts=contracts)
    assert comparable(TREATED, other, "77", WINDOW)


def test_fifty_nearest_within_the_caliper() -> None:
    found = match(TREATED, pool_of(400, step=0.08), 35.0, (2021, 2022), (2023,))
    deviation = spread([20.0 + 0.08 * place for place in range(400)])
    assert (len(found.comparators), found.pool_size, found.caliper) == (50, 400, 0.25)
    assert all(abs(each.baseline - 35.0) <= 0.25 * deviation for each in found.comparators)
    distances = [each.distance for each in found.comparators]
    assert distances == sorted(distances)
    assert found.flags == ()
    assert abs(found.balance["baseline"]) < 0.25


def test_a_caliper_that_holds_too_few_is_widened_and_flagged() -> None:
    found = match(TREATED, pool_of(60), 35.0, (2021, 2022), (2023,))
    assert found.caliper == 0.5
    assert "wide_caliper" in found.flags


def test_an_unlike_intake_is_flagged() -> None:
    bigger = replace(TREATED, features=(30.0, 15.0, 12.0, 2.5, 2000.0))
    rows = [school(100_001 + place, 30.0 + place % 10, 29.0, size=800.0 + place) for place in range(100)]
    assert "unbalanced" in match(bigger, rows, 35.0, (2021, 2022), (2023,)).flags


def test_schools_without_features_or_pupils_are_left_out() -> None:
    rows = pool_of(100, step=0.3)
    rows[0] = replace(rows[0], features=(None, 15.0, 12.0, 2.5, 900.0))
    rows[1] = school(100_002, 20.3, 19.3, n=10)
    assert match(TREATED, rows, 35.0, (2021, 2022), (2023,)).pool_size == 98


def test_a_school_without_features_has_no_match() -> None:
    lacking = replace(TREATED, features=(None,) * len(FEATURES))
    assert match(lacking, pool_of(100), 35.0, (2021, 2022), (2023,)) is NO_MATCH


def test_no_pool_no_match() -> None:
    assert match(TREATED, [], 35.0, (2021, 2022), (2023,)) is NO_MATCH


def test_nobody_near_leaves_an_empty_match() -> None:
    found = match(TREATED, pool_of(30, start=60.0), 35.0, (2021, 2022), (2023,))
    assert (found.comparators, found.balance) == ((), {})


def test_features_that_do_not_vary_cannot_be_unbalanced() -> None:
    found = match(TREATED, pool_of(60), 35.0, (2021, 2022), (2023,))
    assert found.balance["CENSUS_FSM"] == 0.0
