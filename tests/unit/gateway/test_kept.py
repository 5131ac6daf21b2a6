"""Answers that are kept: whose they are, which, how many, and for how long."""

from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import kept
from services.gateway.kept import AROUND, LARGEST, Kept

TAGGED = {"etag": '"1"', "cache-control": "private, no-cache"}
ROOM = 10 * (AROUND + 100)


def test_what_was_kept_is_found_by_the_same_asker_only() -> None:
    answers = Kept(ROOM)
    answers.keep(("one", "/a"), b"body", TAGGED)
    found = answers.find(("one", "/a"))
    assert found is not None
    assert (found.tag, found.body, found.headers) == ('"1"', b"body", TAGGED)
    assert answers.find(("other", "/a")) is None
    assert answers.find(("one", "/b")) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"etag": '"1"'},
        {"etag": '"1"', "cache-control": "no-store"},
        {"etag": '"1"', "cache-control": "private, No-Store"},
        {"etag": 'W/"1"', "cache-control": "private, no-cache"},
        {"cache-control": "private, no-cache"},
    ],
)
def test_what_may_not_be_kept_or_has_no_strong_tag_is_not_and_takes_the_place_of_what_was(
    headers: dict[str, str],
) -> None:
    answers = Kept(ROOM)
    answers.keep("asked", b"before", TAGGED)
    answers.keep("asked", b"now", headers)
    assert answers.find("asked") is None
    assert answers.taken == 0


def test_a_long_answer_is_not_kept() -> None:
    answers = Kept(2**30)
    answers.keep("asked", bytes(LARGEST), TAGGED)
    assert answers.find("asked")
    answers.keep("asked", bytes(LARGEST + 1), TAGGED)
    assert answers.find("asked") is None


def test_without_room_nothing_is_kept() -> None:
    answers = Kept(0)
    answers.keep("asked", b"", TAGGED)
    assert answers.find("asked") is None


def test_an_answer_is_kept_for_a_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Kept(ROOM)
    monkeypatch.setattr(kept, "AGE", -1.0)
    answers.keep("asked", b"body", TAGGED)
    assert answers.find("asked") is None


def test_those_not_asked_for_longest_make_room() -> None:
    answers = Kept(3 * (AROUND + 1))
    for name in "abc":
        answers.keep(name, name.encode(), TAGGED)
    answers.find("a")
    answers.keep("d", b"d", TAGGED)
    assert [name for name in "abcd" if answers.find(name)] == ["a", "c", "d"]


asked = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.integers(0, 3_000), st.booleans()))


@given(steps=asked)
def test_the_room_is_never_overstepped_and_what_is_found_was_kept_last(steps: list[tuple[str, int, bool]]) -> None:
    answers, last = Kept(ROOM), dict[Hashable, bytes]()
    for number, (name, size, tagged) in enumerate(steps):
        last[name] = f"{number} ".encode() + bytes(size)
        answers.keep(name, last[name], TAGGED if tagged else {})
        assert answers.taken == sum(len(each.body) + AROUND for each in answers.answers.values()) <= ROOM
        found = answers.find(name)
        assert (found is not None) == tagged
        assert all(each.body == last[known] for known, each in answers.answers.items())
