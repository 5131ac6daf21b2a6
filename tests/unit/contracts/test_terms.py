"""Which terms make sense together."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.parties import (
    OutOfArea,
    School,
    SchoolInTrust,
    Trust,
    UnknownSchool,
    UnknownTrust,
    UnsuitableParty,
    check_area,
    check_parties,
)
from services.contracts.rules.terms import (
    AgreedOutcome,
    BadTerms,
    OverlappingContract,
    Promise,
    agreement_hash,
    check_codes,
    check_leaving,
    check_milestones,
    check_offer,
    check_outcomes,
    check_payment,
    check_route,
    check_signed_on,
    check_term,
)

SCHOOL = School(125245, "The School", "open", "South East", "936", "Surrey", "Academies", "17", "A Trust")
TRUST = Trust("2059", "The Trust", "multi_academy_trust", "open", "07654321", "10012345")
START, END = date(2016, 9, 1), date(2019, 8, 31)


def outcomes(*weights: str, domains: str = "") -> list[AgreedOutcome]:
    names = domains or "abcdefgh"
    return [
        AgreedOutcome(f"O{place}", f"M{place}", names[place], Decimal(weight)) for place, weight in enumerate(weights)
    ]


def test_an_open_school_and_an_open_trust_that_do_not_belong_together_may_be_parties() -> None:
    for status in ("open", "open_proposed_to_close"):
        school = replace(SCHOOL, status=status)
        assert check_parties("125245", school, "2059", TRUST) == (school, TRUST)
    alone = replace(SCHOOL, trust_uid=None, trust_name=None)
    assert check_parties("125245", alone, "2059", TRUST) == (alone, TRUST)


def test_an_unknown_school_is_named_before_an_unknown_trust() -> None:
    with pytest.raises(UnknownSchool, match="125245") as school:
        check_parties("125245", None, "2059", None)
    assert (school.value.status, school.value.extensions) == (422, {"school_urn": "125245"})
    with pytest.raises(UnknownTrust, match="2059") as trust:
        check_parties("125245", SCHOOL, "2059", None)
    assert (trust.value.status, trust.value.extensions) == (422, {"supplier_uid": "2059"})


@pytest.mark.parametrize("status", ["closed", "proposed_to_open", ""])
def test_a_school_that_is_not_open_is_no_party(status: str) -> None:
    with pytest.raises(UnsuitableParty, match="The School") as refused:
        check_parties("125245", replace(SCHOOL, status=status), "2059", TRUST)
    assert refused.value.status == 409
    assert refused.value.extensions == {"school_urn": "125245"}


@pytest.mark.parametrize(
    "trust",
    [
        replace(TRUST, status="closed"),
        replace(TRUST, kind="single_academy_trust"),
        replace(TRUST, kind="school_sponsor", status="closed"),
    ],
)
def test_only_an_open_multi_academy_trust_is_a_supplier(trust: Trust) -> None:
    with pytest.raises(UnsuitableParty, match="not an open multi-academy trust") as refused:
        check_parties("125245", SCHOOL, "2059", trust)
    assert refused.value.extensions == {"supplier_uid": "2059"}


def test_a_trust_is_not_contracted_for_its_own_school() -> None:
    with pytest.raises(SchoolInTrust, match="already in The Trust"):
        check_parties("125245", replace(SCHOOL, trust_uid="2059"), "2059", TRUST)


@pytest.mark.parametrize(
    ("regions", "la_codes", "inside"),
    [
        ((), (), True),
        (("South East",), (), True),
        (("London", "South East"), ("301",), True),
        ((), ("936",), True),
        (("London",), ("301", "936"), True),
        (("London",), (), False),
        ((), ("301",), False),
        (("London",), ("301",), False),
        (("south east",), (), False),
    ],
)
def test_the_school_lies_in_a_region_or_an_authority_of_the_commissioner(
    regions: tuple[str, ...], la_codes: tuple[str, ...], inside: bool
) -> None:
    if inside:
        check_area(SCHOOL, regions, la_codes)
        return
    with pytest.raises(OutOfArea, match="Surrey, South East") as refused:
        check_area(SCHOOL, regions, la_codes)
    assert refused.value.status == 403


def test_a_term_is_a_period_of_one_day_or_more() -> None:
    check_term(START, START)
    check_term(START, END)
    with pytest.raises(BadTerms, match="ends before it starts") as refused:
        check_term(START, START - timedelta(days=1))
    assert refused.value.extensions == {"errors": [{"pointer": "/term/ends_on"}]}


def test_a_term_of_seven_years_is_allowed_and_one_of_a_day_more_is_not() -> None:
    check_term(START, date(2023, 8, 31))
    with pytest.raises(BadTerms, match="at most seven years") as refused:
        check_term(START, date(2023, 9, 1))
    assert refused.value.extensions == {"errors": [{"pointer": "/term/ends_on"}]}


def test_seven_years_from_a_leap_day() -> None:
    check_term(date(2024, 2, 29), date(2031, 2, 27))
    with pytest.raises(BadTerms):
        check_term(date(2024, 2, 29), date(2031, 2, 28))


def test_two_outcomes_on_one_measure_weigh_as_one() -> None:
    twice = [
        AgreedOutcome("O1", "KS4_A8", "attainment", Decimal("0.4")),
        AgreedOutcome("O2", "KS4_A8", "attainment", Decimal("0.4")),
        AgreedOutcome("O3", "ABS_PA", "attendance", Decimal("0.2")),
    ]
    with pytest.raises(BadTerms, match="outcomes_rationale"):
        check_outcomes(twice, None)


def test_a_code_used_twice_is_pointed_at_where_it_comes_again() -> None:
    check_codes("outcomes", [])
    check_codes("outcomes", ["A", "B", "a"])
    with pytest.raises(BadTerms, match="The code A is used twice") as refused:
        check_codes("milestones", ["B", "A", "C", "A"])
    assert refused.value.extensions == {"errors": [{"pointer": "/milestones/3/code"}]}


def test_milestones_lie_within_the_term_ends_included() -> None:
    check_milestones([Promise(str(day), day, []) for day in (START, END, date(2017, 1, 1))], START, END)
    check_milestones([], START, END)
    for day in (START - timedelta(days=1), END + timedelta(days=1)):
        with pytest.raises(BadTerms, match=str(day)) as refused:
            check_milestones([Promise("M1", START, []), Promise("M2", day, ["M1"])], START, END)
        assert refused.value.extensions == {"errors": [{"pointer": "/milestones/1/due_on"}]}


@pytest.mark.parametrize("weights", [(), ("0.4", "0.4"), ("0.4", "0.4", "0.3"), ("0.333", "0.333", "0.333")])
def test_weights_that_do_not_sum_to_one_are_refused_whatever_the_reason(weights: tuple[str, ...]) -> None:
    with pytest.raises(BadTerms, match="not to 1"):
        check_outcomes(outcomes(*weights), "A reason.")


def test_three_measures_of_two_domains_with_none_over_four_tenths_need_no_reason() -> None:
    check_outcomes(outcomes("0.4", "0.3", "0.3"), None)
    check_outcomes(outcomes("0.4", "0.2", "0.2", "0.2", domains="aaab"), None)
    check_outcomes(outcomes("0.1", "0.2", "0.3", "0.4"), "")


@pytest.mark.parametrize(
    "narrow",
    [
        outcomes("0.41", "0.29", "0.3"),
        outcomes("0.5", "0.5"),
        outcomes("1"),
        outcomes("0.4", "0.3", "0.3", domains="aaa"),
    ],
)
def test_narrow_outcomes_need_a_reason(narrow: list[AgreedOutcome]) -> None:
    check_outcomes(narrow, "One measure was in question.")
    for nothing in (None, ""):
        with pytest.raises(BadTerms, match="three measures of two domains") as refused:
            check_outcomes(narrow, nothing)
        assert refused.value.extensions == {"errors": [{"pointer": "/outcomes"}]}


def test_an_overlap_is_a_conflict_with_a_code_of_its_own() -> None:
    assert (OverlappingContract.status, OverlappingContract.code) == (409, "overlapping_contract")


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), min_size=1))
def test_the_hash_of_an_agreement_knows_every_change_but_not_the_order(terms: dict[str, object]) -> None:
    found = agreement_hash(terms)
    assert agreement_hash(dict(reversed(terms.items()))) == found
    assert agreement_hash({**terms, "another": 1, "longer": 2}) != found
    first = next(iter(terms))
    assert agreement_hash({**terms, first: [terms[first]]}) != found
    assert agreement_hash({key: value for key, value in terms.items() if key != first}) != found


def test_the_hash_of_an_agreement_is_sha256_of_the_sorted_json() -> None:
    terms = {"b": date(2016, 9, 1), "a": Decimal("0.4")}
    assert agreement_hash(terms) == hashlib.sha256(b'{"a":0.4,"b":"2016-09-01"}').hexdigest()


def test_milestones_depend_on_milestones_that_there_are_and_not_in_a_circle() -> None:
    check_milestones([Promise("M1", START, ["M2"]), Promise("M2", START, [])], START, END)
    with pytest.raises(BadTerms, match="depends on M9") as refused:
        check_milestones([Promise("M1", START, []), Promise("M2", START, ["M1", "M9"])], START, END)
    assert refused.value.extensions == {"errors": [{"pointer": "/milestones/1/depends_on"}]}
    with pytest.raises(BadTerms, match="M1, M2 depend on each other"):
        check_milestones([Promise("M1", START, ["M2"]), Promise("M2", START, ["M1"])], START, END)
    with pytest.raises(BadTerms, match="circle"):
        check_milestones([Promise("M1", START, ["M1"])], START, END)


def test_a_contract_is_left_at_break_points_inside_its_term() -> None:
    first, second = date(2017, 8, 31), date(2018, 8, 31)
    check_leaving(START, END, END, [])
    check_leaving(START, END, date(2023, 8, 31), [START, first, second, END - timedelta(days=1)])
    for points in ([END], [START - timedelta(days=1)], [second, first], [first, first]):
        with pytest.raises(BadTerms, match="Break points"):
            check_leaving(START, END, END, points)
    with pytest.raises(BadTerms, match="before the end"):
        check_leaving(START, END, END - timedelta(days=1), [])
    with pytest.raises(BadTerms, match="seven years"):
        check_leaving(START, END, date(2023, 9, 1), [])


def test_an_outcome_that_pays_says_from_where_to_where() -> None:
    check_payment(0, 0, None, None)
    check_payment(0, 100, Decimal(1), Decimal(6))
    check_payment(0, 0, Decimal(1), None)
    for floor, full in ((None, None), (Decimal(1), None), (None, Decimal(6))):
        with pytest.raises(BadTerms, match="floor and full"):
            check_payment(3, 100, floor, full)
    for floor in (Decimal(6), Decimal(7)):
        with pytest.raises(BadTerms, match="below its full amount") as refused:
            check_payment(3, 0, floor, Decimal(6))
        assert refused.value.extensions == {"errors": [{"pointer": "/outcomes/3/floor"}]}


def test_another_legal_route_is_described() -> None:
    check_route("grant", None)
    check_route("other", "Education Act 2005")
    for detail in (None, ""):
        with pytest.raises(BadTerms, match="legal_route_detail"):
            check_route("other", detail)


def test_an_offer_stands_from_today_to_the_first_day_at_most() -> None:
    today = date(2016, 6, 20)
    check_offer(today, today, START)
    check_offer(today, START, START)
    for day in (today - timedelta(days=1), START + timedelta(days=1)):
        with pytest.raises(BadTerms, match="An offer stands"):
            check_offer(today, day, START)


def test_a_signature_is_dated_between_the_offer_and_today() -> None:
    put_on, today = date(2016, 6, 20), date(2016, 6, 25)
    for day in (put_on, today):
        check_signed_on(day, put_on, today)
    for day in (put_on - timedelta(days=1), today + timedelta(days=1)):
        with pytest.raises(BadTerms, match="A signature is dated"):
            check_signed_on(day, put_on, today)


def test_a_term_starts_in_a_year_that_can_be_reckoned_with() -> None:
    check_term(date(2199, 12, 31), date(2200, 12, 31))
    for starts_on in (date(2200, 1, 1), date.max):
        with pytest.raises(BadTerms, match="by 2199"):
            check_term(starts_on, starts_on)
