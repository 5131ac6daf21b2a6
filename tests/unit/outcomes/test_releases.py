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
    REFERENCE,
    Part,
    Reason,
    Settlement,
    Stage,
    Standing,
    Status,
    a_part,
    confirmed,
    mostly_rejected,
    much_smaller,
    outranks,
    repeats,
    settle,
)

DAY = date(2024, 1, 1)
OF_2023 = Part(2023, "KS2_RWM_EXP")


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
        holders: dict[Part, Standing] = {}
        for release in order:
            if settle(release, [OF_2023], holders, []).parts:
                holders[OF_2023] = release
        assert holders[OF_2023] == max(found, key=lambda each: each.rank)


@given(st.lists(releases, min_size=1, max_size=5, unique_by=lambda each: each.number), st.randoms())
def test_nor_does_it_where_values_are_published_again(found: list[Standing], order: Random) -> None:
    holder: UUID | None = None
    settled: dict[UUID, Standing] = {}
    for release in order.sample(found, len(found)):
        twins = sorted(settled.values(), key=lambda each: each.number)
        become = settle(release, [OF_2023], {OF_2023: settled[holder]} if holder else {}, twins)
        settled[release.id] = release
        if become.parts:
            holder = release.id
        elif become.same_values_as:
            settled[become.same_values_as] = confirmed(settled[become.same_values_as], release)
    first = max(found, key=lambda each: each.rank)
    assert holder is not None
    assert (settled[holder].values_hash, settled[holder].stage) == (first.values_hash, first.stage)


def test_values_are_as_new_as_their_last_publication_at_their_stage() -> None:
    holder = standing(1, Stage.REVISED, values="a")
    june, early = standing(3, Stage.REVISED, 160, "a"), standing(4, Stage.PROVISIONAL, 300, "a")
    now = confirmed(confirmed(holder, june), early)
    assert now == replace(holder, published_on=june.published_on)
    assert confirmed(june, holder) == june
    assert settle(standing(5, Stage.REVISED, 60), [REFERENCE], {REFERENCE: now}, []).reason is Reason.OLDER_SNAPSHOT
    assert settle(standing(5, Stage.REVISED, 161), [REFERENCE], {REFERENCE: now}, []).parts == (REFERENCE,)


@given(releases, releases)
def test_the_same_release_twice_changes_nothing(first: Standing, other: Standing) -> None:
    again = replace(first, id=UUID(int=99_999), number=99_999)
    expected = Settlement(Status.SUPERSEDED, Reason.SAME_VALUES, (), first.id)
    assert settle(again, [OF_2023], {OF_2023: first}, [first]) == expected
    if other.number != first.number:
        assert settle(again, [OF_2023], {OF_2023: other}, [first]) == expected


def test_the_same_values_at_a_later_stage_count() -> None:
    provisional = standing(1, Stage.PROVISIONAL, 0, "same")
    final = standing(2, Stage.FINAL, 9, "same")
    assert settle(final, [OF_2023], {OF_2023: provisional}, [provisional]) == Settlement(
        Status.CURRENT, None, (OF_2023,)
    )
    assert not repeats(final, provisional, twin_counts=True)
    assert repeats(provisional, final, twin_counts=False)


def test_values_that_come_back_count_again() -> None:
    january, february, march = (
        standing(1, values="a"),
        standing(2, days=31, values="b"),
        standing(3, days=60, values="a"),
    )
    assert settle(march, [REFERENCE], {REFERENCE: february}, [january]) == Settlement(
        Status.CURRENT, None, (REFERENCE,)
    )
    assert settle(march, [REFERENCE], {REFERENCE: january}, [january]).reason is Reason.SAME_VALUES


def test_each_year_and_measure_of_a_file_is_decided_by_itself() -> None:
    new = standing(3, Stage.REVISED, 5)
    holders = {Part(2021, "a"): standing(1, Stage.FINAL, 0), Part(2022, "a"): standing(2, Stage.REVISED, 0)}
    won = settle(new, [Part(year, "a") for year in (2023, 2022, 2021, 2022)], holders, [])
    assert (won.parts, won.years) == ((Part(2022, "a"), Part(2023, "a")), (2022, 2023))
    fuller_but_older = settle(standing(4, Stage.REVISED, -9), [Part(2022, "a"), Part(2022, "b")], holders, [])
    assert fuller_but_older.parts == (Part(2022, "b"),)


def test_years_may_be_left_out_of_those_that_were_won() -> None:
    parts = [Part(2021, "a"), Part(2022, "a"), Part(2022, "b"), Part(2023, "b")]
    won = settle(standing(1), parts, {}, [])
    assert won.without({}, Reason.MUCH_SMALLER) == won
    expected = Settlement(Status.CURRENT, Reason.MUCH_SMALLER, (parts[0], parts[3]))
    assert won.without({2022}, Reason.MUCH_SMALLER) == expected


def test_an_older_snapshot_that_arrives_late_does_not_count() -> None:
    found = settle(standing(2, days=0), [REFERENCE], {REFERENCE: standing(1, days=1)}, [])
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
