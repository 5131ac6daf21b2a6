"""Whose result it is, by dates alone."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.ringfence import (
    DFE_RULE,
    Break,
    ContractRole,
    Membership,
    Term,
    TrustRole,
    assessed_on,
    breaks_of,
    census_on,
    continued,
    contract_role,
    first_dfe_year,
    first_platform_year,
    full_years,
    month_and_day,
    trust_role,
)

days = st.dates(date(2010, 1, 1), date(2040, 12, 31))
years = st.integers(2012, 2038)
terms = st.tuples(days, st.integers(0, 2500)).map(lambda pair: Term(pair[0], pair[0] + timedelta(days=pair[1])))
memberships = st.builds(
    lambda joined, length: Membership(joined, None if length is None else joined + timedelta(days=length)),
    days,
    st.none() | st.integers(1, 4000),
)
stages = st.sampled_from([KeyStage.KS2, KeyStage.KS4, KeyStage.ABSENCE])


def roles(term: Term, key_stage: KeyStage = KeyStage.KS4, start: int = 2024, count: int = 4) -> list[str]:
    return [
        contract_role(term, census_on(year), assessed_on(key_stage, year)).value for year in range(start, start + count)
    ]


@pytest.mark.parametrize(
    ("school", "joined", "expected"),
    [
        ("A", date(2014, 9, 1), 10),
        ("B", date(2021, 9, 12), 3),
        ("C", date(2021, 9, 13), 2),
        ("D", date(2018, 1, 1), 6),
        ("E", date(2022, 9, 1), 2),
    ],
)
def test_full_years_of_the_worked_trust(school: str, joined: date, expected: int) -> None:
    assert full_years(joined, 2023) == expected, school
    assert (full_years(joined, 2023) >= 3) is (school in "ABD")


def test_a_census_day_is_read_as_it_is_written() -> None:
    assert month_and_day(DFE_RULE.census_day) == DFE_RULE.census
    assert month_and_day("01-15") == (1, 15)


def test_another_census_day_counts_other_years() -> None:
    joined = date(2021, 9, 13)
    assert (full_years(joined, 2023), full_years(joined, 2023, (9, 13)), full_years(joined, 2023, (10, 1))) == (2, 3, 3)
    assert full_years(date(2021, 9, 2), 2023, (9, 1)) == 2


@pytest.mark.parametrize(
    ("joined", "platform", "dfe"),
    [
        (date(2027, 9, 1), 2027, 2029),
        (date(2028, 1, 1), 2028, 2030),
        (date(2021, 9, 12), 2021, 2023),
        (date(2021, 9, 13), 2022, 2024),
        (date(2021, 12, 31), 2022, 2024),
    ],
)
def test_the_first_years_that_count(joined: date, platform: int, dfe: int) -> None:
    assert first_platform_year(joined) == platform
    assert first_dfe_year(joined) == dfe


@given(days, years)
def test_each_year_adds_one_and_the_third_is_dfes_first(joined: date, year: int) -> None:
    assert full_years(joined, year + 1) == full_years(joined, year) + 1
    first = first_dfe_year(joined)
    assert (full_years(joined, first), full_years(joined, first_platform_year(joined))) == (3, 1)
    assert census_on(first_platform_year(joined) - 1) < joined <= census_on(first_platform_year(joined))


def test_dates_of_the_series() -> None:
    assert census_on(2024) == date(2024, 9, 12)
    assert census_on(2024, (10, 3)) == date(2024, 10, 3)
    found = {stage.value: assessed_on(stage, 2024) for stage in KeyStage}
    assert found == {
        "KS2": date(2025, 5, 12),
        "KS4": date(2025, 5, 1),
        "ABS": date(2025, 7, 31),
        "CENSUS": date(2025, 1, 15),
    }


@pytest.mark.parametrize(
    ("year", "first"),
    [
        *((2015, date(2016, 5, 9)), (2016, date(2017, 5, 8)), (2017, date(2018, 5, 14)), (2018, date(2019, 5, 13))),
        *((2021, date(2022, 5, 9)), (2022, date(2023, 5, 9)), (2023, date(2024, 5, 13)), (2026, date(2027, 5, 10))),
    ],
)
def test_key_stage_2_is_assessed_from_the_first_day_of_its_tests(year: int, first: date) -> None:
    assert assessed_on(KeyStage.KS2, year) == first
    census = census_on(year)
    for ends_on, expected in ((first, "accountable"), (first - timedelta(days=1), "none")):
        assert contract_role(Term(census, ends_on), census, assessed_on(KeyStage.KS2, year)).value == expected


def test_t1_three_whole_years_and_then_the_trusts() -> None:
    term = Term(date(2024, 9, 1), date(2027, 8, 31))
    assert roles(term) == ["accountable", "accountable", "accountable", "none"]
    after = trust_role(Membership(date(2027, 9, 1), None), (term,), census_on(2027), assessed_on(KeyStage.KS4, 2027))
    assert after is TrustRole.LOCAL_ONLY


def test_t2_a_calendar_term_starts_with_a_part_year_and_ends_in_transition() -> None:
    term, joined = Term(date(2025, 1, 1), date(2027, 12, 31)), Membership(date(2028, 1, 1), None)
    assert roles(term) == ["partial_year", "accountable", "accountable", "none"]
    found = [
        trust_role(joined, (term,), census_on(year), assessed_on(KeyStage.KS4, year)).value
        for year in range(2024, 2031)
    ]
    assert found == ["ringfenced"] * 3 + ["transition", "local_only", "local_only", "dfe_eligible"]


def test_t3_exams_after_an_early_end_are_nobodys() -> None:
    assert roles(Term(date(2024, 9, 1), date(2026, 4, 30)), count=3) == ["accountable", "none", "none"]


@pytest.mark.parametrize("key_stage", [KeyStage.KS2, KeyStage.KS4])
def test_t4_a_term_that_ends_in_the_exams_answers_for_them(key_stage: KeyStage) -> None:
    assert roles(Term(date(2024, 9, 1), date(2027, 5, 31)), key_stage) == ["accountable"] * 3 + ["none"]


def test_t4_absence_runs_on_after_the_term() -> None:
    assert roles(Term(date(2024, 9, 1), date(2027, 5, 31)), KeyStage.ABSENCE, 2026, 1) == ["none"]


def test_t5_one_day_after_the_census_is_a_part_year() -> None:
    assert roles(Term(date(2024, 9, 13), date(2026, 8, 31)), count=3) == ["partial_year", "accountable", "none"]
    assert roles(Term(date(2024, 9, 12), date(2026, 8, 31)), count=3) == ["accountable", "accountable", "none"]


def test_t6_a_trusts_own_school_is_set_apart_and_comes_back_eligible() -> None:
    term, member = Term(date(2024, 9, 1), date(2026, 8, 31)), Membership(date(2019, 9, 1), None)
    found = [
        trust_role(member, (term,), census_on(year), assessed_on(KeyStage.KS4, year)) for year in range(2023, 2028)
    ]
    assert [role.value for role in found] == [
        "dfe_eligible",
        "ringfenced",
        "ringfenced",
        "dfe_eligible",
        "dfe_eligible",
    ]


def test_the_first_and_last_day_belong_to_a_term() -> None:
    term = Term(date(2025, 5, 1), date(2025, 5, 1))
    assert [term.holds(date(2025, 5, 1) + timedelta(days=step)) for step in (-1, 0, 1)] == [False, True, False]
    assert contract_role(term, census_on(2024), date(2025, 5, 1)) is ContractRole.PARTIAL_YEAR


def test_the_leaving_day_does_not_belong_to_a_membership() -> None:
    member = Membership(date(2024, 9, 1), date(2025, 5, 1))
    assert member.holds(date(2024, 9, 1))
    assert member.holds(date(2025, 4, 30))
    assert not member.holds(date(2025, 5, 1))
    assert not member.holds(date(2024, 8, 31))
    assert Membership(date(2024, 9, 1), None).holds(date(2099, 1, 1))


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (None, "not_member"),
        (Membership(date(2020, 9, 1), date(2025, 4, 30)), "not_member"),
        (Membership(date(2025, 5, 2), None), "not_member"),
        (Membership(date(2024, 9, 13), None), "transition"),
        (Membership(date(2025, 5, 1), None), "transition"),
        (Membership(date(2024, 9, 12), None), "local_only"),
        (Membership(date(2022, 9, 13), date(2025, 5, 2)), "local_only"),
        (Membership(date(2022, 9, 12), date(2025, 5, 2)), "dfe_eligible"),
    ],
)
def test_what_a_series_is_to_a_trust_by_membership(member: Membership | None, expected: str) -> None:
    assert trust_role(member, (), census_on(2024), date(2025, 5, 1)).value == expected


@given(memberships | st.none(), st.lists(terms, max_size=3), years, stages)
def test_a_series_is_ring_fenced_or_the_trusts_and_never_both(
    member: Membership | None, fences: list[Term], year: int, key_stage: KeyStage
) -> None:
    census, day = census_on(year), assessed_on(key_stage, year)
    found = trust_role(member, tuple(fences), census, day)
    fenced = any(term.starts_on <= day <= term.ends_on for term in fences)
    assert (found is TrustRole.RINGFENCED) is fenced
    if found in {TrustRole.DFE_ELIGIBLE, TrustRole.LOCAL_ONLY}:
        assert member is not None
        assert member.joined_on <= census
        assert member.left_on is None or member.left_on > day
        assert all(contract_role(term, census, day) is ContractRole.NONE for term in fences)
        assert (found is TrustRole.DFE_ELIGIBLE) is (year >= first_dfe_year(member.joined_on))
    if found is TrustRole.TRANSITION:
        assert member is not None
        assert census < member.joined_on <= day


@given(terms, years, stages)
def test_a_supplier_answers_from_the_census_to_the_assessment(term: Term, year: int, key_stage: KeyStage) -> None:
    census, day = census_on(year), assessed_on(key_stage, year)
    found = contract_role(term, census, day)
    whole = term.starts_on <= census and day <= term.ends_on
    inside = term.starts_on <= day <= term.ends_on
    assert (found is ContractRole.ACCOUNTABLE) is whole
    assert (found is ContractRole.NONE) is (not inside)
    assert (trust_role(None, (term,), census, day) is TrustRole.RINGFENCED) is inside


breaks = st.lists(
    st.builds(
        lambda first, length: Break(first, None if length is None else first + timedelta(days=length)),
        days,
        st.none() | st.integers(0, 400),
    ),
    max_size=3,
).map(tuple)


@given(terms, breaks, years, stages)
def test_a_break_takes_away_and_never_adds(term: Term, rests: tuple[Break, ...], year: int, stage: KeyStage) -> None:
    order = [ContractRole.NONE, ContractRole.PARTIAL_YEAR, ContractRole.ACCOUNTABLE]
    census, assessed = census_on(year), assessed_on(stage, year)
    whole, broken = (
        contract_role(term, census, assessed),
        contract_role(Term(term.starts_on, term.ends_on, rests), census, assessed),
    )
    assert order.index(broken) <= order.index(whole)
    held = any(each.touches(assessed, assessed) for each in rests)
    touched = any(each.touches(census, assessed) for each in rests)
    if held:
        assert broken is ContractRole.NONE
    elif touched:
        assert broken is not ContractRole.ACCOUNTABLE
    else:
        assert broken is whole


def test_a_rest_in_the_autumn_makes_a_partial_year_and_one_over_the_exams_none() -> None:
    start, end = date(2024, 9, 1), date(2027, 8, 31)
    autumn = Term(start, end, (Break(date(2024, 10, 1), date(2024, 11, 30)),))
    assert roles(autumn, count=3) == ["partial_year", "accountable", "accountable"]
    summer = Term(start, end, (Break(date(2025, 4, 20), date(2025, 5, 10)),))
    assert roles(summer, count=3) == ["none", "accountable", "accountable"]
    still = Term(start, end, (Break(date(2026, 1, 1), None),))
    assert roles(still, count=3) == ["accountable", "none", "none"]


def test_results_of_a_rest_are_not_kept_apart() -> None:
    rest = Term(date(2024, 9, 1), date(2027, 8, 31), (Break(date(2025, 1, 1), date(2025, 6, 1)),))
    member = Membership(date(2015, 9, 1), None)
    census, assessed = census_on(2024), date(2025, 5, 1)
    assert trust_role(member, (rest,), census, assessed) is TrustRole.DFE_ELIGIBLE
    assert trust_role(member, (rest,), census, date(2025, 6, 2)) is TrustRole.RINGFENCED


def test_breaks_as_they_are_kept() -> None:
    kept = [{"starts_on": "2025-01-01", "ends_on": "2025-06-01"}, {"starts_on": "2026-01-01", "ends_on": None}]
    assert breaks_of(kept) == (Break(date(2025, 1, 1), date(2025, 6, 1)), Break(date(2026, 1, 1), None))


SEPTEMBER, AUGUST = date(2019, 9, 1), date(2019, 8, 31)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], []),
        ([(date(2015, 9, 1), None)], [(date(2015, 9, 1), None)]),
        ([(SEPTEMBER, None), (date(2015, 9, 1), SEPTEMBER)], [(date(2015, 9, 1), None)]),
        ([(date(2015, 9, 1), AUGUST), (SEPTEMBER, None)], [(date(2015, 9, 1), None)]),
        (
            [(date(2015, 9, 1), AUGUST), (date(2019, 9, 2), None)],
            [(date(2015, 9, 1), AUGUST), (date(2019, 9, 2), None)],
        ),
        ([(date(2015, 9, 1), None), (SEPTEMBER, date(2020, 1, 1))], [(date(2015, 9, 1), date(2020, 1, 1))]),
        ([(date(2015, 9, 1), SEPTEMBER), (date(2016, 1, 1), AUGUST)], [(date(2015, 9, 1), SEPTEMBER)]),
    ],
)
def test_a_school_that_gets_another_urn_in_its_trust_has_not_left_it(
    times: list[tuple[date, date | None]], expected: list[tuple[date, date | None]]
) -> None:
    assert continued(Membership(*each) for each in times) == tuple(Membership(*each) for each in expected)
