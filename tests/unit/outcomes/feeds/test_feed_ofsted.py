"""Ofsted's files: which inspections a row speaks of, and what is left out with a reason."""

from collections.abc import Sequence
from datetime import date

import pytest

from services.outcomes.feeds import FEEDS
from services.outcomes.feeds.records import FeedRefused
from services.outcomes.rules.grades import Area, Grade, Scale
from services.outcomes.rules.inspection import Concern, Framework, Inspection, Safeguarding
from tests.inspections import CARD, GRADED, monthly, of


def parse(*schools: dict[str, str], layout: str = "report_cards") -> Sequence[Inspection]:
    parsed = FEEDS["ofsted"].parse(monthly(*schools, layout=layout), None)
    assert (parsed.layout, parsed.rejections) == (layout, ())
    return parsed.records


def codes(*schools: dict[str, str]) -> list[tuple[int, str | None, str]]:
    found = FEEDS["ofsted"].parse(monthly(*schools), None).rejections
    return [(each.row, each.key, each.code) for each in found]


def test_a_row_speaks_of_up_to_three_inspections_on_the_scales_of_their_time() -> None:
    visit = {"ungraded.number": "7", "ungraded.started": "14/06/2023", "ungraded.outcome": "School remains Good"}
    card, graded, ungraded = parse(of(107848, CARD, GRADED, visit))
    assert (card.framework, card.started_on, card.safeguarding) == (
        Framework.REPORT_CARD_2025,
        date(2025, 11, 25),
        Safeguarding.MET,
    )
    assert card.grade(Area.ACHIEVEMENT) == Grade(Scale.NEW5, "strong_standard")
    assert card.grade(Area.POST_16_PROVISION) is None
    assert dict(card.judgements)[Area.POST_16_PROVISION].words == "Not applicable"
    assert (graded.framework, graded.concern) == (Framework.EIF2019_OE, Concern.NONE)
    assert graded.grade(Area.OVERALL_EFFECTIVENESS) == Grade(Scale.OLD4, "2")
    assert dict(graded.judgements)[Area.SIXTH_FORM_PROVISION].ordinal is None
    assert Area.BEHAVIOUR_AND_ATTITUDES not in dict(graded.judgements)
    assert (ungraded.framework, ungraded.outcome, ungraded.judgements) == (
        Framework.S8_UNGRADED,
        "School remains Good",
        (),
    )
    assert (ungraded.concern, ungraded.safeguarding) == (None, Safeguarding.NOT_RECORDED)


def test_an_inspection_of_an_earlier_life_is_listed_under_the_present_one() -> None:
    (found,) = parse(of(150001, GRADED, graded__urn="107848"))
    assert (found.urn, found.listed_under) == (107848, 150001)


@pytest.mark.parametrize(
    ("text", "concern"),
    [
        ("SM", Concern.SPECIAL_MEASURES),
        ("SWK", Concern.SERIOUS_WEAKNESS),
        ("NTI", Concern.REQ_SIGNIFICANT_IMPROVEMENT),
        ("Requires significant improvement", Concern.REQ_SIGNIFICANT_IMPROVEMENT),
        ("", Concern.NONE),
        ("NULL", Concern.NONE),
    ],
)
def test_categories_of_concern(text: str, concern: Concern) -> None:
    (found,) = parse(of(107848, GRADED, graded__concern=text))
    assert found.concern is concern


def test_no_overall_grade_since_september_2024() -> None:
    more = {"graded__started": "17/09/2024", "graded__overall_effectiveness": "Not judged"}
    (found,) = parse(of(107848, GRADED, **more))
    assert found.framework is Framework.EIF2024_NO_OE
    assert found.grade(Area.OVERALL_EFFECTIVENESS) is None
    assert dict(found.judgements)[Area.OVERALL_EFFECTIVENESS].code == "not_judged"


def test_a_row_of_2022_has_two_inspections_and_a_visit_that_was_no_full_inspection() -> None:
    row = {
        "laestab": "3834000",
        "latest.urn": "107848",
        "latest.started": "01/10/2019",
        "latest.number": "1",
        "latest.overall_effectiveness": "2",
        "latest.concern": "",
        "latest.safeguarding": "9",
        "previous.urn": "107848",
        "previous.started": "01/10/2016",
        "previous.number": "ITS1",
        "previous.overall_effectiveness": "3",
        "previous.concern": "SWK",
        "previous.safeguarding": "No",
        "section_8.urn": "107848",
        "section_8.started": "30/09/2019",
        "section_8.number": "2",
    }
    latest, previous, visit = parse(row | {"section_8.converted": "No"}, layout="two_latest")
    assert (latest.framework, previous.framework) == (Framework.EIF2019_OE, Framework.BEFORE_2019)
    assert (previous.concern, previous.safeguarding) == (Concern.SERIOUS_WEAKNESS, Safeguarding.NOT_EFFECTIVE)
    assert visit.framework is Framework.S8_UNGRADED
    assert len(parse(row | {"section_8.converted": "Yes"}, layout="two_latest")) == 2


def test_a_block_that_cannot_be_read_leaves_the_others() -> None:
    bad = {"report_card.achievement": "2"}
    assert codes(of(107848, {**CARD, **bad}, GRADED)) == [(1, "107848", "unknown_code")]
    assert codes(of(107848, GRADED, graded__started="soon")) == [(1, "107848", "bad_date")]
    assert codes(of(107848, GRADED, graded__started="NULL")) == [(1, "107848", "missing_value")]
    assert codes(of(107848, GRADED, graded__urn="12")) == [(1, "107848", "bad_urn")]
    assert codes(of(107848, GRADED), of(107848, GRADED)) == [(2, "107848", "duplicate")]


def test_of_two_inspections_on_one_day_the_full_one_is_kept() -> None:
    visit = {"ungraded.number": "7", "ungraded.started": GRADED["graded.started"]}
    parsed = FEEDS["ofsted"].parse(monthly(of(107848, CARD, GRADED, visit)), None)
    assert [each.framework for each in parsed.records] == [Framework.REPORT_CARD_2025, Framework.EIF2019_OE]
    (rejected,) = parsed.rejections
    assert (rejected.row, rejected.key, rejected.code) == (1, "107848", "duplicate")
    assert rejected.detail == "Inspection 7: the file has another one of 107848 on 2024-05-21, which is kept."


def test_schools_that_share_an_inherited_inspection_keep_their_others() -> None:
    visit = {"ungraded.number": "7", "ungraded.started": "14/06/2025"}
    rows = (of(urn, CARD, GRADED, visit, graded__urn="107848") for urn in (150001, 150002))
    parsed = FEEDS["ofsted"].parse(monthly(*rows), None)
    assert [each.urn for each in parsed.records] == [150001, 107848, 150001, 150002, 150002]
    assert [(each.row, each.key, each.code) for each in parsed.rejections] == [(2, "150002", "duplicate")]


@pytest.mark.parametrize("listed", ["9" * 5_000, "1078480"])
def test_what_is_no_urn_lists_no_inspection(listed: str) -> None:
    (found,) = parse(of(107848, GRADED) | {"urn": listed})
    assert (found.urn, found.listed_under) == (107848, None)


def test_schools_that_were_never_inspected_are_no_inspections() -> None:
    parsed = FEEDS["ofsted"].parse(monthly(of(107848, GRADED), {"urn": "107849"}), None)
    assert (parsed.rows, parsed.ignored, len(parsed.records)) == (2, 1, 1)


def test_an_unknown_layout_is_refused_with_what_the_nearest_lacks() -> None:
    content = monthly(of(107848, GRADED)).replace(b"latest_oeif_quality_of_education", b"quality")
    with pytest.raises(FeedRefused) as caught:
        FEEDS["ofsted"].parse(content, None)
    assert (caught.value.code, caught.value.missing) == ("unknown_layout", ("latest_oeif_quality_of_education",))


def test_earlier_ratings_say_nothing_on_concern_or_safeguarding() -> None:
    content = b"URN,Rating,Inspection Date\n100000,Satisfactory,20050921\n100000,Superb,20080926\n100000,Good,\n"
    parsed = FEEDS["ofsted_history"].parse(content, None)
    (found,) = parsed.records
    assert (found.started_on, found.framework, found.concern) == (date(2005, 9, 21), Framework.BEFORE_2019, None)
    assert found.judgements == ((Area.OVERALL_EFFECTIVENESS, Grade(Scale.OLD4, "3")),)
    assert [each.code for each in parsed.rejections] == ["unknown_code", "missing_value"]
