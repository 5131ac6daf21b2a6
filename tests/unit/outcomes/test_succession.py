"""Who came before and after whom."""

from datetime import date

import pytest

from services.outcomes.rules.succession import (
    Life,
    Side,
    conversions,
    first_lives,
    linked_side,
    opposite,
    resolved,
    united,
)

OPEN, CLOSED = Life(False, None, None), Life(True, None, None)
EARLY, LATE = date(2014, 8, 31), date(2020, 8, 31)


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        ("Predecessor", Side.PREDECESSOR),
        ("Predecessor - merged", Side.PREDECESSOR),
        ("Predecessor - amalgamated", Side.PREDECESSOR),
        ("Predecessor - Split School", Side.PREDECESSOR),
        ("Successor", Side.SUCCESSOR),
        ("Successor - merged", Side.SUCCESSOR),
        ("Successor - Split School", Side.SUCCESSOR),
        ("Result of Amalgamation", Side.EITHER),
        ("Sixth Form Centre Link", Side.NEITHER),
        ("Sixth Form Centre School", Side.NEITHER),
        ("Expansion", Side.NEITHER),
        ("Merged - expansion of school capacity", Side.NEITHER),
        ("Merged - change in age range", Side.NEITHER),
        ("Closure", Side.NEITHER),
        ("Other", Side.NEITHER),
    ],
)
def test_kinds_of_links(kind: str, side: Side) -> None:
    assert linked_side(kind) is side


def test_the_other_side_sees_the_opposite() -> None:
    assert [opposite(side) for side in Side] == [Side.SUCCESSOR, Side.PREDECESSOR, Side.EITHER, Side.NEITHER]


@pytest.mark.parametrize(
    ("this", "other", "side"),
    [
        (OPEN, CLOSED, Side.PREDECESSOR),
        (CLOSED, OPEN, Side.SUCCESSOR),
        (Life(True, None, LATE), Life(True, None, EARLY), Side.PREDECESSOR),
        (Life(True, None, EARLY), Life(True, None, LATE), Side.SUCCESSOR),
        (Life(False, LATE, None), Life(False, EARLY, None), Side.PREDECESSOR),
        (Life(False, EARLY, None), Life(False, LATE, None), Side.SUCCESSOR),
        (OPEN, OPEN, Side.NEITHER),
    ],
)
def test_an_amalgamation_goes_from_what_closed_first(this: Life, other: Life, side: Side) -> None:
    assert resolved(Side.EITHER, this, other) is side
    assert resolved(Side.SUCCESSOR, this, other) is Side.SUCCESSOR


def test_only_one_after_one_is_a_conversion() -> None:
    merger, split, plain = [(1, 9), (2, 9)], [(3, 7), (3, 8)], [(4, 5), (4, 5), (5, 6)]
    assert conversions([*merger, *split, *plain]) == {5: 4, 6: 5}


def test_a_school_is_followed_to_its_first_life() -> None:
    converted = {2: 1, 3: 2, 6: 5, 8: 9, 9: 8}
    assert first_lives({3}, converted, {2: None}) == {3: 2}
    assert first_lives({2, 3}, converted, {1: None}) == {2: 1, 3: 1}
    assert first_lives({1, 2, 3}, converted, {}) == {1: 1, 2: 1, 3: 1}
    assert first_lives({6}, converted, {}) == {6: 6}
    assert first_lives({8, 9}, converted, {}) == {8: 8, 9: 8}


def test_lives_that_turn_out_to_be_of_one_school_go_by_its_first() -> None:
    schools = {1: "a", 2: "b", 3: "c", 4: "d"}
    assert united(schools, {2: 1, 3: 2}) == {2: "a", 3: "a"}
    assert united(schools, {3: 2, 2: 9}) == {3: "b"}
    assert united({1: "a", 2: "a"}, {2: 1}) == {}
    assert united(schools, {}) == {}
    assert united(schools, {2: 1, 1: 2}) == {2: "a"}
    assert united({1: "a", 2: "a"}, {2: 1, 1: 2}) == {}
