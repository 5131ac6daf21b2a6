"""What a suspension stops, and what follows from it."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.life import NotTheirMove, Role
from services.contracts.rules.suspension import (
    Dates,
    NothingStops,
    NothingWaits,
    Stops,
    check_resolution,
    check_stops,
    fence_breaks,
    last_day,
    resumed,
    worked_until,
)

START, END, LATEST = date(2023, 9, 1), date(2025, 8, 31), date(2026, 8, 31)
days = st.dates(START, LATEST)


def test_a_suspension_stops_something() -> None:
    for each in product((False, True), repeat=4):
        if any(each):
            check_stops(Stops(*each))
        else:
            with pytest.raises(NothingStops) as refused:
                check_stops(Stops(*each))
            assert refused.value.status == 422


def test_ten_days_of_rest_move_what_lies_ahead_by_ten_days() -> None:
    due = {"past": date(2023, 10, 1), "ahead": date(2024, 3, 1)}
    found = resumed(Dates(END, due), date(2024, 1, 1), date(2024, 1, 11), LATEST)
    assert found == Dates(date(2025, 9, 10), {"past": date(2023, 10, 1), "ahead": date(2024, 3, 11)})


def test_the_latest_possible_end_holds_everything() -> None:
    found = resumed(Dates(END, {"last": END}), date(2024, 1, 1), date(2025, 8, 1), date(2025, 9, 30))
    assert found == Dates(date(2025, 9, 30), {"last": date(2025, 9, 30)})


@given(since=days, rest=st.integers(0, 900), latest=st.dates(END, LATEST), due=st.dictionaries(st.text(), days))
def test_rest_moves_nothing_back_and_nothing_past_the_latest_end(
    since: date, rest: int, latest: date, due: dict[str, date]
) -> None:
    known = {code: min(day, END) for code, day in due.items()}
    found = resumed(Dates(END, known), since, since + timedelta(days=rest), latest)
    assert END <= found.ends_on <= latest
    for code, day in known.items():
        assert day <= found.due[code] <= found.ends_on
        assert day >= since or found.due[code] == day


def test_a_stopped_clock_runs_to_the_latest_end() -> None:
    assert last_day(END, LATEST, clock_stopped=True) == LATEST
    assert last_day(END, LATEST, clock_stopped=False) == END


def test_breaks_of_the_ring_fence() -> None:
    past = [(date(2024, 1, 1), date(2024, 2, 1))]
    assert fence_breaks([], None, fence_stopped=False) == []
    assert fence_breaks(past, date(2024, 5, 1), fence_stopped=False) == past
    assert fence_breaks(past, date(2024, 5, 1), fence_stopped=True) == [*past, (date(2024, 5, 1), None)]


def test_payments_that_were_stopped_at_the_end_are_for_the_commissioner_to_decide() -> None:
    for role, ended, stopped in product(Role, (False, True), (False, True)):
        if role is Role.COMMISSIONER and ended and stopped:
            check_resolution(role, ended=ended, stopped=stopped)
            continue
        refusal = NothingWaits if role is Role.COMMISSIONER else NotTheirMove
        with pytest.raises(refusal) as refused:
            check_resolution(role, ended=ended, stopped=stopped)
        assert refused.value.status == (409 if refusal is NothingWaits else 403)


def test_a_fee_is_earned_until_the_eve_of_a_suspension_that_outlives_the_contract() -> None:
    assert worked_until(date(2024, 1, 1), END) == date(2023, 12, 31)
    assert worked_until(date(2025, 9, 1), END) == END
