"""API keys and client secrets."""

import hashlib
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.secrets import (
    BASE62,
    Environment,
    base62,
    checksum,
    environment_of,
    new_key,
    new_secret,
    shown_start,
    stored,
    well_formed,
)


def from_base62(text: str) -> int:
    number = 0
    for letter in text:
        number = number * 62 + BASE62.index(letter)
    return number


def test_a_key_shows_its_type_and_carries_its_checksum() -> None:
    key = new_key()
    assert re.fullmatch(r"mat_live_[0-9A-Za-z]{36}", key)
    assert from_base62(key[-6:]) == zlib.crc32(key[:-6].encode())
    assert well_formed(key)


def test_a_key_says_what_it_is_for_and_cannot_be_turned_into_the_other() -> None:
    for environment in Environment:
        key = new_key(environment)
        assert environment_of(key) is environment
        assert shown_start(key) == key[:17]
    test = new_key(Environment.TEST)
    assert not well_formed(test.replace("mat_test_", "mat_live_"))


def test_keys_and_secrets_are_never_made_twice() -> None:
    assert len({new_key() for _ in range(500)}) == 500
    assert len({new_secret() for _ in range(500)}) == 500


def test_a_secret_has_256_bits_and_fits_a_header() -> None:
    assert re.fullmatch(r"[0-9A-Za-z_-]{43}", new_secret())


@given(st.integers(0, 35), st.sampled_from(BASE62))
def test_a_mistyped_letter_is_noticed(place: int, letter: str) -> None:
    key = new_key()
    at = len("mat_live_") + place
    wrong = key[:at] + letter + key[at + 1 :]
    assert well_formed(wrong) is (wrong == key)


@pytest.mark.parametrize("wrong", ["", "mat_live_", "mat_live_" + "0" * 36, "mat_test_" + "0" * 36])
def test_what_has_no_checksum_is_no_key(wrong: str) -> None:
    assert not well_formed(wrong)


def test_another_type_length_or_script_is_no_key_even_with_a_right_checksum() -> None:
    for body in ("mat_dead_" + "a" * 30, "mat_live_" + "a" * 29, "mat_live_" + "a" * 31, "mat_live_" + "é" * 30):
        assert not well_formed(body + checksum(body))
    right = "mat_live_" + "a" * 30
    assert well_formed(right + checksum(right))
    assert not well_formed(f" {right}{checksum(right)}")


@given(st.text(max_size=60))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert well_formed(text) is False


@given(st.integers(0, 2**32 - 1))
def test_base_62_is_padded_sorted_and_reversible(number: int) -> None:
    text = base62(number, 6)
    assert len(text) == 6
    assert from_base62(text) == number
    assert (text < base62(number + 1, 6)) is True


def test_numbers_in_base_62() -> None:
    assert (base62(0, 6), base62(61, 1), base62(62, 2), base62(2**32 - 1, 6)) == ("000000", "z", "10", "4gfFC3")


def test_only_the_hash_of_a_secret_is_kept() -> None:
    assert stored("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert stored("ü") == hashlib.sha256("ü".encode()).hexdigest()
