from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.measures import KeyStage
from services.outcomes.rules.performance import Cell, School, View, performance, placed
from services.outcomes.rules.ringfence import Membership, Term, TrustRole
from services.outcomes.rules.values import ValueState

CONTRACT = UUID(int=1)


def member(urn: int, joined: date, value: float = 30.0, n: int = 900, left: date | None = None) -> School:
    cells = {"ABS_PA": Cell(ValueState.OK, value, n, True), "ABS_OVERALL": Cell(ValueState.OK, value / 3, n, True)}
    return School(urn, f"School {urn}", True, (Membership(joined, left),), (), cells)


def contracted(urn: int, term: Term, value: float = 60.0) -> School:
    cells = {"ABS_PA": Cell(ValueState.OK, value, 700, True)}
    return School(urn, f"School {urn}", True, (), ((CONTRACT, term),), cells)


OLD = [member(100_001 + place, date(2015, 9, 1), 20.0 + place) for place in range(3)]
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


def test_progress_has_the_interval_of_the_national_spread() -> None:
    cells = {"KS4_P8": Cell(ValueState.OK, 0.1, 150, False)}
    schools = [School(100_001 + n, "S", True, (Membership(date(2015, 9, 1), None),), (), cells) for n in range(3)]
    _places, tables = performance(schools, KeyStage.KS4, 2023)
    pooled = tables[View.DFE].measures["KS4_P8"]
    assert pooled.high is not None
    assert pooled.high - 0.1 == pytest.approx(1.96 * 1.41628 / 450**0.5)


days = st.dates(date(2015, 1, 1), date(2026, 12, 31))


@given(joined=days, starts=days, length=st.integers(0, 1500), year=st.integers(2015, 2026))
def test_no_result_is_in_the_contracts_view_and_in_another(joined: date, starts: date, length: int, year: int) -> None:
    term = Term(starts, date.fromordinal(starts.toordinal() + length))
    both = School(1, "S", True, (Membership(joined, None),), ((CONTRACT, term),), {})
    places, tables = performance([both], KeyStage.KS4, year)
    assert len(places) == 1
    inside = {view for view, table in tables.items() if table.schools}
    assert View.CONTRACTS not in inside or inside == {View.CONTRACTS}
