from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from services.outcomes.rules.comparators import FEATURES, weighted_distance, weighting_of
from services.outcomes.rules.matching import NO_MATCH, Match, match, match_listed
from services.outcomes.rules.ringfence import Term
from tests.unit.outcomes.schools_alike import INTAKE, One, population, results, school, schools

WINDOW = (date(2021, 9, 12), date(2024, 7, 31))
TREATED = school(999_999, 35.0, 25.0)


def found(treated: One, others: Sequence[One], *, baseline: float = 35.0) -> Match:
    rows = [*others, treated]
    everyone, place = population(rows), len(others)
    alike = everyone.comparable(place, "77", WINDOW)
    return match(everyone, place, results(rows), alike, baseline, (2021, 2022), (2023,))


def listed(treated: One, others: Sequence[One], urns: Sequence[int], *, baseline: float = 35.0) -> Match:
    rows = [*others, treated]
    everyone, place = population(rows), len(others)
    alike = everyone.comparable(place, "77", WINDOW)
    return match_listed(everyone, place, results(rows), alike, urns, baseline, (2021, 2022), (2023,))


def test_fifty_nearest_within_the_caliper() -> None:
    near = found(TREATED, schools(400, step=0.08))
    deviation = float(np.std([20.0 + 0.08 * place for place in range(400)], ddof=1))
    assert (len(near.comparators), near.pool_size, near.caliper) == (50, 400, 0.25)
    assert all(abs(each.baseline - 35.0) <= 0.25 * deviation for each in near.comparators)
    distances = [each.distance for each in near.comparators]
    assert distances == sorted(distances)
    assert (near.flags, near.weighting) == ((), "dfe-secondary-2025")
    assert abs(near.balance["baseline"]) < 0.25
    first = near.comparators[0]
    assert (first.outcome, first.baseline_n, first.outcome_n) == (pytest.approx(first.baseline - 1), 1800, 900)
    assert first.pre_change == pytest.approx(0.0)


def test_the_distance_is_that_of_intake_and_three_times_the_outcome_in_its_deviations() -> None:
    others = [school(100_001 + place, 30.0 + place, 29.0, size=800.0 + 10 * place) for place in range(12)]
    near = found(TREATED, others)
    deviation = float(np.std([30.0 + place for place in range(12)], ddof=1))
    weights = [*weighting_of("Secondary").of(FEATURES), (3.0 / deviation) ** 2]
    one = {each.urn: each for each in near.comparators}[100_005]
    expected = weighted_distance((*INTAKE, 35.0), (*INTAKE[:4], 840.0, 34.0), weights)
    assert one.distance == pytest.approx(expected)


def test_a_caliper_that_holds_too_few_is_widened_and_flagged() -> None:
    near = found(TREATED, schools(60))
    assert near.caliper == 0.5
    assert "wide_caliper" in near.flags


def test_an_unlike_intake_is_flagged() -> None:
    bigger = replace(TREATED, intake=(*INTAKE[:4], 2000.0))
    rows = [school(100_001 + place, 30.0 + place % 10, 29.0, size=800.0 + place) for place in range(100)]
    assert "unbalanced" in found(bigger, rows).flags


def test_schools_without_features_or_pupils_are_left_out() -> None:
    rows = schools(100, step=0.3)
    rows[0] = replace(rows[0], intake=(None, *INTAKE[1:]))
    rows[1] = replace(rows[1], n=10)
    rows[2] = replace(rows[2], values={2021: 20.0, 2022: None, 2023: 19.0})
    assert found(TREATED, rows).pool_size == 97


def test_a_single_year_before_has_no_change_before() -> None:
    rows = [*schools(60), TREATED]
    everyone = population(rows)
    alike = everyone.comparable(60, "77", WINDOW)
    near = match(everyone, 60, results(rows), alike, 35.0, (2022,), (2023,))
    assert {each.pre_change for each in near.comparators} == {None}


def test_a_school_without_features_has_no_match() -> None:
    assert found(replace(TREATED, intake=(None,) * len(FEATURES)), schools(100)) is NO_MATCH


def test_no_pool_no_match() -> None:
    assert found(TREATED, []) is NO_MATCH


def test_nobody_near_leaves_an_empty_match() -> None:
    near = found(TREATED, schools(30, start=60.0))
    assert (near.comparators, near.balance) == ((), {})


def test_features_that_do_not_vary_cannot_be_unbalanced() -> None:
    assert found(TREATED, schools(60)).balance["CENSUS_FSM"] == 0.0


def test_who_is_not_comparable_is_not_matched() -> None:
    rows = schools(60)
    rows[30] = replace(rows[30], contracts=(Term(date(2022, 9, 1), date(2024, 8, 31)),))
    near = found(TREATED, rows)
    assert rows[30].urn not in {each.urn for each in near.comparators}
    assert near.pool_size == 59


def test_the_same_comparators_are_as_near_and_as_alike_when_they_were_fixed_as_when_they_are_chosen() -> None:
    near = found(TREATED, schools(400, step=0.08), baseline=21.0)
    fixed = listed(TREATED, schools(400, step=0.08), [each.urn for each in near.comparators], baseline=21.0)
    assert fixed == replace(near, caliper=None)
    assert (fixed.pool_size, fixed.flags, round(fixed.balance["baseline"], 3)) == (400, (), -0.069)


def test_who_has_left_since_is_no_part_of_what_fixed_comparators_are_told_in() -> None:
    """As of those chosen now, whose pool is open and left alone through all years compared (METHOD.md 3.3)."""
    everyone = schools(60)
    fixed = [each.urn for each in everyone[20:40]]
    left = [replace(each, open=at % 20 != 0) for at, each in enumerate(everyone)]
    now = listed(TREATED, left, fixed)
    assert (now.pool_size, len(now.comparators), now.flags) == (57, 19, ())
    deviation = float(np.std([each.values[2021] or 0.0 for each in left if each.open], ddof=1))
    mean = float(np.mean([each.baseline for each in now.comparators]))
    assert now.balance["baseline"] == pytest.approx((35.0 - mean) / deviation)
    one = next(each for each in now.comparators if each.baseline == 38.5)
    assert one.distance == pytest.approx(3 * 3.5 / deviation)


@pytest.mark.parametrize(
    ("others", "urns"),
    [
        (schools(60), []),
        (schools(60), [555_555]),
        (schools(60, step=0.0), [100_001, 100_002]),
        (schools(1), [100_001]),
    ],
)
def test_nobody_left_of_the_list_or_nothing_to_tell_them_apart_by_is_no_match(
    others: Sequence[One], urns: Sequence[int]
) -> None:
    assert listed(TREATED, others, urns) is NO_MATCH
