"""A tangle of brackets is found in a moment, and what is no tangle is not taken for one."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.nesting import MAX_DEPTH, MAX_VALUES, tangled

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{},:"\\ aé'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='[{"\\'), inner, max_size=4),
    max_leaves=30,
)


def depth(value: object) -> int:
    """How deep a value nests."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


@given(VALUES, st.integers(0, 40))
def test_the_depth_decides_whatever_texts_hold(value: object, more: int) -> None:
    for _ in range(more):
        value = [value]
    assert tangled(json.dumps(value).encode()) == (depth(value) > MAX_DEPTH)


def test_too_many_values_are_a_tangle() -> None:
    assert not tangled(b"[" + b"0," * (MAX_VALUES - 1) + b"0]")
    assert tangled(b"[" + b"0," * (MAX_VALUES + 1) + b"0]")


@pytest.mark.parametrize("text", [b"[" * 10**6, b'{"a":' * 200_000, b"[" * 500_000 + b"]" * 500_000])
def test_what_never_ends_is_a_tangle(text: bytes) -> None:
    assert tangled(text)


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 500_000, b'"' * 10**6, b"[]" * 500_000, b"\\" * 10**6])
def test_nothing_takes_long(text: bytes) -> None:
    started = time.perf_counter()
    tangled(text)
    assert time.perf_counter() - started < 1
