"""Academic years on the wire and inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.years import BadAcademicYear, academic_year_from, academic_year_text


@given(st.integers(1980, 2099))
def test_there_and_back(year: int) -> None:
    assert academic_year_from(academic_year_text(year)) == year


@pytest.mark.parametrize(("text", "year"), [("2023/24", 2023), ("1999/00", 1999), ("2099/00", 2099), ("2009/10", 2009)])
def test_written_years(text: str, year: int) -> None:
    assert academic_year_from(text) == year


@pytest.mark.parametrize(
    "text", ["2023/25", "2023/23", "2023", "2023-24", "2023/2024", " 2023/24", "2023/24\n", "٢٠٢٣/٢٤", "1979/80", ""]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadAcademicYear) as refused:
        academic_year_from(text)
    assert refused.value.status == 422
    assert refused.value.extensions["errors"][0]["pointer"] == "/academic_year"


@given(st.text(max_size=12))
def test_no_text_gives_another_year_than_it_says(text: str) -> None:
    try:
        year = academic_year_from(text)
    except BadAcademicYear:
        return
    assert academic_year_text(year) == text
