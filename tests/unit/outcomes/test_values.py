"""A published cell is a number or a reason for its absence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.rules.values import Value, ValueState, parse_value

TOKENS = {
    "SUPP": "suppressed",
    "c": "suppressed",
    "LOWCOV": "low_coverage",
    "NE": "no_entries",
    "NP": "not_published",
    "NA": "not_applicable",
    "z": "not_applicable",
    "x": "unavailable",
    ":": "unavailable",
    "low": "rounds_to_zero",
    "k": "rounds_to_zero",
    "u": "low_reliability",
    "NEW": "missing",
    "DNS": "missing",
    "": "missing",
    ".": "missing",
    # Codes of the files themselves, beside those of the guide.
    "SUPPMAT": "suppressed",
    "RE": "suppressed",
    "SP": "rounds_to_zero",
    "NULL": "missing",
}
"""Every code and what it stands for, written out apart from the code."""
numbers = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", fullmatch=True)
spaces = st.sampled_from(["", " ", "  ", "\t", "\n", "\u00a0"])


@pytest.mark.parametrize("token", TOKENS)
def test_every_code_in_any_case_and_with_space_around_it(token: str) -> None:
    for raw in {token, token.lower(), token.upper(), token.title(), f" {token}", f"{token}\t ", f"\u00a0{token}\n"}:
        assert parse_value(raw) == Value(ValueState(TOKENS[token]), None, raw)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("45", "45"),
        ("45%", "45"),
        (" 45.5 % ", "45.5"),
        ("-0.43", "-0.43"),
        ("0", "0"),
        ("0%", "0"),
        ("100%", "100"),
        ("007", "7"),
        ("5.27385", "5.27385"),
        ("999999999999.999999999999", "999999999999.999999999999"),
    ],
)
def test_numbers_and_percentages_are_exact_and_keep_what_was_published(raw: str, number: str) -> None:
    assert parse_value(raw) == Value(ValueState.OK, Decimal(number), raw)


@pytest.mark.parametrize(
    "raw",
    [
        "1,234",
        "+5",
        "5.",
        ".5",
        "1e5",
        "nan",
        "inf",
        "-inf",
        "5%%",
        "%",
        "-",
        "--5",
        "1.2.3",
        "1 2",
        "45 pupils",
        "suppressed",
        "n/a",
        "supp%",
        "\u0663",
        "\uff11\uff12",
        "½",
        "0x10",
        "1_000",
        "1234567890123",
        "£5",
        "Not judged",
    ],
)
def test_what_is_neither_is_unreadable_and_never_guessed(raw: str) -> None:
    assert parse_value(raw) == Value(ValueState.UNREADABLE, None, raw)


@given(numbers, spaces, spaces, st.booleans())
def test_any_plain_decimal_is_read_exactly(text: str, before: str, after: str, percent: bool) -> None:
    raw = f"{before}{text}{'%' if percent else ''}{after}"
    assert parse_value(raw) == Value(ValueState.OK, Decimal(text), raw)


@given(st.text())
def test_any_text_is_a_number_exactly_when_it_is_ok(raw: str) -> None:
    value = parse_value(raw)
    assert value.raw == raw
    assert (value.number is None) is (value.state is not ValueState.OK)
    assert value.number is None or value.number.is_finite()


@given(st.sampled_from(sorted(TOKENS)), spaces, spaces, st.data())
def test_a_code_never_becomes_a_number(token: str, before: str, after: str, data: st.DataObject) -> None:
    letters = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in token)
    value = parse_value(before + letters + after)
    assert value.number is None
    assert value.state.value == TOKENS[token]


def test_missing_is_not_zero() -> None:
    zero, small, nothing = parse_value("0"), parse_value("low"), parse_value("")
    assert zero.number == 0
    assert {zero.state, small.state, nothing.state} == {
        ValueState.OK,
        ValueState.ROUNDS_TO_ZERO,
        ValueState.MISSING,
    }
