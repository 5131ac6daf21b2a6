"""Cells found in the bytes of a file are those that the csv module reads, or the file is left to it."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.feeds import cells

PLACES = (0, 2, 1)
BYTES = st.lists(st.sampled_from([",", ",", '"', '""', '","', "\r\n", "\n", "\r", " ", "a", "é", "1"])).map("".join)
CELLS = st.text(st.sampled_from(',"aé '), max_size=4)
ROWS = st.lists(st.lists(CELLS, max_size=5), min_size=1)


def by_csv(text: str) -> list[list[str]] | None:
    """The rows as the csv module reads them; None where it does not."""
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return None


@given(text=BYTES, encoding=st.sampled_from(["utf-8", "cp1252"]))
def test_whatever_is_read_is_what_csv_reads(text: str, encoding: str) -> None:
    found = cells.picked(text.encode(encoding), encoding, PLACES)
    if found is not None:
        rows = by_csv(text)
        assert rows is not None
        assert found.columns == [[[*row, "", "", ""][place] for row in rows] for place in PLACES]
        assert found.widths == [len(row) for row in rows]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@given(rows=ROWS, piece=st.integers(60, 200), whole=st.booleans())
def test_what_csv_writes_is_read_without_it(
    quoting: int, ending: str, rows: list[list[str]], piece: int, whole: bool
) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=quoting, lineterminator=ending).writerows(rows)  # type: ignore[arg-type]
    text = file.getvalue() if whole else file.getvalue().removesuffix(ending)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cells, "PIECE", piece)
        found = cells.picked(text.encode("cp1252"), "cp1252", PLACES)
    written = [row for row in rows if row]
    assert found is not None
    assert found.columns == [[[*row, "", "", ""][place] for row in written] for place in PLACES]


@pytest.mark.parametrize("text", ['a"b"\n', '"a"b\n', ' "a"\n', '"a\nb"\n', '"a\r\nb"\n', '"a', "a\rb\n"])
def test_what_is_not_plain_is_left_to_csv(text: str) -> None:
    assert cells.picked(text.encode(), "utf-8", (0,)) is None


def test_a_line_that_does_not_end_is_left_to_csv() -> None:
    assert cells.picked(b"a" * (cells.PIECE + 1), "utf-8", (0,)) is None


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_whether_a_number_is_odd_is_told_across_words(flags: list[bool]) -> None:
    assert cells.odd(np.array(flags)).tolist() == [sum(flags[:at]) % 2 == 1 for at in range(1, len(flags) + 1)]
