"""What records say, whatever their order and however their cells were written."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.releases import Stage
from services.outcomes.rules.statements import lines, names_of, text, texts, values_hash

DAY = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Cell:
    urn: int
    number: Decimal | None
    name: str | None = None
    on: date | None = None


class Named(NamedTuple):
    urn: int
    name: str


def hashed(*cells: Cell) -> str:
    return values_hash(lines(cells, names_of(cells[0])) if cells else [])


@given(st.permutations([Cell(1, Decimal("4.5")), Cell(2, None, "SUPP"), Cell(3, None, "", DAY)]))
def test_the_hash_knows_no_order(cells: list[Cell]) -> None:
    assert hashed(*cells) == hashed(*sorted(cells, key=lambda cell: cell.urn))


def test_equal_values_say_the_same_and_others_do_not() -> None:
    assert hashed(Cell(1, Decimal("45"))) == hashed(Cell(1, Decimal("45.0")))
    assert hashed(Cell(1, Decimal("45"))) != hashed(Cell(1, Decimal("46")))
    assert hashed(Cell(1, None)) != hashed(Cell(1, Decimal(0)))
    assert hashed() != hashed(Cell(1, None))
    assert hashed(Cell(1, None)) != hashed(Cell(1, None), Cell(1, None))
    assert hashed(Cell(1, None, "a"), Cell(2, None, "b")) != hashed(Cell(1, None, "b"), Cell(2, None, "a"))
    assert len(hashed()) == len(hashed(Cell(1, None))) == 64


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, r"\N"),
        ("", ""),
        (r"\N", r"\\N"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        (Decimal("10.00"), "10"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+3"), "1000"),
        (DAY, "2024-01-01"),
        (Stage.FINAL, "final"),
        (7, "7"),
        (True, "True"),
    ],
)
def test_a_value_is_written_one_way(value: object, written: str) -> None:
    assert text(value) == written


@pytest.mark.parametrize("kind", [st.integers(), st.text(), st.text("ab"), st.decimals(allow_nan=False), st.dates()])
@pytest.mark.parametrize("missing", [False, True])
@given(data=st.data())
def test_a_column_is_written_as_its_values_are(
    kind: st.SearchStrategy[object], missing: bool, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.none() | kind if missing else kind))
    assert texts(values) == [text(each) for each in values]


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_no_two_records_are_the_same_line(pairs: list[tuple[str, str]]) -> None:
    first, second = ("\t".join(text(each) for each in pair) for pair in pairs)
    assert first != second
    assert "\n" not in first


def test_records_of_either_kind_name_their_fields() -> None:
    assert names_of(Named(1, "a")) == ("urn", "name")
    assert names_of(Cell(1, None)) == ("urn", "number", "name", "on")
    assert lines([Named(1, "a"), Named(2, "a")], ("urn", "name")) == ["1\ta", "2\ta"]
    assert lines([], ("urn",)) == []
