"""Which release counts."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.releases import (
    Reason,
    Settlement,
    Stage,
    Standing,
    Status,
    a_part,
    confirmed,
    lacking,
    mostly_rejected,
    much_smaller,
    outranks,
    repeats,
    settle,
)

DAY = date(2024, 1, 1)


def standing(number: int, stage: Stage = Stage.FINAL, days: int = 0, values: str | None = None) -> Standing:
    return Standing(UUID(int=number), stage, DAY + timedelta(days=days), number, values or f"values {number}")


releases = st.builds(
    standing, st.integers(1, 10_000), st.sampled_from(Stage), st.integers(0, 400), st.sampled_from(["a", "b", "c"])
)


def test_stages_are_in_order() -> None:
    assert [stage.rank for stage in (Stage.PROVISIONAL, Stage.REVISED, Stage.FINAL)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("new", "holder", "wins"),
    [
        (standing(1), None, True),
        (standing(2, Stage.REVISED, 0), standing(1, Stage.PROVISIONAL, 99), True),
        (standing(2, Stage.PROVISIONAL, 99), standing(1, Stage.REVISED, 0), False),
        (standing(2, Stage.FINAL, 1), standing(1, Stage.FINAL, 0), True),
        (standing(2, Stage.FINAL, 0), standing(1, Stage.FINAL, 1), False),
        (standing(2, Stage.FINAL, 0), standing(1, Stage.FINAL, 0), True),
    ],
)
def test_stage_before_day_before_arrival(new: Standing, holder: Standing | None, wins: bool) -> None:
    assert outranks(new, holder) is wins


@given(releases, releases)
def test_of_two_releases_exactly_one_counts(a: Standing, b: Standing) -> None:
    if a.number != b.number:
        assert outranks(a, b) is not outranks(b, a)


@given(st.lists(releases, min_size=1, max_size=5, unique_by=(lambda each: each.number, lambda each: each.values_hash)))
def test_what_counts_does_not_depend_on_the_order_of_reading(found: list[Standing]) -> None:
    for order in permutations(found):
        holders: dict[int, Standing] = {}
        for release in order:
            if settle(release, [2023], holders, []).years:
                holders[2023] = release
        assert holders[2023] == max(found, key=lambda each: each.rank)


@given(st.lists(releases, min_size=1, max_size=5, unique_by=lambda each: each.number), st.randoms())
def test_nor_does_it_where_values_are_published_again(found: list[Standing], order: Random) -> None:
    holder: Standing | None = None
    again: list[tuple[UUID, Standing]] = []
    settled: list[Standing] = []
    for release in order.sample(found, len(found)):
        holders = {2023: confirmed(holder, [each for of, each in again if of == holder.id])} if holder else {}
        become = settle(release, [2023], holders, settled)
        settled = sorted([*settled, release], key=lambda each: each.number)
        if become.years:
            holder = release
        elif become.same_values_as:
            again.append((become.same_values_as, release))
    first = max(found, key=lambda each: each.rank)
    assert holder is not None
    assert (holder.values_hash, holder.stage) == (first.values_hash, first.stage)


def test_values_are_as_new_as_their_last_publication_at_their_stage() -> None:
    holder = standing(1, Stage.REVISED, values="a")
    june, early = standing(3, Stage.REVISED, 160, "a"), standing(4, Stage.PROVISIONAL, 300, "a")
    now = confirmed(holder, [june, early])
    assert (now.id, now.stage, now.published_on, now.number) == (holder.id, Stage.REVISED, june.published_on, 3)
    assert settle(standing(5, Stage.REVISED, 60), [0], {0: now}, []).reason is Reason.OLDER_SNAPSHOT
    assert settle(standing(5, Stage.REVISED, 161), [0], {0: now}, []).years == (0,)
    assert confirmed(holder, []) == holder


@given(releases, releases)
def test_the_same_release_twice_changes_nothing(first: Standing, other: Standing) -> None:
    again = replace(first, id=UUID(int=99_999), number=99_999)
    expected = Settlement(Status.SUPERSEDED, Reason.SAME_VALUES, (), first.id)
    assert settle(again, [2023], {2023: first}, [first]) == expected
    if other.number != first.number:
        assert settle(again, [2023], {2023: other}, [first]) == expected


def test_the_same_values_at_a_later_stage_count() -> None:
    provisional = standing(1, Stage.PROVISIONAL, 0, "same")
    final = standing(2, Stage.FINAL, 9, "same")
    assert settle(final, [2023], {2023: provisional}, [provisional]) == Settlement(Status.CURRENT, None, (2023,))
    assert not repeats(final, provisional, twin_counts=True)
    assert repeats(provisional, final, twin_counts=False)


def test_values_that_come_back_count_again() -> None:
    january, february, march = (
        standing(1, values="a"),
        standing(2, days=31, values="b"),
        standing(3, days=60, values="a"),
    )
    assert settle(march, [0], {0: february}, [january]) == Settlement(Status.CURRENT, None, (0,))
    assert settle(march, [0], {0: january}, [january]).reason is Reason.SAME_VALUES


def test_each_year_of_a_file_is_decided_by_itself() -> None:
    new = standing(3, Stage.REVISED, 5)
    holders = {2021: standing(1, Stage.FINAL, 0), 2022: standing(2, Stage.REVISED, 0)}
    assert settle(new, [2023, 2022, 2021, 2022], holders, []).years == (2022, 2023)


def test_years_may_be_left_out_of_those_that_were_won() -> None:
    won = settle(standing(1), [2021, 2022, 2023], {}, [])
    assert won.without({}, Reason.MUCH_SMALLER) == won
    expected = Settlement(Status.CURRENT, Reason.MUCH_SMALLER, (2021, 2023))
    assert won.without({2022}, Reason.MUCH_SMALLER) == expected


def test_an_older_snapshot_that_arrives_late_does_not_count() -> None:
    found = settle(standing(2, days=0), [0], {0: standing(1, days=1)}, [])
    assert found == Settlement(Status.SUPERSEDED, Reason.OLDER_SNAPSHOT, ())


@pytest.mark.parametrize(
    ("rows", "ignored", "rejected", "broken"),
    [(10, 2, 8, True), (0, 0, 0, True), (10, 0, 9, False), (200, 0, 101, True), (200, 0, 100, False), (3, 3, 0, True)],
)
def test_a_file_that_is_mostly_rejected(rows: int, ignored: int, rejected: int, broken: bool) -> None:
    assert mostly_rejected(rows, ignored, rejected) is broken


@pytest.mark.parametrize(
    ("new", "present", "fragment"),
    [(59, 100, True), (60, 100, False), (1, 99, False), (500, 100, False), (0, 100, True)],
)
def test_a_fragment_of_a_file(new: int, present: int, fragment: bool) -> None:
    assert much_smaller(new, present) is fragment


def test_a_file_that_lacks_more_than_a_tenth_of_many_may_be_a_part() -> None:
    assert [a_part(*each) for each in ((11, 100), (10, 100), (98, 99), (0, 0))] == [True, False, False, False]


def test_measures_that_a_narrower_table_would_make_vanish() -> None:
    present = {"KS2_RWM_EXP": 100, "KS2_MAT_AVG": 99, "KS2_RWM_HIGH": 240, "KS2_MAT_PROG": 240}
    assert lacking({"KS2_MAT_PROG"}, present) == ["KS2_RWM_EXP", "KS2_RWM_HIGH"]
    assert lacking(present, present) == []
