import math
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.performance import Cell, School, View, performance, placed, shown
from services.outcomes.rules.ringfence import Membership, Rule, Term, TrustRole
from services.outcomes.rules.tables import Member, pool_trust
from services.outcomes.rules.values import ValueState

CONTRACT = UUID(int=1)


def member(urn: int, joined: date, value: float = 30.0, n: int = 900, left: date | None = None) -> School:
    cells = {"ABS_PA": Cell(ValueState.OK, value, n, True), "ABS_OVERALL": Cell(ValueState.OK, value / 3, n, True)}
    return School(urn, f"School {urn}", True, (Membership(joined, left),), (), cells)


def contracted(urn: int, term: Term, value: float = 60.0) -> School:
    cells = {"ABS_PA": Cell(ValueState.OK, value, 700, True)}
    return School(urn, f"School {urn}", True, (), ((CONTRACT, term),), cells)


def attainment(n: int) -> dict[str, Cell]:
    """Attainment 8 of a few pupils."""
    return {"KS4_A8": Cell(ValueState.OK, 40.0, n, False)}


OLD = [member(100_001 + place, date(2015, 9, 1), 20.0 + place) for place in range(3)]
ATTAINING = [replace(each, results=attainment(100)) for each in OLD]
TERM = Term(date(2023, 9, 1), date(2024, 8, 31))


def test_a_contracted_school_is_in_its_own_view_only() -> None:
    _places, tables = performance([*OLD, contracted(200_001, TERM)], KeyStage.ABSENCE, 2023)
    _other, without = performance(OLD, KeyStage.ABSENCE, 2023)
    assert tables[View.DFE] == without[View.DFE]
    assert tables[View.PLATFORM] == without[View.PLATFORM]
    assert [each.school.urn for each in tables[View.CONTRACTS].schools] == [200_001]
    assert tables[View.CONTRACTS].measures["ABS_PA"].value == 60.0


def test_pupils_are_pooled() -> None:
    _places, tables = performance(OLD, KeyStage.ABSENCE, 2023)
    pooled = tables[View.DFE].measures["ABS_PA"]
    assert (pooled.value, pooled.n, pooled.schools) == (pytest.approx(21.0), 2700, 3)


def test_fewer_than_three_eligible_schools_are_not_published_as_dfe_counts() -> None:
    _places, tables = performance(OLD[:2], KeyStage.ABSENCE, 2023)
    assert tables[View.DFE].measures["ABS_PA"].state == "NOT_PUBLISHED_TOO_FEW"
    assert tables[View.PLATFORM].measures["ABS_PA"].state == "OK"


def test_special_schools_are_not_in_dfes_table() -> None:
    special = School(300_001, "Special", False, (Membership(date(2015, 9, 1), None),), (), {})
    found = placed(special, KeyStage.ABSENCE, 2023)
    assert found.counts_in == (View.PLATFORM,)
    assert "Not a mainstream school" in found.reason


@pytest.mark.parametrize(
    ("joined", "left", "role", "words"),
    [
        (date(2021, 9, 12), None, TrustRole.DFE_ELIGIBLE, "3 full academic years"),
        (date(2021, 9, 13), None, TrustRole.LOCAL_ONLY, "2 full academic years"),
        (date(2023, 9, 12), None, TrustRole.LOCAL_ONLY, "1 full academic year."),
        (date(2024, 1, 1), None, TrustRole.TRANSITION, "after the census"),
        (date(2024, 9, 1), None, TrustRole.NOT_MEMBER, "Not a member on"),
        (date(2015, 9, 1), date(2024, 4, 1), TrustRole.NOT_MEMBER, "Left on 2024-04-01"),
    ],
)
def test_where_a_school_counts_follows_from_dates(joined: date, left: date | None, role: TrustRole, words: str) -> None:
    found = placed(member(100_001, joined, left=left), KeyStage.ABSENCE, 2023)
    assert found.role is role
    assert words in found.reason


def test_five_pupils_or_fewer_are_neither_shown_nor_pooled() -> None:
    tiny = member(100_009, date(2015, 9, 1), 90.0, 5)
    _places, tables = performance([*OLD, tiny], KeyStage.ABSENCE, 2023)
    pooled = tables[View.DFE].measures["ABS_PA"]
    assert (pooled.n, pooled.schools) == (2700, 3)


def ks2(urn: int, value: float, n: int, joined: date = date(2015, 9, 1), **more: Cell) -> School:
    cells = {"KS2_RWM_EXP": Cell(ValueState.OK, value, n, False), **more}
    return School(urn, f"School {urn}", True, (Membership(joined, None),), (), cells)


def rwm(schools: list[School], view: View) -> tuple[float | None, int, int, int]:
    _places, tables = performance(schools, KeyStage.KS2, 2023)
    pooled = tables[view].measures["KS2_RWM_EXP"]
    return pooled.value, pooled.n, pooled.schools, tables[view].left_out["KS2_RWM_EXP"]


def test_withheld_results_count_where_they_are_told_of_together_only() -> None:
    large = [ks2(100_001 + at, 50.0, 40) for at in range(3)]
    one, two = ks2(100_011, 25.0, 4), ks2(100_012, 50.0, 4)
    assert rwm([*large, one], View.DFE) == (50.0, 120, 3, 1)
    assert rwm([*large, one, two], View.DFE) == (pytest.approx(100 * 63 / 128), 128, 5, 0)
    late = ks2(100_013, 25.0, 4, date(2023, 9, 1))
    assert rwm([*large, one, two, late], View.PLATFORM) == (pytest.approx(100 * 63 / 128), 128, 5, 1)


def test_weights_for_time_beside_none_do_not_tell_how_withheld_results_are_made_up() -> None:
    few = [
        replace(member(400_001 + at, date(2015 + 5 * at, 9, 1), 50.0), results=attainment(n))
        for at, n in enumerate((4, 5))
    ]
    for weighting, left_out in (("none", 0), ("cap4", 2)):
        rule = Rule(time_weighting=weighting)
        _places, tables = performance([*ATTAINING, *few], KeyStage.KS4, 2023, rule)
        assert tables[View.PLATFORM].left_out["KS4_A8"] == left_out


def test_pupils_on_roll_are_a_sum_and_percentages_of_an_intake_have_an_interval() -> None:
    cells = {"CENSUS_NOR": Cell(ValueState.OK, 700.0, 700, True), "CENSUS_FSM": Cell(ValueState.OK, 30.0, 700, True)}
    schools = [replace(each, results=cells) for each in OLD]
    _places, tables = performance(schools, KeyStage.CENSUS, 2023)
    roll, fsm = (tables[View.PLATFORM].measures[code] for code in ("CENSUS_NOR", "CENSUS_FSM"))
    assert (roll.value, roll.low, roll.high) == (2100.0, None, None)
    assert fsm.value == pytest.approx(30.0)
    assert (fsm.low, fsm.high) == (pytest.approx(28.1, abs=0.1), pytest.approx(32.0, abs=0.1))


def test_what_is_withheld_is_not_shown() -> None:
    tells = ks2(100_001, 97.0, 30)
    assert shown(tells, "KS2_RWM_EXP") == Cell(ValueState.SUPPRESSED, None, None, False)
    assert shown(tells, "KS2_RWM_HIGH").state is ValueState.NOT_PRODUCED
    beside = {"KS2_RWM_EXP_DIS": Cell(ValueState.OK, 50.0, 36, False)}
    assert shown(ks2(100_001, 50.0, 40, **beside), "KS2_RWM_EXP_DIS").state is ValueState.SUPPRESSED
    assert shown(ks2(100_001, 50.0, 60, **beside), "KS2_RWM_EXP_DIS").state is ValueState.OK
    roll = School(1, "S", True, (), (), {**beside, "KS2_RWM_EXP": Cell(ValueState.OK, 50.0, 40, True)})
    assert shown(roll, "KS2_RWM_EXP_DIS").state is ValueState.OK
    assert shown(School(1, "S", True, (), (), beside), "KS2_RWM_EXP_DIS").state is ValueState.OK


def test_a_group_whose_rest_would_stand_out_is_left_out() -> None:
    nearly = {"KS2_RWM_EXP_DIS": Cell(ValueState.OK, 50.0, 38, False)}
    other = {"KS2_RWM_EXP_DIS": Cell(ValueState.OK, 50.0, 40, False)}
    schools = [ks2(100_001, 50.0, 40, **nearly), *(ks2(100_002 + at, 50.0, 40, **other) for at in range(3))]
    _places, tables = performance(schools, KeyStage.KS2, 2023)
    assert tables[View.DFE].measures["KS2_RWM_EXP_DIS"].n == 120
    assert tables[View.DFE].left_out["KS2_RWM_EXP_DIS"] == 1


def test_a_withheld_result_of_a_contracted_school_is_in_no_total() -> None:
    term = Term(date(2023, 9, 1), date(2024, 8, 31))
    two = [
        School(urn, "S", True, (), ((CONTRACT, term),), {"KS2_RWM_EXP": Cell(ValueState.OK, 50.0, 4, False)})
        for urn in (1, 2)
    ]
    assert rwm(two, View.CONTRACTS) == (None, 0, 0, 2)


def test_a_whole_percentage_of_few_pupils_is_pooled_as_the_count_behind_it() -> None:
    schools = [ks2(100_001, 43.0, 28), ks2(100_002, 48.0, 31), ks2(100_003, 45.0, 29)]
    assert rwm(schools, View.DFE)[0] == pytest.approx(100 * 40 / 88)


def test_exams_after_the_end_of_a_contract_are_kept_apart_where_policy_says_so() -> None:
    school = School(
        1,
        "S",
        True,
        (Membership(date(2015, 9, 1), None),),
        ((CONTRACT, Term(date(2022, 9, 1), date(2024, 4, 30))),),
        {},
    )
    grace = Rule(carry_over=True)
    assert placed(school, KeyStage.KS4, 2023).role is TrustRole.DFE_ELIGIBLE
    assert placed(school, KeyStage.KS4, 2023, grace).role is TrustRole.RINGFENCED
    assert placed(school, KeyStage.KS4, 2023, grace).contract_id == CONTRACT
    assert placed(school, KeyStage.KS4, 2024, grace).role is TrustRole.DFE_ELIGIBLE
    autumn = School(1, "S", True, school.memberships, ((CONTRACT, Term(date(2022, 9, 1), date(2023, 12, 31))),), {})
    assert placed(autumn, KeyStage.KS4, 2023, grace).role is TrustRole.RINGFENCED


def test_years_under_contract_count_where_policy_says_so() -> None:
    term = Term(date(2021, 9, 1), date(2023, 8, 31))
    school = School(1, "S", True, (Membership(date(2023, 9, 1), None),), ((CONTRACT, term),), {})
    assert placed(school, KeyStage.KS4, 2023).role is TrustRole.LOCAL_ONLY
    counted = placed(school, KeyStage.KS4, 2023, Rule(count_contract_years=True))
    assert (counted.role, counted.full_years) == (TrustRole.DFE_ELIGIBLE, 3)
    assert "3 full academic years" in counted.reason


def test_census_day_and_number_of_schools_are_parameters() -> None:
    joined = member(100_001, date(2021, 9, 20))
    assert placed(joined, KeyStage.ABSENCE, 2023).role is TrustRole.LOCAL_ONLY
    assert placed(joined, KeyStage.ABSENCE, 2023, Rule(census=(10, 1))).role is TrustRole.DFE_ELIGIBLE
    _places, tables = performance(OLD[:2], KeyStage.ABSENCE, 2023, Rule(schools=2))
    assert tables[View.DFE].measures["ABS_PA"].state == "OK"


def test_progress_has_the_interval_of_the_national_spread() -> None:
    cells = {"KS4_P8": Cell(ValueState.OK, 0.1, 150, False)}
    schools = [School(100_001 + n, "S", True, (Membership(date(2015, 9, 1), None),), (), cells) for n in range(3)]
    _places, tables = performance(schools, KeyStage.KS4, 2023)
    pooled = tables[View.DFE].measures["KS4_P8"]
    assert pooled.high is not None
    assert pooled.high - 0.1 == pytest.approx(1.96 * math.hypot(1.41628 / 450**0.5, 0.005 / 3))


@pytest.mark.parametrize(
    ("n", "decimals", "half_width"), [(240, None, 0.5), (240, 1, 0.0), (2400, 1, 0.05), (90, 0, 0.0)]
)
def test_intervals_tell_how_figures_were_rounded(n: int, decimals: int | None, half_width: float) -> None:
    """As the release says, else as the catalogue does; not at all where the exact figure can be recovered."""
    cells = {"KS2_RWM_EXP": Cell(ValueState.OK, 50.0, n, False, decimals)}
    _places, tables = performance([replace(each, results=cells) for each in OLD], KeyStage.KS2, 2023)
    members = [Member(each.urn, n, 50.0, 8, half_width) for each in OLD]
    assert tables[View.DFE].measures["KS2_RWM_EXP"] == pool_trust(members, None)


days = st.dates(date(2015, 1, 1), date(2026, 12, 31))


@given(joined=days, starts=days, length=st.integers(0, 1500), year=st.integers(2015, 2026))
def test_no_result_is_in_the_contracts_view_and_in_another(joined: date, starts: date, length: int, year: int) -> None:
    term = Term(starts, date.fromordinal(starts.toordinal() + length))
    both = School(1, "S", True, (Membership(joined, None),), ((CONTRACT, term),), {})
    places, tables = performance([both], KeyStage.KS4, year)
    assert len(places) == 1
    inside = {view for view, table in tables.items() if table.schools}
    assert View.CONTRACTS not in inside or inside == {View.CONTRACTS}


@st.composite
def trusts(draw: st.DrawFn) -> list[School]:
    """A trust's schools, some of them under contract."""
    found = []
    for urn in range(100_001, 100_001 + draw(st.integers(1, 7))):
        joined, starts = draw(days), draw(days)
        terms = ((CONTRACT, Term(starts, date.fromordinal(starts.toordinal() + draw(st.integers(0, 1500))))),)
        n = draw(st.integers(1, 60))
        value = round(100 * draw(st.integers(0, n)) / n, 5)
        member_of = (Membership(joined, None),) if draw(st.booleans()) else ()
        cells = {"KS2_RWM_EXP": Cell(ValueState.OK, value, n, False)}
        found.append(School(urn, "S", True, member_of, terms if draw(st.booleans()) else (), cells))
    return found


@given(schools=trusts(), year=st.integers(2015, 2026))
def test_every_school_has_one_place_and_the_views_hold_whom_the_places_name(schools: list[School], year: int) -> None:
    places, tables = performance(schools, KeyStage.KS2, year)
    assert sorted(each.school.urn for each in places) == sorted(each.urn for each in schools)
    for view, table in tables.items():
        assert [each for each in places if view in each.counts_in] == list(table.schools)
    inside = {view: {each.school.urn for each in table.schools} for view, table in tables.items()}
    assert inside[View.DFE] <= inside[View.PLATFORM]
    assert not inside[View.CONTRACTS] & inside[View.PLATFORM]


@given(schools=trusts(), year=st.integers(2015, 2026))
def test_what_contracted_schools_achieve_moves_no_other_view(schools: list[School], year: int) -> None:
    places, tables = performance(schools, KeyStage.KS2, year)
    apart = {each.school.urn for each in places if View.CONTRACTS in each.counts_in}
    other = {"KS2_RWM_EXP": Cell(ValueState.OK, 100.0, 500, False)}
    changed = [replace(each, results=other) if each.urn in apart else each for each in schools]
    _places, after = performance(changed, KeyStage.KS2, year)
    for view in (View.DFE, View.PLATFORM):
        assert (after[view].measures, after[view].left_out) == (tables[view].measures, tables[view].left_out)


@given(joined=days, starts=days, length=st.integers(0, 1500), year=st.integers(2015, 2026))
def test_years_count_from_joining_whatever_contract_came_before(
    joined: date, starts: date, length: int, year: int
) -> None:
    term = Term(starts, date.fromordinal(starts.toordinal() + length))
    with_contract = School(1, "S", True, (Membership(joined, None),), ((CONTRACT, term),), {})
    without = replace(with_contract, contracts=())
    found, plain = placed(with_contract, KeyStage.KS4, year), placed(without, KeyStage.KS4, year)
    if found.role is not TrustRole.RINGFENCED:
        assert (found.role, found.full_years) == (plain.role, plain.full_years)
