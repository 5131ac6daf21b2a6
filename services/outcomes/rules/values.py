"""A published cell is a number or a reason for its absence, never a silent zero."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class ValueState(StrEnum):
    """Why a cell holds a number, or why it does not (METHOD.md 1.3)."""

    OK = "ok"
    SUPPRESSED = "suppressed"
    LOW_COVERAGE = "low_coverage"
    NO_ENTRIES = "no_entries"
    NOT_PUBLISHED = "not_published"
    NOT_APPLICABLE = "not_applicable"
    UNAVAILABLE = "unavailable"
    ROUNDS_TO_ZERO = "rounds_to_zero"
    LOW_RELIABILITY = "low_reliability"
    NOT_PRODUCED = "not_produced"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Value:
    """One cell: `number` is set exactly when `state` is OK; `raw` is the cell as published."""

    state: ValueState
    number: Decimal | None
    raw: str


CODES: dict[str, ValueState] = {
    "supp": ValueState.SUPPRESSED,
    "suppmat": ValueState.SUPPRESSED,
    "re": ValueState.SUPPRESSED,
    "c": ValueState.SUPPRESSED,
    "lowcov": ValueState.LOW_COVERAGE,
    "ne": ValueState.NO_ENTRIES,
    "np": ValueState.NOT_PUBLISHED,
    "na": ValueState.NOT_APPLICABLE,
    "z": ValueState.NOT_APPLICABLE,
    "x": ValueState.UNAVAILABLE,
    ":": ValueState.UNAVAILABLE,
    "low": ValueState.ROUNDS_TO_ZERO,
    "k": ValueState.ROUNDS_TO_ZERO,
    "sp": ValueState.ROUNDS_TO_ZERO,
    "u": ValueState.LOW_RELIABILITY,
    "new": ValueState.MISSING,
    "dns": ValueState.MISSING,
    "null": ValueState.MISSING,
    ".": ValueState.MISSING,
    "": ValueState.MISSING,
}
"""Codes of the performance tables, the census, Explore Education Statistics and Ofsted, in lower case."""

NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,18})?")


def parse_value(raw: str) -> Value:
    """Read one published cell.

    Codes are recognised in any case and with surrounding space; a percent sign is dropped. What is neither a
    code nor a plain decimal number is UNREADABLE, for the feed to reject by name.

    Source: DfE performance tables abbreviations; Explore Education Statistics symbols (METHOD.md 1.3).
    """
    text = raw.strip()
    state = CODES.get(text.lower())
    if state is not None:
        return Value(state, None, raw)
    digits = text.removesuffix("%").rstrip()
    if NUMBER.fullmatch(digits):
        return Value(ValueState.OK, Decimal(digits), raw)
    return Value(ValueState.UNREADABLE, None, raw)
