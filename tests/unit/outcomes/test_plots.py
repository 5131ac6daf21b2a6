"""What pictures show: bands and limits, gaps told and never drawn as zero, words with figures, one table for all."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from services.outcomes.rules.agreement import Missing, Run, TargetMode
from services.outcomes.rules.intervals import funnel_limits
from services.outcomes.rules.measures import MEASURES
from services.outcomes.rules.plots.balance import balance
from services.outcomes.rules.plots.changes import changes, histogram
from services.outcomes.rules.plots.figure import About, Band, Bars, Figure, Gap, Guide, Line, Points, Span
from services.outcomes.rules.plots.funnel import dispersion, funnel, limits
from services.outcomes.rules.plots.rag import rag
from services.outcomes.rules.plots.school import runs, school
from services.outcomes.rules.plots.subject import (
    NOT_MEASURABLE,
    Subject,
    bare,
    change,
    gap,
    level,
    listed,
    standing,
    years_text,
)
from services.outcomes.rules.plots.years import Spread, position, spread
from services.outcomes.rules.releases import Stage
from services.outcomes.rules.ringfence import Term
from services.outcomes.rules.series import Pooled
from services.outcomes.rules.values import ValueState
from tests.unit.outcomes.pictured import LONG_NAME, picture_of, withheld
from tests.unit.outcomes.schools_alike import One
from tests.unit.outcomes.schools_alike import school as one
from tests.unit.outcomes.test_evaluation import AGREED, OWN, QUESTION

PA, P8 = MEASURES["ABS_PA"], MEASURES["KS4_P8"]
NEAR = [one(100_001 + at, 38.0 + 0.1 * at, 36.0 + 0.3 * (at % 7), n=100 + 10 * at) for at in range(30)]
OTHERS = [*NEAR, *(one(200_001 + at, 5.0 + 70 * (at % 2), 5.0 + 70 * (at % 2)) for at in range(40))]
"""Thirty schools like the one that was judged, and forty far from it."""
FEW = [one(100_001, 39.6, 37.0), one(100_002, 40.0, 41.0), one(100_003, 40.4, 39.5)]
YEARLY = {year: [30.0 + at for at in range(21)] for year in (2021, 2022, 2023)}


def marks(figure: Figure, kind: type, about: About | None = None) -> list:
    found = [each for panel in figure.panels for each in panel.marks if isinstance(each, kind)]
    return [each for each in found if about is None or each.about is about]


def with_comparators(subject: Subject, others: Sequence[One]) -> Subject:
    """The same outcome beside the comparators of another."""
    match = picture_of(others=others).gathered.match
    return replace(subject, gathered=replace(subject.gathered, match=match))


def test_the_middle_of_many_is_told_and_of_few_less() -> None:
    assert spread([float(each) for each in range(11)]) == Spread(11, 1.0, 5.0, 9.0)
    assert spread([1.0, 2.0, 6.0]) == Spread(3, None, 2.0, None)
    assert spread([1.0, 2.0]) == Spread(2, None, None, None)


def test_an_academic_year_has_its_days_around_its_place() -> None:
    assert position(date(2023, 9, 1)) == 2022.5
    assert position(date(2024, 2, 29)) == pytest.approx(2023.0, abs=0.01)
    assert 2023.49 < position(date(2024, 8, 31)) < 2023.5


def test_a_band_breaks_where_a_year_is_missing_and_one_year_alone_can_be_seen() -> None:
    assert runs([(2021, 1.0, 2.0), (2022, None, None), (2023, 3.0, 4.0), (2024, 5.0, 6.0)]) == [
        ((2020.85, 1.0, 2.0), (2021.15, 1.0, 2.0)),
        ((2023, 3.0, 4.0), (2024, 5.0, 6.0)),
    ]


def test_the_school_beside_its_comparators() -> None:
    found = school(picture_of(), YEARLY)
    assert [each["value"] for each in found.rows] == [40.0, 40.0, 28.0]
    assert [each["comparators_p10"] for each in found.rows] == [32.0, 32.0, 32.0]
    assert [each["path"] for each in found.rows] == [None, None, 32.0]
    line, points = marks(found, Line, About.SCHOOL)[0], marks(found, Points, About.SCHOOL)[0]
    assert [y for _, y in line.points] == [each["value"] for each in found.rows]
    assert [(each.y, *each.ends) for each in points.points] == [
        (each["value"], each["low95"], each["high95"]) for each in found.rows
    ]
    assert [(low, high) for _, low, high in marks(found, Band)[0].points] == [(32.0, 48.0)] * 3
    assert marks(found, Guide, About.TARGET)[0].at == 32.0
    assert marks(found, Span)[0].start == 2022.5
    assert not marks(found, Gap)
    for words in (
        "Fulwood Academy: 40.0%",
        "28.0% (95% interval 25.2% to 31.0%, 900 pupils) in 2023/24",
        "target is 32.0%",
    ):
        assert words in found.alt
    assert "less is better" in found.alt
    assert found.alt.endswith("Verdict on outcome O1: met.")


def test_what_is_missing_breaks_the_line_and_says_why() -> None:
    own = {
        2018: replace(OWN[2021], year=2018),
        2021: withheld(2021),
        2022: replace(OWN[2022], n=5),
        2023: replace(OWN[2023], stage=Stage.PROVISIONAL),
    }
    agreed = replace(AGREED, baseline=Pooled(40.0, 900, (2018,), ("r",)))
    longer = replace(QUESTION, term=Term(date(2023, 9, 1), date(2025, 8, 31)), run=Run.INTERIM)
    found = school(picture_of(agreed, own, question=longer), YEARLY)
    assert [(each.x, each.words) for each in marks(found, Gap)] == [
        (2019, "pandemic: not published"),
        (2020, "pandemic: not published"),
        (2021, "withheld: few pupils"),
        (2022, "withheld: few pupils"),
    ]
    assert [y for _, y in marks(found, Line, About.SCHOOL)[0].points] == [40.0, None, None, None, None, 28.0, None]
    assert [each.x for each in marks(found, Points, About.PROVISIONAL)[0].points] == [2023]
    assert [each.x for each in marks(found, Points, About.SCHOOL)[0].points] == [2018]
    assert found.rows[-1]["reason"] == "after this verdict"
    assert "No value in 2022/23: withheld: few pupils." in found.alt
    assert "provisional) in 2023/24" in found.alt


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (None, "no result known"),
        (replace(OWN[2023], n=None), "pupils not known"),
        (replace(OWN[2023], n=5), "withheld: few pupils"),
        (withheld(2023, ValueState.MISSING), "no figure"),
        (OWN[2023], None),
    ],
)
def test_why_a_year_is_not_drawn(reading, reason: str | None) -> None:
    assert gap(2023, reading) == reason


def test_a_school_of_which_nothing_may_be_told_is_drawn_empty() -> None:
    found = school(picture_of(own={year: withheld(year) for year in OWN}), {})
    assert "has no result to show" in found.alt
    assert "because the result speaks of very few pupils and is withheld." in found.alt
    assert len(marks(found, Gap)) == 3
    assert not marks(found, Points) + marks(found, Band) + marks(found, Line, About.SCHOOL)
    assert "No results of comparators are shown." in found.notes


@pytest.mark.parametrize("state", [each for each in ValueState if each is not ValueState.OK])
def test_pictures_have_words_for_every_reason_of_a_missing_result(state: ValueState) -> None:
    subject = picture_of(own={year: withheld(year, state) for year in OWN})
    assert subject.reasons == (state.value,)
    assert f"because {NOT_MEASURABLE[Missing(state.value)]}." in school(subject, {}).alt
    assert rag(subject).why == f"Nothing is drawn, because {NOT_MEASURABLE[Missing(state.value)]}."
    assert NOT_MEASURABLE.keys() == set(Missing)


def test_few_comparators_have_no_band_and_proxies_are_told() -> None:
    own = {year: replace(each, n_is_proxy=True) for year, each in OWN.items()}
    found = school(picture_of(own=own), {2021: [1.0, 2.0, 3.0], 2022: [1.0, 2.0, 3.0, 4.0]})
    assert not marks(found, Band)
    assert [y for _, y in marks(found, Line, About.COMPARATORS)[0].points] == [2.0, 2.5, None]
    assert any(each.startswith("Fewer than 10 comparators") for each in found.notes)
    assert any("census" in each for each in found.notes)
    uneven = school(picture_of(), {2021: [1.0] * 12, 2022: [1.0] * 15})
    assert "Comparators with a result: 12 to 15 schools in a year." in uneven.notes


@pytest.mark.parametrize(
    ("mode", "baseline", "target"),
    [
        (TargetMode.ABSOLUTE, None, 32.0),
        (TargetMode.CHANGE, None, None),
        (TargetMode.CHANGE, AGREED.baseline, 72.0),
        (TargetMode.RELATIVE, AGREED.baseline, None),
    ],
)
def test_the_target_is_shown_as_far_as_it_is_known(
    mode: TargetMode, baseline: Pooled | None, target: float | None
) -> None:
    unjudged = picture_of(replace(AGREED, mode=mode, baseline=baseline), {2022: OWN[2022], 2023: withheld(2023)})
    found = school(unjudged, {})
    assert [each.at for each in marks(found, Guide, About.TARGET)] == ([] if target is None else [target])
    assert bool(marks(found, Line, About.PATH)) is (mode is not TargetMode.RELATIVE and baseline is not None)


def test_the_agreed_path_goes_before_the_usual_one() -> None:
    found = school(picture_of(trajectory=(0.5, 1.0)), {})
    assert found.rows[-1]["path"] == 36.0


def test_the_change_of_the_school_among_those_of_others() -> None:
    subject = picture_of(others=OTHERS)
    found, match = changes(subject), subject.gathered.match
    bars = marks(found, Bars)[0].bars
    assert sum(height for *_, height in bars) == len(match.comparators) == 30
    assert [(each["from"], each["to"], each["schools"]) for each in found.rows[:-2]] == list(bars)
    own, mean = marks(found, Guide, About.SCHOOL)[0].at, marks(found, Guide, About.COMPARATORS)[0].at
    assert (own, own - mean) == (-12.0, pytest.approx(subject.effect.tau))
    assert [each["change"] for each in found.rows[-2:]] == [own, pytest.approx(mean, abs=1e-4)]
    assert f"p = {1 / 31:.3f}" in found.alt
    assert "A negative change is better." in found.notes
    assert "worse" in changes(replace(subject, agreed=replace(AGREED, measure=P8))).notes[1]


def test_pictures_of_an_early_verdict_do_not_show_its_comparators_one_by_one() -> None:
    early = replace(picture_of(others=OTHERS), method_version="2026.7")
    for draw in (funnel, changes):
        assert (draw(early).rows, draw(early).panels) == ((), ())
        assert "method 2026.7 kept figures of comparators that could tell of single pupils" in draw(early).why
        assert draw(replace(early, method_version="2026.10")).panels


def test_equal_changes_still_make_a_column() -> None:
    assert histogram([2.0, 2.0]) == ((1.5, 2.5, 2.0),)


def test_what_cannot_be_judged_has_a_picture_that_says_why() -> None:
    unjudged = picture_of(own={**OWN, 2023: withheld(2023)})
    alone = picture_of(others=FEW[:1])
    for draw in (changes, funnel):
        for subject, words in ((unjudged, "very few pupils"), (alone, "not enough schools")):
            found = draw(subject)
            assert (found.panels, found.rows) == ((), ())
            assert words in found.why
            assert found.why in found.alt
    assert "no comparators" in balance(alone).why


def test_limits_of_a_funnel() -> None:
    published = funnel_limits(0.62, 30)
    found = limits(MEASURES["KS2_RWM_EXP"], 62.0, 30, 0.95)
    assert (found.low, found.high) == (published.low * 100, published.high * 100)
    progress = limits(P8, 0.0, 100, 0.95)
    assert progress.high == pytest.approx(1.96 * 1.41628 / 10, abs=1e-4)
    assert limits(P8, 0.0, 100, 0.998, 4.0).high == pytest.approx(2 * 3.0902 * 1.41628 / 10, abs=1e-4)
    assert limits(PA, 1.0, 11, 0.998, 9.0).low == 0.0


def test_results_vary_by_chance_at_least() -> None:
    assert dispersion(PA, 50.0, [(100, 50.0), (100, 50.0)]) == 1.0
    assert dispersion(PA, 50.0, [(100, 60.0), (100, 40.0)]) == pytest.approx(1.6**2)


@pytest.mark.parametrize(
    ("value", "where"), [(36.5, "inside both"), (48.0, "above the 95%"), (12.0, "below the 99.8%")]
)
def test_a_funnel_of_the_school_and_its_comparators(value: float, where: str) -> None:
    own = {**OWN, 2023: replace(OWN[2023], value=value, n=100)}
    found = funnel(picture_of(own=own, others=OTHERS))
    assert [each["what"] for each in found.rows].count("comparator") == 30
    assert marks(found, Points, About.SCHOOL)[0].points[0].y == value
    assert where in found.alt
    assert "The target is 32.0%." in found.alt
    assert len(marks(found, Points, About.OTHER)[0].points) == 30
    grid = [each for each in found.rows if each["what"] == "limits"]
    for at, name in enumerate(("low95", "high95")):
        assert [y for _, y in marks(found, Line, About.LIMIT)[at].points] == [each[name] for each in grid]


def test_a_funnel_without_a_target_and_with_much_spread() -> None:
    wild = [one(100_001 + at, 39.0 + 0.1 * at, 30.0 + 5 * (at % 4)) for at in range(20)]
    found = funnel(with_comparators(picture_of(), wild))
    assert any("times as much as by chance" in each for each in found.notes)
    subject = picture_of(others=OTHERS)
    lost = replace(subject, target=None, agreed=replace(AGREED, baseline=None, mode=TargetMode.CHANGE))
    assert not marks(funnel(lost), Guide, About.TARGET)


def test_how_alike_they_were() -> None:
    subject = picture_of(others=[replace(each, intake=(20.0 + at, *each.intake[1:])) for at, each in enumerate(OTHERS)])
    match = replace(subject.gathered.match, balance={"CENSUS_FSM": 0.3, "CENSUS_EAL": -0.05, "baseline": 0.15})
    found = balance(replace(subject, gathered=replace(subject.gathered, match=match)))
    assert [(each["difference_sd"], each["reading"]) for each in found.rows] == [
        (0.3, "apart"),
        (0.15, "acceptable"),
        (-0.05, "good"),
    ]
    assert "The outcome itself, before +0.15 (acceptable)" in found.alt
    assert [each.points[0].x for each in marks(found, Points)] == [-0.05, 0.15, 0.3]


def test_the_way_to_the_target_year_by_year() -> None:
    term = Term(date(2021, 9, 1), date(2024, 8, 31))
    own = {
        2021: replace(OWN[2021], value=37.0, n=60),
        2022: replace(OWN[2022], value=39.5, n=400),
        2023: replace(OWN[2023], value=33.0),
    }
    found = rag(picture_of(own=own, question=replace(QUESTION, term=term)))
    assert [each["rating"] for each in found.rows] == ["green", "red", "amber"]
    assert [marks(found, Points, about)[0].points[0].x for about in (About.GREEN, About.RED, About.AMBER)] == [
        *(2021, 2022, 2023)
    ]
    assert [y for _, y in marks(found, Line, About.PATH)[0].points] == [38.0, 35.2, 32.0]
    assert marks(found, Points, About.RED)[0].points[0].word.startswith("R, z = -1.8")
    assert "2022/23 is red: 39.5% where 35.2% was expected, z = -1.76." in found.alt
    gone = rag(picture_of(own={**own, 2022: withheld(2022)}, question=replace(QUESTION, term=term)))
    assert [each.x for each in marks(gone, Gap)] == [2022]
    assert "2022/23 is grey: the result speaks of very few pupils and is withheld." in gone.alt


def test_a_way_that_nobody_can_rate_yet() -> None:
    grey = rag(picture_of(replace(AGREED, mode=TargetMode.RELATIVE)))
    assert grey.panels == ()
    assert [each["rating"] for each in grey.rows] == ["grey"]
    assert "known only with the comparators' results" in grey.why
    later = Term(date(2024, 9, 1), date(2025, 8, 31))
    assert "has been assessed yet" in rag(replace(picture_of(), term=later)).why


def test_words() -> None:
    assert (level(PA, 12.34), level(P8, -0.456), level(MEASURES["KS4_A8"], 45.67)) == (
        "12.3%",
        "-0.46 points",
        "45.7 points",
    )
    assert (change(PA, -0.001), change(P8, 0.5)) == ("+0.0 percentage points", "+0.50 points")
    assert change(PA, 1.25, signed=False) == "1.2 percentage points"
    assert bare(P8, -0.001) == "+0.00"
    assert (listed([]), listed(["a"]), listed("abc")) == ("", "a", "a, b and c")
    assert years_text((2021, 2022)) == "2021/22 and 2022/23"
    assert standing(picture_of()) == "Verdict on outcome O1: met."


def test_every_picture_names_its_contract_data_and_status() -> None:
    subject = picture_of(others=OTHERS, school=LONG_NAME)
    for found in (school(subject, YEARLY), changes(subject), funnel(subject), rag(subject), balance(subject)):
        assert found.sources[0].startswith(
            f"CTR-2023-000001, {LONG_NAME} with Star Academies, outcome O1. Final verdict"
        )
        assert "as of 2023/24 on final results, method 2026.8." in found.sources[0]
        assert found.sources[1] == "Source: Department for Education, absence (final, published 2025-03-20)."
        assert LONG_NAME in found.alt
        assert all(set(each) == set(found.columns) for each in found.rows)
        assert not any(
            isinstance(cell, float) and not math.isfinite(cell) for each in found.rows for cell in each.values()
        )
    assert "no results" in school(picture_of(own={}, sources=()), {}).sources[0]
    assert len(school(picture_of(sources=()), {}).sources) == 1
    assert np.isfinite([each.at for each in marks(changes(subject), Guide)]).all()
