"""The catalogue of measures."""

from decimal import Decimal

import pytest

from services.outcomes.rules.comparators import FEATURES
from services.outcomes.rules.measures import MEASURES, Domain, KeyStage, Kind

CATALOGUE = {
    "ABS_OVERALL": ("proportion", "attendance", "ABS", -1, "0.000005"),
    "ABS_PA": ("proportion", "attendance", "ABS", -1, "0.000005"),
    "KS2_RWM_EXP": ("proportion", "attainment", "KS2", 1, "0.5"),
    "KS2_RWM_HIGH": ("proportion", "attainment", "KS2", 1, "0.5"),
    "KS2_READ_AVG": ("mean", "attainment", "KS2", 1, "0.5"),
    "KS2_MAT_AVG": ("mean", "attainment", "KS2", 1, "0.5"),
    "KS2_READ_PROG": ("progress", "attainment", "KS2", 1, "0.05"),
    "KS2_WRIT_PROG": ("progress", "attainment", "KS2", 1, "0.05"),
    "KS2_MAT_PROG": ("progress", "attainment", "KS2", 1, "0.05"),
    "KS4_A8": ("mean", "attainment", "KS4", 1, "0.05"),
    "KS4_P8": ("progress", "attainment", "KS4", 1, "0.005"),
    "KS4_EM95": ("proportion", "attainment", "KS4", 1, "0.5"),
    "KS4_EM94": ("proportion", "attainment", "KS4", 1, "0.5"),
    "KS4_EBACC_APS": ("mean", "attainment", "KS4", 1, "0.005"),
    "KS4_EBACC_ENTRY": ("proportion", "attainment", "KS4", 1, "0.5"),
    "KS2_RWM_EXP_DIS": ("proportion", "inclusion", "KS2", 1, "0.5"),
    "KS4_A8_DIS": ("mean", "inclusion", "KS4", 1, "0.05"),
    "KS4_P8_DIS": ("progress", "inclusion", "KS4", 1, "0.005"),
    "CENSUS_NOR": ("context", "context", "CENSUS", 1, "0"),
    "CENSUS_FSM": ("context", "context", "CENSUS", 1, "0.05"),
    "CENSUS_EAL": ("context", "context", "CENSUS", 1, "0.05"),
    "CENSUS_SEN_SUPPORT": ("context", "context", "CENSUS", 1, "0.05"),
    "CENSUS_EHCP": ("context", "context", "CENSUS", 1, "0.05"),
}


def test_the_catalogue_is_the_methods() -> None:
    found = {
        code: (each.kind.value, each.domain.value, each.key_stage.value, each.direction, str(each.rounding_half_width))
        for code, each in MEASURES.items()
    }
    assert found == CATALOGUE
    assert all(measure.code == code for code, measure in MEASURES.items())


@pytest.mark.parametrize(
    ("code", "possible", "impossible"),
    [
        ("ABS_OVERALL", ("0", "65.7", "100"), ("-0.1", "100.001", "820")),
        ("KS2_RWM_EXP_DIS", ("0", "100"), ("-1", "101")),
        ("CENSUS_EHCP", ("0.0", "100.0"), ("-3", "290")),
        ("KS2_MAT_AVG", ("80", "120"), ("79", "121", "0")),
        ("KS2_WRIT_PROG", ("-25.4", "28.9"), ("-62", "104")),
        ("KS4_A8", ("0", "87.6", "90"), ("-0.1", "90.1", "462")),
        ("KS4_A8_DIS", ("55.5",), ("555",)),
        ("KS4_P8", ("-3.75", "2.3699999999999997"), ("-9.01", "82")),
        ("KS4_EBACC_APS", ("8.43",), ("9.1", "-1", "46.2")),
        ("CENSUS_NOR", ("0", "3440", "412.0"), ("-1", "412.5", "123456789012")),
    ],
)
def test_a_measure_has_no_value_that_cannot_be(
    code: str, possible: tuple[str, ...], impossible: tuple[str, ...]
) -> None:
    assert [each for each in possible if not MEASURES[code].can_be(Decimal(each))] == []
    assert [each for each in impossible if MEASURES[code].can_be(Decimal(each))] == []


def test_percentages_are_bounded_as_percentages_are() -> None:
    assert {each.bounds for each in MEASURES.values() if each.unit == "percent"} == {(0, 100)}
    assert all(each.unit == "percent" for each in MEASURES.values() if each.bounds == (0, 100))


@pytest.mark.parametrize(
    ("code", "sigma"),
    [("KS4_P8", 1.41628), ("KS2_READ_PROG", 6.289), ("KS2_WRIT_PROG", 6.049), ("KS2_MAT_PROG", 5.914)],
)
def test_progress_has_the_latest_national_spread_between_pupils(code: str, sigma: float) -> None:
    assert MEASURES[code].pupil_sd == sigma


@pytest.mark.parametrize(
    ("code", "years", "sigma"),
    [
        ("KS4_P8", (2018,), 1.2828),
        ("KS4_P8", (2023,), 1.41628),
        ("KS4_P8", (2026,), 1.41628),
        ("KS4_P8", (2017,), 1.2828),
        ("KS4_P8", (), 1.41628),
        ("KS4_P8", (2018, 2023), ((1.2828**2 + 1.41628**2) / 2) ** 0.5),
        ("KS2_READ_PROG", (2021,), 6.289),
        ("KS2_WRIT_PROG", (2022,), 6.049),
        ("KS2_MAT_PROG", (2018,), 5.39),
        ("KS4_P8_DIS", (2018,), 1.2828),
        ("KS4_A8", (2018,), 20.0),
    ],
)
def test_pupils_spread_as_they_did_in_the_years_looked_at(code: str, years: tuple[int, ...], sigma: float) -> None:
    assert MEASURES[code].over(years).pupil_sd == pytest.approx(sigma)
    assert MEASURES[code].over(years).code == code


def test_means_and_progress_have_a_spread_and_percentages_have_none() -> None:
    for measure in MEASURES.values():
        assert (measure.pupil_sd > 0) is (measure.kind in {Kind.MEAN, Kind.PROGRESS})


def test_less_is_better_for_absence_and_for_nothing_else() -> None:
    assert {code for code, each in MEASURES.items() if each.direction == -1} == {"ABS_OVERALL", "ABS_PA"}


def test_units_follow_from_the_kind() -> None:
    for measure in MEASURES.values():
        if measure.kind is Kind.CONTEXT:
            assert measure.unit in {"pupils", "percent"}
        else:
            assert measure.unit == ("percent" if measure.kind is Kind.PROPORTION else "points")
        assert measure.rounding_half_width >= Decimal(0)
        assert measure.version == ("2" if measure.kind is Kind.PROGRESS else "1")
        assert measure.title


def test_progress_scores_are_another_measure_since_extreme_ones_are_floored() -> None:
    progress, absence = MEASURES["KS4_P8"], MEASURES["ABS_PA"]
    assert [progress.version_in(year) for year in (2016, 2017, 2023)] == ["1", "2", "2"]
    assert progress.unchanged((2017, 2023))
    assert not progress.unchanged((2016, 2017))
    assert absence.unchanged((2016, 2017))
    assert progress.unchanged(())


def test_a_share_spreads_most_in_the_middle_and_never_not_at_all() -> None:
    share, points = MEASURES["ABS_PA"], MEASURES["KS4_A8"]
    assert share.spread_at(50.0) == pytest.approx(50.0)
    assert [share.spread_at(edge) for edge in (0.0, 100.0)] == pytest.approx([100 * (0.005 * 0.995) ** 0.5] * 2)
    assert points.spread_at(12.0) == 20.0
    assert points.sampling_variance(12.0, 100) == pytest.approx(4.0)


def test_context_belongs_to_the_census_and_only_context_does() -> None:
    for measure in MEASURES.values():
        signs = {
            measure.kind is Kind.CONTEXT,
            measure.domain is Domain.CONTEXT,
            measure.key_stage is KeyStage.CENSUS,
        }
        assert len(signs) == 1
    assert set(FEATURES) == {code for code, each in MEASURES.items() if each.kind is Kind.CONTEXT}


def test_what_an_intake_is_like_is_not_judged() -> None:
    assert {each.judged for each in MEASURES.values() if each.code.startswith("CENSUS")} == {False}
    assert MEASURES["KS4_A8"].judged


def test_a_measure_of_a_group_is_like_that_of_the_whole() -> None:
    for each in MEASURES.values():
        if each.part_of is not None:
            whole = MEASURES[each.part_of]
            assert (each.kind, each.unit, each.direction, each.key_stage, each.pupil_sd) == (
                *(whole.kind, whole.unit, whole.direction, whole.key_stage, whole.pupil_sd),
            )
