"""Time, identifiers and canonical JSON."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.types import (
    Kind,
    canonical_json,
    day_after,
    london_date,
    plain,
    real_now,
    start_of_day,
    utc_now,
)

days = st.dates(date(1900, 1, 1), date(2199, 12, 30))
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


class Colour(StrEnum):
    RED = "red"


def turned(value: object) -> object:
    if isinstance(value, dict):
        return {key: turned(item) for key, item in reversed(value.items())}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(days)
def test_a_day_in_london_begins_and_ends_at_its_midnights(day: date) -> None:
    start, end = start_of_day(day), start_of_day(day_after(day))
    assert start.tzinfo is UTC
    assert london_date(start) == day
    assert london_date(start - timedelta(microseconds=1)) == day - timedelta(days=1)
    assert london_date(end - timedelta(microseconds=1)) == day


@pytest.mark.parametrize(
    ("day", "hour", "length"),
    [
        (date(2024, 1, 15), 0, 24),
        (date(2024, 3, 31), 0, 23),
        (date(2024, 4, 1), 23, 24),
        (date(2024, 7, 1), 23, 24),
        (date(2024, 10, 27), 23, 25),
        (date(2024, 10, 28), 0, 24),
    ],
)
def test_days_on_which_the_clocks_change(day: date, hour: int, length: int) -> None:
    start = start_of_day(day)
    assert start.hour == hour
    assert start_of_day(day_after(day)) - start == timedelta(hours=length)


def test_the_date_in_london_is_not_the_date_in_utc() -> None:
    assert london_date(datetime(2019, 8, 31, 23, 30, tzinfo=UTC)) == date(2019, 9, 1)
    assert london_date(datetime(2019, 1, 31, 23, 30, tzinfo=UTC)) == date(2019, 1, 31)
    assert london_date(datetime(2019, 9, 1, 3, 0, tzinfo=timezone(timedelta(hours=5)))) == date(2019, 8, 31)


def test_the_day_after_knows_leap_years() -> None:
    assert day_after(date(2024, 2, 28)) == date(2024, 2, 29)
    assert day_after(date(2023, 12, 31)) == date(2024, 1, 1)


def test_the_clock_is_in_utc_and_can_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGFENCE_NOW", raising=False)
    before = datetime.now(UTC)
    assert before <= utc_now() <= datetime.now(UTC)
    for moved, instant in {
        "2023-06-20T09:00:00": datetime(2023, 6, 20, 8, tzinfo=UTC),
        "2023-01-20T09:00:00": datetime(2023, 1, 20, 9, tzinfo=UTC),
        "2023-06-20T09:00:00+05:00": datetime(2023, 6, 20, 4, tzinfo=UTC),
        "2023-06-20T09:00:00Z": datetime(2023, 6, 20, 9, tzinfo=UTC),
    }.items():
        monkeypatch.setenv("RINGFENCE_NOW", moved)
        assert utc_now() == instant
        assert utc_now().tzinfo is UTC
        assert real_now() >= before
    monkeypatch.setenv("RINGFENCE_NOW", "yesterday")
    with pytest.raises(ValueError, match="yesterday"):
        utc_now()


def test_values_as_json_carries_them() -> None:
    identity = UUID(int=7)
    assert plain({date(2024, 1, 2): (Colour.RED, identity)}) == {"2024-01-02": ["red", str(identity)]}
    assert plain(Decimal("0.40")) == 0.4
    assert plain([None, True, 3, "x"]) == [None, True, 3, "x"]
    assert plain({Kind.DFE: {1}, "x": frozenset({2})}) == {"dfe": [1], "x": [2]}
    assert plain(datetime(2024, 7, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == "2024-07-01T00:00:00Z"


@given(values)
def test_canonical_json_is_one_form_whatever_the_order_of_keys(value: object) -> None:
    data = canonical_json(value)
    assert canonical_json(turned(value)) == data
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


@given(values, values)
def test_canonical_json_tells_values_apart(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical_json(one) == canonical_json(other)) is same


def test_canonical_json_is_compact_utf8() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_what_is_no_number_has_no_json(number: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"value": number})
