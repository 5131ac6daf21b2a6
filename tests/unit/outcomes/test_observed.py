"""A school observed under several URNs: the life that has a figure speaks for it, else the present one."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from services.outcomes.observed import OK, UNSEEN, counting_lives, under_one
from services.outcomes.registers import Register

BLANK = OK + 1
SCHOOLS = cast(Register, SimpleNamespace(urns=np.array([150, 160, 170]), places=np.array([0, 1, 0, 1, 2])))
"""Lives 0 and 1 are earlier ones of schools 0 and 1, lives 2 to 4 the present ones."""


def told(states: list[int], origins: list[int]) -> list[Any]:
    lives = counting_lives(SCHOOLS, np.array([origins]), np.array([states], dtype=np.uint8))
    return list(lives[0].tolist())


def test_of_two_urns_the_one_with_a_value_counts() -> None:
    assert told([OK, OK, BLANK, OK, BLANK], [0, 0, 0, 0, 0]) == [0, 3, 4]


def test_without_a_value_the_present_urn_says_why() -> None:
    assert told([BLANK, BLANK, BLANK, OK, OK], [0, 0, 0, UNSEEN, UNSEEN]) == [2, 1, UNSEEN]


def test_what_was_observed_of_the_lives_becomes_that_of_their_schools() -> None:
    lives = np.array([[0, 3, UNSEEN]])
    assert under_one(lives, np.array([[7.0, 8.0, 9.0, 10.0, 11.0]]), np.nan).tolist()[0][:2] == [7.0, 10.0]
    assert np.isnan(under_one(lives, np.array([[7.0, 8.0, 9.0, 10.0, 11.0]]), np.nan)[0, 2])
    assert under_one(lives, np.array([[1, 2, 3, 4, 5]]), UNSEEN).tolist() == [[1, 4, UNSEEN]]
    assert under_one(np.full((2, 3), UNSEEN), np.empty((2, 0)), 0).tolist() == [[0, 0, 0], [0, 0, 0]]
