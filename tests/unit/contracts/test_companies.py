"""Numbers of companies in their one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.rules.companies import company_number


@pytest.mark.parametrize(
    ("given_as", "number"),
    [
        ("2718", "00002718"),
        ("07525820", "07525820"),
        ("sc12", "SC000012"),
        ("SC000012", "SC000012"),
        ("0000sc12", "SC000012"),
        ("R12", "R0000012"),
        ("IP12345R", "IP12345R"),
        (" oc 301 540 ", "OC301540"),
        ("", None),
        ("  ", None),
        ("00000000", None),
        (None, None),
    ],
)
def test_zeros_come_back_and_prefixes_are_capitals(given_as: str | None, number: str | None) -> None:
    assert company_number(given_as) == number


@given(st.sampled_from(["", "SC", "NI", "OC", "R"]), st.integers(1, 999_999), st.integers(0, 3), st.booleans())
def test_however_a_number_is_written_it_is_the_same_number(prefix: str, digits: int, zeros: int, small: bool) -> None:
    whole = company_number(f"{prefix}{digits}")
    assert whole is not None
    assert len(whole) == 8
    assert company_number(whole) == whole
    bare = prefix.lower() if small else prefix
    assert company_number("0" * zeros + bare + "0" * zeros + str(digits)) == whole
