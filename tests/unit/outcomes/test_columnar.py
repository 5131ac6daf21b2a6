"""Records kept as columns."""

from typing import NamedTuple

from services.outcomes.rules.columnar import Once, Records, column


class Pair(NamedTuple):
    """A record."""

    key: int
    name: str


def test_records_in_columns_are_records() -> None:
    pairs = [Pair(1, "a"), Pair(2, "b"), Pair(3, "c")]
    records = Records[Pair](Pair, ([1, 2, 3], ("a", "b", "c")))
    assert list(records) == pairs
    assert (len(records), records[1], records[-1]) == (3, pairs[1], pairs[2])
    assert records == pairs
    assert records[1:] == pairs[1:]
    assert records != pairs[1:]
    assert records != 7
    assert len(Records[Pair](Pair, [])) == 0
    assert column(records, "name") == ("a", "b", "c")
    assert column(pairs, "name") == ["a", "b", "c"]


def test_each_different_value_is_worked_on_once() -> None:
    asked: list[int] = []

    def double(value: int) -> int:
        asked.append(value)
        return 2 * value

    assert list(map(Once(double).__getitem__, [1, 2, 1, 1])) == [2, 4, 2, 2]
    assert asked == [1, 2]
