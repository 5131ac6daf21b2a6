"""How much a supplier carries at once, and when that is too much."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.capacity import (
    Capacity,
    CapacityExceeded,
    Commitment,
    Load,
    PupilsUnknown,
    Term,
    obstacles,
    peak,
)

FIRST = date(2023, 9, 1)
YEAR = Term(FIRST, date(2024, 8, 31))
days = st.integers(0, 40).map(lambda number: FIRST + timedelta(days=number))
terms = st.tuples(days, days).map(lambda pair: Term(min(pair), max(pair)))
commitments = st.lists(st.builds(Commitment, terms, st.none() | st.integers(0, 2000)), max_size=8)
ROOM = Capacity(3, 2000)


def over(starts_on: date, ends_on: date, pupils: int | None = 500) -> Commitment:
    return Commitment(Term(starts_on, ends_on), pupils)


def brute(held: list[Commitment], term: Term) -> Load:
    """Day by day, with nothing clever."""
    every = [term.starts_on + timedelta(days=number) for number in range((term.ends_on - term.starts_on).days + 1)]
    busy = [[each for each in held if each.term.starts_on <= day <= each.term.ends_on] for day in every]
    known = all(each.pupils is not None for on_day in busy for each in on_day)
    pupils = max(sum(each.pupils or 0 for each in on_day) for on_day in busy) if known else None
    return Load(max(len(on_day) for on_day in busy), pupils)


@given(commitments, terms)
def test_the_fullest_day_is_the_fullest_of_all_days(held: list[Commitment], term: Term) -> None:
    assert peak(held, term) == brute(held, term)


def test_nothing_is_carried_where_there_is_nothing() -> None:
    assert peak([], YEAR) == Load(0, 0)


def test_contracts_that_follow_each_other_are_not_carried_at_once() -> None:
    before, after = over(date(2022, 9, 1), date(2024, 2, 29)), over(date(2024, 3, 1), date(2025, 8, 31))
    assert peak([before, after], YEAR) == Load(1, 500)
    assert peak([before, over(date(2024, 2, 29), date(2025, 8, 31))], YEAR) == Load(2, 1000)


def test_days_outside_the_term_do_not_count() -> None:
    before, after = over(date(2022, 9, 1), date(2023, 8, 31)), over(date(2024, 9, 1), date(2025, 8, 31), None)
    assert peak([before, after], YEAR) == Load(0, 0)


def test_most_contracts_and_most_pupils_may_be_on_different_days() -> None:
    small = [over(FIRST, date(2023, 12, 31), 100), over(FIRST, date(2023, 12, 31), 100)]
    assert peak([*small, over(date(2024, 1, 1), date(2024, 8, 31), 900)], YEAR) == Load(2, 900)


def test_there_is_room_up_to_the_very_last_contract_and_pupil() -> None:
    held = [over(FIRST, date(2024, 8, 31)), over(FIRST, date(2024, 8, 31))]
    assert obstacles(ROOM, held, YEAR, 1000) == []
    (one,) = obstacles(ROOM, held, YEAR, 1001)
    assert isinstance(one, CapacityExceeded)
    assert (one.status, one.code) == (409, "capacity_exceeded")
    assert one.extensions == {
        "contracts_committed": 2,
        "max_contracts": 3,
        "pupils_committed": 1000,
        "max_pupils": 2000,
        "pupils": 1001,
    }
    assert "1,000 of at most 2,000 pupils" in one.detail


def test_one_contract_too_many_is_said_before_anything_about_pupils() -> None:
    held = [over(FIRST, FIRST, None) for _ in range(3)]
    (one,) = obstacles(ROOM, held, YEAR, None)
    assert isinstance(one, CapacityExceeded)
    assert "3 of at most 3 contracts" in one.detail


def test_a_supplier_with_no_capacity_at_all_takes_nothing() -> None:
    assert isinstance(obstacles(Capacity(0, 2000), [], YEAR, 1)[0], CapacityExceeded)
    assert isinstance(obstacles(Capacity(1, 0), [], YEAR, 1)[0], CapacityExceeded)
    assert obstacles(Capacity(1, 0), [], YEAR, 0) == []


@pytest.mark.parametrize(
    ("held", "pupils", "words"),
    [
        ([], None, "how many pupils the school has"),
        ([over(FIRST, FIRST, None)], 1, "one of its schools has no number"),
    ],
)
def test_an_unknown_number_of_pupils_is_never_zero(held: list[Commitment], pupils: int | None, words: str) -> None:
    (one,) = obstacles(ROOM, held, YEAR, pupils)
    assert isinstance(one, PupilsUnknown)
    assert (one.status, one.code) == (409, "pupils_unknown")
    assert words in one.detail


@given(commitments, terms, st.integers(0, 2000), st.integers(0, 4), st.integers(0, 5000))
def test_what_is_let_through_never_exceeds_what_was_declared(
    held: list[Commitment], term: Term, pupils: int, most: int, most_pupils: int
) -> None:
    if obstacles(Capacity(most, most_pupils), held, term, pupils):
        return
    load = brute([*held, Commitment(term, pupils)], term)
    assert load.contracts <= most
    assert load.pupils is not None
    assert load.pupils <= most_pupils
