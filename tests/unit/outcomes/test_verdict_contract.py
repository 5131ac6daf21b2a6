"""From verdicts on measures to the verdict on a contract."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.verdict import ContractScore, MeasureStatus, Weighed, contract_score, critical_failed

MET, PARTLY, NOT, UNKNOWN = (
    MeasureStatus.MET,
    MeasureStatus.PARTLY_MET,
    MeasureStatus.NOT_MET,
    MeasureStatus.NOT_MEASURABLE,
)
VETO = ("critical_measure_not_met",)


def weighed(*parts: tuple[float, MeasureStatus], critical: int | None = None) -> list[Weighed]:
    return [Weighed(status, weight, place == critical) for place, (weight, status) in enumerate(parts)]


measures = st.lists(
    st.builds(Weighed, st.sampled_from(MeasureStatus), st.integers(1, 10).map(float), st.booleans()), max_size=6
)


def test_the_worked_contract() -> None:
    found = contract_score(weighed((0.4, MET), (0.2, PARTLY), (0.2, UNKNOWN), (0.2, NOT)))
    assert found.score == pytest.approx(0.625)
    assert found.coverage == pytest.approx(0.8)
    assert (found.overall, found.vetoes, found.kpi_rating) == (PARTLY, (), "Approaching target")


@pytest.mark.parametrize(
    ("parts", "score", "overall"),
    [
        (((0.5, MET), (0.5, PARTLY)), 0.75, MET),
        (((0.49, MET), (0.51, PARTLY)), 0.745, PARTLY),
        (((0.8, PARTLY), (0.2, NOT)), 0.4, PARTLY),
        (((0.79, PARTLY), (0.21, NOT)), 0.395, NOT),
        (((0.3, MET), (0.3, MET), (0.3, PARTLY), (0.1, NOT)), 0.75, MET),
        (((0.1, MET), (0.6, PARTLY), (0.3, NOT)), 0.4, PARTLY),
        (((1.0, MET),), 1.0, MET),
        (((1.0, NOT),), 0.0, NOT),
    ],
)
def test_where_the_grades_begin(
    parts: tuple[tuple[float, MeasureStatus], ...], score: float, overall: MeasureStatus
) -> None:
    found = contract_score(weighed(*parts))
    assert found.score == pytest.approx(score)
    assert (found.overall, found.coverage) == (overall, pytest.approx(1.0))


@pytest.mark.parametrize(("measurable", "overall"), [(0.59, UNKNOWN), (0.599, UNKNOWN), (0.6, MET), (0.61, MET)])
def test_less_than_six_tenths_measured_is_not_measurable(measurable: float, overall: MeasureStatus) -> None:
    found = contract_score(weighed((measurable, MET), (1 - measurable, UNKNOWN)))
    assert (found.score, found.coverage) == (pytest.approx(1.0), pytest.approx(measurable))
    assert found.overall is overall


def test_three_fifths_in_binary_fractions_are_enough() -> None:
    assert 0.1 + 0.2 + 0.3 != 0.6
    parts = [(0.1, MET), (0.2, MET), (0.3, MET), (0.1, UNKNOWN), (0.1, UNKNOWN), (0.2, UNKNOWN)]
    assert contract_score(weighed(*parts)).overall is MET
    assert contract_score(weighed(*reversed(parts))).overall is MET


def test_nothing_measured_has_no_score() -> None:
    nothing = ContractScore(UNKNOWN, None, 0.0, (), "Other")
    assert contract_score([]) == nothing
    assert contract_score(weighed((0.5, UNKNOWN), (0.5, UNKNOWN), critical=0)) == nothing


def test_a_critical_measure_that_was_not_met_caps_the_contract_at_partly_met() -> None:
    found = contract_score(weighed((0.8, MET), (0.2, NOT), critical=1))
    assert (found.overall, found.vetoes, found.kpi_rating) == (PARTLY, VETO, "Approaching target")
    assert contract_score(weighed((0.8, MET), (0.2, NOT), critical=0)).overall is MET


def test_a_veto_on_a_contract_that_was_not_met_is_inadequate() -> None:
    found = contract_score(weighed((0.3, MET), (0.7, NOT), critical=1))
    assert (found.overall, found.vetoes, found.kpi_rating) == (NOT, VETO, "Inadequate")
    plain = contract_score(weighed((0.3, MET), (0.7, NOT)))
    assert (plain.overall, plain.vetoes, plain.kpi_rating) == (NOT, (), "Requires improvement")


def test_a_veto_does_not_make_the_unmeasured_measurable() -> None:
    found = contract_score(weighed((0.5, NOT), (0.5, UNKNOWN), critical=0))
    assert (found.overall, found.vetoes, found.kpi_rating) == (UNKNOWN, VETO, "Other")


@pytest.mark.parametrize("parts", [[(1.0, MET)], [(0.5, MET), (0.5, UNKNOWN)], [(1.0, NOT)]])
def test_what_inspectors_found_is_not_met_however_little_was_measured(parts: list[tuple[float, MeasureStatus]]) -> None:
    found = contract_score(weighed(*parts), ["special_measures"])
    assert (found.overall, found.vetoes, found.kpi_rating) == (NOT, ("special_measures",), "Inadequate")
    both = contract_score(weighed((0.8, MET), (0.2, NOT), critical=1), ["special_measures"])
    assert both.vetoes == ("special_measures", *VETO)


def test_what_has_surely_become_worse_is_inadequate_where_the_contract_was_not_met() -> None:
    assert contract_score([Weighed(NOT, 1.0, False, worsened=True)]).kpi_rating == "Inadequate"
    assert contract_score([Weighed(MET, 0.9, False), Weighed(NOT, 0.1, False, worsened=True)]).kpi_rating == "Good"


def test_ratings_of_the_procurement_regulations() -> None:
    ratings = {contract_score(weighed((1.0, status))).kpi_rating for status in MeasureStatus}
    assert ratings == {"Good", "Approaching target", "Requires improvement", "Other"}
    assert contract_score(weighed((1.0, MET))).kpi_rating == "Good"


def test_a_measure_fails_the_contract_only_when_critical_and_not_met() -> None:
    for status, critical in product(MeasureStatus, (False, True)):
        assert critical_failed([Weighed(status, 0.4, critical)]) is (critical and status is NOT)
    assert not critical_failed([])
    assert not critical_failed([Weighed(NOT, 0.4, False), Weighed(MET, 0.4, True)])


@given(measures)
def test_score_and_coverage_are_shares_and_the_grade_follows(parts: list[Weighed]) -> None:
    found = contract_score(parts)
    points = {MET: 2, PARTLY: 1, NOT: 0}
    known = [each for each in parts if each.status is not UNKNOWN]
    covered, total = sum(each.weight for each in known), sum(each.weight for each in parts)
    assert 0 <= found.coverage <= 1
    assert (found.score is None) is (not known)
    doubled = sum(each.weight * points[each.status] for each in known)
    failed = any(each.critical and each.status is NOT for each in known)
    if not known or 10 * covered < 6 * total:
        expected = UNKNOWN
    elif 4 * doubled >= 6 * covered and not failed:
        expected = MET
    else:
        expected = PARTLY if 10 * doubled >= 8 * covered else NOT
    assert found.overall is expected
    assert found.vetoes == (VETO if failed else ())


@given(measures, st.integers(2, 9))
def test_only_the_proportion_of_weights_matters(parts: list[Weighed], times: int) -> None:
    scaled = contract_score([Weighed(each.status, each.weight * times, each.critical) for each in parts])
    found = contract_score(parts)
    assert (scaled.overall, scaled.kpi_rating) == (found.overall, found.kpi_rating)
    assert scaled.coverage == pytest.approx(found.coverage)
