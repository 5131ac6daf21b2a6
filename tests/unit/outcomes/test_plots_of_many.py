"""Pictures that look beyond one contract: the portfolio, the trust's views, and the mixture of comparators."""

import math
from dataclasses import replace
from typing import Any

import pytest

from services.outcomes.plots.marks import lonely
from services.outcomes.rules.performance import View
from services.outcomes.rules.plots.figure import About, Guide, Line, Points, Remark
from services.outcomes.rules.plots.portfolio import Judged, portfolio
from services.outcomes.rules.plots.subject import Source
from services.outcomes.rules.plots.synthetic import NoSyntheticControl, mixture, synthetic
from services.outcomes.rules.plots.trust import trust
from services.outcomes.rules.shrinkage import empirical_bayes, paule_mandel
from services.outcomes.rules.tables import TrustMeasure
from tests.unit.outcomes.pictured import LONG_NAME, picture_of
from tests.unit.outcomes.test_plots import marks

EIGHT = [(28.0, 15.0), (8.0, 10.0), (-3.0, 16.0), (7.0, 11.0), (-1.0, 9.0), (1.0, 11.0), (18.0, 10.0), (12.0, 18.0)]
"""The eight schools of Rubin (1981)."""
SUBJECT = picture_of()
YEARS = (2014, 2015, 2016, 2017, 2018)
DONORS = {
    100_001: dict(zip((*YEARS, 2023), (30.0, 31.0, 30.0, 32.0, 31.0, 33.0), strict=True)),
    100_002: dict(zip((*YEARS, 2023), (50.0, 49.0, 52.0, 50.0, 51.0, 49.0), strict=True)),
    100_003: dict(zip((*YEARS, 2023), (70.0, 69.0, 71.0, 73.0, 70.0, 60.0), strict=True)),
    100_004: dict(zip((*YEARS, 2023), (42.0, 38.0, 41.0, 44.0, 39.0, 40.0), strict=True)),
}
OWN = {year: 0.5 * DONORS[100_001][year] + 0.5 * DONORS[100_002][year] + 0.01 * (year % 2) for year in YEARS} | {
    2023: 30.0
}


def contracts(sign: float = -1.0) -> list[Judged]:
    """The eight as contracts on absence, of which less is better."""
    return [
        Judged(f"CTR-2023-{at:06d}", f"School {at}", "2023/24", "final", sign * tau, se, this=at == 7)
        for at, (tau, se) in enumerate(EIGHT, start=1)
    ]


def test_effects_are_drawn_towards_their_mean_and_turned_so_that_more_is_better() -> None:
    found = portfolio(SUBJECT, contracts())
    rows: Any = found.rows
    y, se = zip(*EIGHT, strict=True)
    expected = empirical_bayes(y, se, paule_mandel(y, se))
    by_contract = {each["contract"]: each for each in rows}
    for at, value in enumerate(expected, start=1):
        row = by_contract[f"CTR-2023-{at:06d}"]
        assert (row["shrunk"], row["raw"]) == (pytest.approx(value, abs=1e-4), EIGHT[at - 1][0])
        assert row["low95"] < row["shrunk"] < row["high95"]
        assert 1 <= row["place_low"] <= row["place_high"] <= 8
    assert [each["place"] for each in rows] == list(range(1, 9))
    raw = {(each.x, each.y) for each in marks(found, Points, About.RAW)[0].points}
    assert raw == {(each["raw"], 9 - each["place"]) for each in rows}
    shrunk = [*marks(found, Points, About.OTHER)[0].points, *marks(found, Points, About.SCHOOL)[0].points]
    assert {(each.x, *each.ends) for each in shrunk} == {
        (each["shrunk"], each["low95"], each["high95"]) for each in rows
    }
    assert "This contract, School 7 (CTR-2023-000007)" in found.alt
    assert marks(found, Guide, About.COMPARATORS)[0].at == pytest.approx(7.69, abs=0.01)


def test_a_portfolio_without_this_contract_and_with_long_names() -> None:
    others = [replace(each, this=False, school=LONG_NAME) for each in contracts()]
    found = portfolio(SUBJECT, others)
    assert "This contract" not in found.alt
    assert not marks(found, Points, About.SCHOOL)
    assert all(len(words) < 56 for _, words in found.panels[0].y.ticks)
    assert found.rows[0]["school"] == LONG_NAME


def test_one_contract_is_no_portfolio() -> None:
    exact = replace(contracts()[0], se=0.0)
    found = portfolio(SUBJECT, [exact, contracts()[1]])
    assert found.why.startswith("Nothing is drawn, because 1 contract that may be seen here")


def test_three_views_of_a_trust_are_never_added_up() -> None:
    views = {
        View.DFE: TrustMeasure("NOT_PUBLISHED_TOO_FEW", None, None, None, 120, 2),
        View.PLATFORM: TrustMeasure("OK", 24.0, 21.5, 26.5, 2100, 4),
        View.CONTRACTS: TrustMeasure("SUPPRESSED", None, None, None, 4, 1),
    }
    found = trust(SUBJECT, views, SUBJECT.sources)
    assert [(each["value"], each["pupils"], each["schools"]) for each in found.rows] == [
        (None, None, 2),
        (24.0, 2100, 4),
        (None, None, 1),
    ]
    point = marks(found, Points)[0].points[0]
    assert (point.x, point.ends, point.word) == (24.0, (21.5, 26.5), "24.0%")
    assert [each.words for each in marks(found, Remark)] == [
        "not published: too few schools with a result",
        "withheld: few pupils",
    ]
    assert "All full members, 4 schools, 2,100 pupils: 24.0% (95% interval 21.5% to 26.5%)." in found.alt
    assert found.sources[1].startswith("Source: Department for Education, absence (final")
    nothing = {view: replace(each, value=None, state="SUPPRESSED") for view, each in views.items()}
    assert (
        "no view has a result"
        in trust(SUBJECT, nothing, [Source("r", "absence", "final", SUBJECT.sources[0].published_on)]).why
    )


def test_a_mixture_of_comparators_and_its_placebos() -> None:
    found = synthetic(SUBJECT, OWN, DONORS)
    rows: Any = found.rows
    years = [each for each in rows if each["what"] == "year"]
    assert [each["school"] for each in years] == [pytest.approx(OWN[year]) for year in (*YEARS, 2023)]
    assert years[-1]["gap"] == pytest.approx(30.0 - 41.0, abs=0.2)
    weights = [each["weight"] for each in rows if each["what"] == "comparator"]
    assert sum(weights) == pytest.approx(1.0, abs=1e-3)
    path = marks(found, Line, About.COMPARATORS)[0].points
    assert [y for x, y in path if x in {*YEARS, 2023}] == [each["synthetic"] for each in years]
    assert (2020, None) in path
    assert [x for x, _y in lonely(Line(About.COMPARATORS, "", path))] == [2023]
    assert lonely(Line(About.SCHOOL, "", ((2020, 1.0), (2021, None), (2022, 2.0), (2023, 3.0)))) == [(2020, 1.0)]
    assert "p = 0.2" in found.alt
    placebos = [each["ratio"] for each in rows if each["what"] == "comparator" and each["ratio"] is not None]
    assert [each.x for each in marks(found, Points, About.OTHER)[0].points] == placebos


def test_a_mixture_that_one_school_makes_up_is_told_and_a_perfect_fit_has_no_ratio() -> None:
    same = {**OWN, **{year: DONORS[100_001][year] for year in YEARS}}
    found = synthetic(SUBJECT, same, DONORS)
    assert "One school has more than half of the weight." in found.notes
    ratio = next(each["ratio"] for each in found.rows if each["what"] == "school")
    assert ratio is None or math.isfinite(ratio)
    assert mixture(SUBJECT, same, DONORS).ratios()[0] > 1


@pytest.mark.parametrize(
    ("own", "donors", "words"),
    [
        ({year: OWN[year] for year in (2018, 2023)}, DONORS, "has 1 year of them"),
        (OWN, dict(list(DONORS.items())[:2]), "Fewer than three comparators"),
        ({**OWN, 2014: 95.0, 2015: 5.0}, DONORS, "No mixture of comparators"),
    ],
)
def test_without_enough_there_is_no_synthetic_control(own: dict, donors: dict, words: str) -> None:
    with pytest.raises(NoSyntheticControl, match=words):
        synthetic(SUBJECT, own, donors)


def test_without_a_result_there_is_none() -> None:
    with pytest.raises(NoSyntheticControl, match="a result after it"):
        synthetic(replace(SUBJECT, actual=None), OWN, DONORS)
