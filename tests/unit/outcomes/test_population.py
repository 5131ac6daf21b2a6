from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.population import Results, Spells, contract_spells
from services.outcomes.rules.ringfence import Term
from tests.unit.outcomes.schools_alike import INTAKE, One, population, school

WINDOW = (date(2021, 9, 12), date(2024, 7, 31))
TREATED, OTHER = school(999_999, 35.0, 25.0), school(100_001, 30.0, 29.0)


def compared(other: One) -> bool:
    return bool(population([other, TREATED]).comparable(1, "77", WINDOW)[0])


def test_a_school_like_it_and_left_alone_is_comparable() -> None:
    assert compared(OTHER)


@pytest.mark.parametrize(
    "change",
    [
        {"open": False},
        {"mainstream": False},
        {"selective": True},
        {"trust": "77"},
        {"moves": (date(2022, 4, 1),)},
        {"moves": (WINDOW[0],)},
        {"moves": (WINDOW[1],)},
        {"contracts": (Term(date(2024, 7, 31), date(2026, 8, 31)),)},
        {"contracts": (Term(date(2020, 9, 1), date(2021, 9, 12)),)},
    ],
)
def test_others_are_not(change: dict[str, object]) -> None:
    assert not compared(replace(OTHER, **change))  # type: ignore[arg-type]


def test_a_school_is_not_compared_with_itself() -> None:
    assert not population([OTHER, TREATED]).comparable(1, "77", WINDOW)[1]


def test_what_happened_outside_the_years_compared_does_not_matter() -> None:
    contracts = (Term(date(2024, 8, 1), date(2026, 8, 31)), Term(date(2019, 9, 1), date(2021, 9, 11)))
    assert compared(replace(OTHER, moves=(date(2020, 1, 1), date(2024, 9, 1)), contracts=contracts, trust=None))


def test_spreads_are_those_of_open_mainstream_schools_with_a_value() -> None:
    sized = [replace(OTHER, urn=100_001 + at, intake=(*INTAKE[:4], size)) for at, size in enumerate((100.0, 300.0))]
    outside = replace(OTHER, urn=100_003, mainstream=False, intake=(*INTAKE[:4], 9000.0))
    unknown = replace(OTHER, urn=100_004, intake=(None, *INTAKE[1:4], 200.0))
    spreads = population([*sized, outside, unknown]).spreads
    assert spreads[0] == 0.0
    assert spreads[4] == pytest.approx(np.std([100.0, 300.0, 200.0]))
    assert population([outside]).spreads.tolist() == [0.0] * 5


values = st.lists(
    st.tuples(st.floats(0, 100), st.integers(0, 300), st.floats(0, 100), st.integers(0, 300)), min_size=1, max_size=8
)


@given(values)
def test_years_are_pooled_by_pupils_and_only_where_each_has_enough(rows: list[tuple[float, int, float, int]]) -> None:
    found = Results(
        (2021, 2022),
        np.array([[row[0] for row in rows], [row[2] for row in rows]]),
        np.array([[row[1] for row in rows], [row[3] for row in rows]], dtype=np.int64),
    )
    pooled, n = found.pooled((2021, 2022), 11)
    for at, (first, first_n, last, last_n) in enumerate(rows):
        if min(first_n, last_n) < 11:
            assert np.isnan(pooled[at])
        else:
            assert pooled[at] == pytest.approx((first * first_n + last * last_n) / (first_n + last_n))
            assert n[at] == first_n + last_n
    again, _n = found.pooled([2021, 2022], 11)
    assert again is pooled


@pytest.mark.parametrize("years", [(), (2019,), (2021, 2023)])
def test_a_year_that_nothing_is_known_of_leaves_nothing(years: tuple[int, ...]) -> None:
    found = Results((2021, 2022), np.ones((2, 3)), np.full((2, 3), 50))
    pooled, n = found.pooled(years, 11)
    assert np.isnan(pooled).all()
    assert n.tolist() == [0, 0, 0]


def test_terms_of_schools_that_are_not_here_are_nobodys() -> None:
    term = Term(date(2022, 9, 1), date(2024, 8, 31))
    spells = contract_spells({100_001: 0}, [(100_001, term), (100_002, term)])
    assert spells.touching(WINDOW).tolist() == [0]
    assert Spells.of([]).touching(WINDOW).tolist() == []


def test_what_one_contract_asked_is_no_other_contracts_answer() -> None:
    everyone = population([OTHER, TREATED, replace(OTHER, urn=999_998, trust="78")])
    first = everyone.comparable(1, "77", WINDOW).tolist()
    assert everyone.comparable(1, "78", WINDOW).tolist() == [True, False, False] != first
    assert everyone.comparable(1, "77", WINDOW).tolist() == first == [True, False, True]
    values = np.array([[1.0, 2.0], [4.0, np.nan]])
    found = Results((2021, 2022), values, np.full((2, 2), 50))
    for _ in range(2):
        np.testing.assert_equal(found.changed((2021,), (2022,), 11), [3.0, np.nan])
        np.testing.assert_equal(found.changed((2021,), (2021,), 11), [0.0, 0.0])
        assert found.known((2021,), (2022,), 11).tolist() == [True, False]
