"""Inspections: two scales, never mixed, and the rules that need no mixing."""

from datetime import date
from itertools import product

import pytest

from services.outcomes.rules.grades import GRADES, AcrossScales, Area, Grade, Scale
from services.outcomes.rules.inspection import (
    Concern,
    Framework,
    Inspection,
    NoGrade,
    Safeguarding,
    Standing,
    below_good,
    framework_on,
    graded,
    requires_improvement,
    standing,
    stuck,
)

EVERY = [Grade(scale, code) for scale in Scale for code in GRADES[scale]]
OVERALL, QUALITY = Area.OVERALL_EFFECTIVENESS, Area.QUALITY_OF_EDUCATION
MANAGEMENT, GOVERNANCE = Area.LEADERSHIP_AND_MANAGEMENT, Area.LEADERSHIP_AND_GOVERNANCE


def old(code: int) -> Grade:
    return Grade(Scale.OLD4, str(code))


def new(code: str) -> Grade:
    return Grade(Scale.NEW5, code)


def held(year: int, concern: Concern | None = Concern.NONE, **judged: Grade) -> Inspection:
    day = date(year, 3, 1)
    pairs = tuple((Area(name), grade) for name, grade in judged.items())
    return Inspection(100052, day, framework_on(day), concern, judgements=pairs)


VISIT = Inspection(100052, date(2024, 5, 1), Framework.S8_UNGRADED, outcome="School remains Good")


@pytest.mark.parametrize(("one", "other"), list(product(EVERY, EVERY)))
def test_grades_are_compared_within_their_scale_only(one: Grade, other: Grade) -> None:
    if one.scale is not other.scale:
        for compare in (lambda: one < other, lambda: one <= other, lambda: one > other, lambda: one >= other):
            with pytest.raises(AcrossScales):
                compare()
        assert one != other
    elif one.ordinal is None or other.ordinal is None:
        with pytest.raises(ValueError, match="No judgement"):
            _ = one < other
    else:
        better = one.ordinal < other.ordinal if one.scale is Scale.OLD4 else one.ordinal > other.ordinal
        assert (one > other) is better
        assert (one < other) is (not better and one != other)


@pytest.mark.parametrize("sign", ["+", "-", "*", "/"])
def test_there_is_no_arithmetic_of_grades(sign: str) -> None:
    for one, other in product(EVERY, EVERY):
        with pytest.raises(TypeError):
            eval(f"one {sign} other", {"one": one, "other": other})


def test_a_scale_has_no_other_grades() -> None:
    with pytest.raises(ValueError, match="no grade of new5"):
        Grade(Scale.NEW5, "2")
    assert (old(1).words, new("exceptional").ordinal, old(9).ordinal) == ("Outstanding", 5, None)
    assert issubclass(AcrossScales, TypeError)


def test_what_an_inspection_of_a_day_was_held_under() -> None:
    days = {date(2019, 8, 31): "before_2019", date(2019, 9, 1): "eif2019_oe"}
    days |= {date(2024, 8, 31): "eif2019_oe", date(2024, 9, 1): "eif2024_no_oe"}
    assert {day: framework_on(day) for day in days} == days


@pytest.mark.parametrize(
    ("judged", "below"),
    [
        ({OVERALL: old(2), QUALITY: old(3)}, False),
        ({OVERALL: old(3), QUALITY: old(2)}, True),
        ({OVERALL: old(4)}, True),
        ({OVERALL: Grade(Scale.OLD4, "not_judged"), QUALITY: old(2), MANAGEMENT: old(3)}, True),
        ({QUALITY: old(3), MANAGEMENT: old(2)}, True),
        ({QUALITY: old(2), MANAGEMENT: old(1)}, False),
        ({GOVERNANCE: new("expected_standard"), Area.ACHIEVEMENT: new("urgent_improvement")}, False),
        ({GOVERNANCE: new("needs_attention"), Area.ACHIEVEMENT: new("exceptional")}, True),
        ({GOVERNANCE: new("urgent_improvement")}, True),
    ],
)
def test_below_good(judged: dict[Area, Grade], below: bool) -> None:
    assert below_good(held(2025, **judged)) is below


def test_a_category_of_concern_is_below_good_whatever_was_graded() -> None:
    for concern in set(Concern) - {Concern.NONE}:
        assert below_good(held(2025, concern, **{GOVERNANCE: new("exceptional")}))
        assert below_good(held(2025, concern))


def test_a_visit_without_grades_says_neither() -> None:
    assert not graded(VISIT)
    with pytest.raises(NoGrade):
        below_good(VISIT)
    assert not graded(held(2025, **{OVERALL: old(9)}))


def test_requires_improvement_is_neither_inadequate_nor_of_concern() -> None:
    assert requires_improvement(held(2023, **{OVERALL: old(3)}))
    assert not requires_improvement(held(2023, **{OVERALL: old(4)}))
    assert not requires_improvement(held(2023, Concern.SERIOUS_WEAKNESS, **{OVERALL: old(3)}))
    assert not requires_improvement(held(2023, **{OVERALL: old(2)}))
    assert requires_improvement(held(2026, None, **{GOVERNANCE: new("needs_attention")}))


@pytest.mark.parametrize(
    ("history", "is_stuck"),
    [
        ([], False),
        ([held(2023, **{OVERALL: old(3)})], False),
        ([held(2019, **{OVERALL: old(3)}), held(2023, **{OVERALL: old(3)})], True),
        ([held(2019, **{OVERALL: old(4)}), held(2023, **{OVERALL: old(3)})], True),
        ([held(2019, **{OVERALL: old(2)}), held(2023, **{OVERALL: old(3)})], False),
        ([held(2019, **{OVERALL: old(3)}), held(2023, **{OVERALL: old(2)})], False),
        ([held(2019, **{OVERALL: old(3)}), held(2023, Concern.SPECIAL_MEASURES, **{OVERALL: old(4)})], False),
        ([held(2023, **{OVERALL: old(3)}), VISIT, held(2019, **{OVERALL: old(3)})], True),
        ([held(2023, **{OVERALL: old(3)}), held(2026, **{GOVERNANCE: new("needs_attention")})], True),
        ([held(2023, **{OVERALL: old(3)}), held(2026, **{GOVERNANCE: new("strong_standard")})], False),
    ],
)
def test_stuck_is_requires_improvement_after_below_good(history: list[Inspection], is_stuck: bool) -> None:
    assert stuck(history) is is_stuck


def test_what_the_latest_inspection_to_speak_of_each_says() -> None:
    first = Inspection(
        *(100052, date(2022, 1, 1), Framework.EIF2019_OE, Concern.SPECIAL_MEASURES, Safeguarding.NOT_EFFECTIVE),
        judgements=((MANAGEMENT, old(4)),),
    )
    assert standing([first, VISIT]) == Standing(Concern.SPECIAL_MEASURES, Safeguarding.NOT_EFFECTIVE, False)
    assert standing([VISIT, first]).vetoes == ("safeguarding_not_met", "special_measures")
    assert standing([first]).strong is False
    later = Inspection(
        *(100052, date(2026, 1, 1), Framework.REPORT_CARD_2025, Concern.NONE, Safeguarding.MET),
        judgements=((GOVERNANCE, new("expected_standard")),),
    )
    assert standing([later, first]) == Standing(Concern.NONE, Safeguarding.MET, True)
    assert (standing([later, first]).vetoes, standing([later]).strong) == ((), True)
    assert standing([]) == Standing(None, None, None)
    assert (standing([VISIT]).strong, standing([VISIT]).vetoes) == (None, ())
    assert standing([held(2020, **{OVERALL: old(2)})]).strong is True
    assert standing([held(2020, Concern.SERIOUS_WEAKNESS, **{MANAGEMENT: old(2)})]).strong is False
