"""Leaves of the log."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rules.log import leaf_data, leaf_hash, redacted, with_hashes

facts = st.dictionaries(st.text(max_size=5), st.integers(-(2**53), 2**53) | st.text(max_size=5) | st.none(), max_size=5)


def test_a_leaf_is_canonical_json_of_type_subject_and_facts() -> None:
    data = leaf_data("milestone.recorded", "CTR-2016-000001", {"status": "met", "code": "M1"})
    assert data == b'{"facts":{"code":"M1","status":"met"},"subject":"CTR-2016-000001","type":"milestone.recorded"}'


def test_the_hash_of_the_empty_leaf_is_the_published_one() -> None:
    assert leaf_hash(b"") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(st.binary(max_size=100))
def test_a_leaf_is_hashed_with_a_zero_byte_in_front(data: bytes) -> None:
    assert leaf_hash(data) == hashlib.sha256(bytes([0]) + data).hexdigest()
    assert leaf_hash(data) != hashlib.sha256(data).hexdigest()


@given(facts)
def test_the_order_of_facts_does_not_matter(found: dict[str, object]) -> None:
    turned = dict(reversed(found.items()))
    assert leaf_data("kind", "subject", found) == leaf_data("kind", "subject", turned)


@given(facts, st.text(max_size=3), st.text(max_size=3))
def test_type_and_subject_cannot_be_confused(found: dict[str, object], kind: str, subject: str) -> None:
    assert (leaf_data(kind, subject, found) == leaf_data(subject, kind, found)) is (kind == subject)


def test_a_free_text_is_kept_as_its_salted_hash() -> None:
    found = redacted("Head was ill.", "salt")
    assert found == hashlib.sha256(b"salt\nHead was ill.").hexdigest()
    assert redacted("Head was ill.", "other") != found
    assert redacted("Head was well.", "salt") != found


def test_no_text_is_not_the_same_as_an_empty_text() -> None:
    assert redacted(None, "salt") is None
    assert redacted("", "salt") == hashlib.sha256(b"salt\n").hexdigest()


def test_what_is_no_text_is_hashed_as_canonical_json() -> None:
    assert redacted([{"b": 1, "a": "x"}], "salt") == hashlib.sha256(b'salt\n[{"a":"x","b":1}]').hexdigest()


def test_private_values_stand_in_a_leaf_as_hashes_only() -> None:
    found = with_hashes({"status": "met"}, {"note": "Head was ill.", "reason": None}, "salt")
    assert found == {"status": "met", "note_hash": redacted("Head was ill.", "salt"), "reason_hash": None}
