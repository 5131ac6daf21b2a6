"""The Merkle tree: published roots, every small proof in the verifiers of others, and what holds for any tree."""

import hashlib
from functools import cache
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError

from services.gateway.rules import tree

CT_LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Certificate Transparency's reference leaves and the roots of their trees."""
MOST = 40
DATA = [f"leaf {number}".encode() for number in range(MOST)]


def hashed(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def stored(leaves: list[bytes], step: int = 1) -> dict[tree.Node, bytes]:
    """Every node of the tree of these leaves, grown by `step` leaves at a time."""
    nodes: dict[tree.Node, bytes] = {}
    for start in range(0, len(leaves), step):
        added = [hashed(each) for each in leaves[start : start + step]]
        above = tree.grown(start, added, nodes.__getitem__)
        nodes |= {(0, start + place): digest for place, digest in enumerate(added)} | above
    return nodes


@cache
def all_nodes() -> dict[tree.Node, bytes]:
    return stored(DATA)


def hashes(spans: list[tree.Span]) -> list[bytes]:
    return [tree.span_hash(span, all_nodes().__getitem__) for span in spans]


def root(size: int) -> bytes:
    return tree.root(size, all_nodes().__getitem__)


@pytest.mark.parametrize("size", CT_ROOTS)
def test_roots_are_the_published_ones(size: int) -> None:
    nodes = stored(CT_LEAVES[:size])
    assert tree.root(size, nodes.__getitem__).hex() == CT_ROOTS[size]


@pytest.mark.parametrize("step", [1, 2, 3, 7, MOST])
def test_a_tree_is_the_same_however_it_grew(step: int) -> None:
    assert stored(DATA, step) == all_nodes()


def test_roots_and_leaves_are_those_of_pymerkle() -> None:
    theirs = InmemoryTree(algorithm="sha256")
    for size in range(1, MOST + 1):
        theirs.append_entry(DATA[size - 1])
        assert theirs.get_root() == root(size)
        assert theirs.get_leaf(size) == all_nodes()[0, size - 1]


def test_every_inclusion_proof_is_good_for_sigstore_and_for_us() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = hashes(tree.inclusion(index, size))
            assert tree.verify_inclusion(hashed(DATA[index]), index, size, proof, root(size))
            claim = SimpleNamespace(log_index=index, tree_size=size, hashes=proof, root_hash=root(size))
            inner = SimpleNamespace(inclusion_proof=claim, canonicalized_body=DATA[index])
            verify_merkle_inclusion(SimpleNamespace(_inner=inner))
            inner.canonicalized_body = b"forged"
            with pytest.raises(VerificationError):
                verify_merkle_inclusion(SimpleNamespace(_inner=inner))


def test_every_consistency_proof_holds() -> None:
    for second in range(1, MOST + 1):
        for first in range(1, second + 1):
            proof = hashes(tree.consistency(first, second))
            assert tree.verify_consistency(first, second, root(first), root(second), proof)


def test_a_proof_needs_few_stored_nodes() -> None:
    for spans in (tree.inclusion(5, MOST), tree.consistency(7, MOST)):
        assert len(tree.needed(spans)) <= 2 * MOST.bit_length()
        assert set(tree.needed(spans)) <= set(all_nodes())


sizes = st.integers(1, MOST)


@given(sizes, sizes, sizes, st.integers(0, 7), st.binary(min_size=32, max_size=32))
def test_a_proof_of_one_thing_proves_no_other(size: int, index: int, other: int, place: int, noise: bytes) -> None:
    index, other = index % size, other % size
    proof = hashes(tree.inclusion(index, size))
    leaf = all_nodes()[0, index]
    assert not tree.verify_inclusion(noise, index, size, proof, root(size))
    assert not tree.verify_inclusion(leaf, index, size, proof, noise)
    assert not tree.verify_inclusion(leaf, index, size, [*proof, noise], root(size))
    assert tree.verify_inclusion(leaf, other, size, proof, root(size)) is (other == index)
    if proof:
        place %= len(proof)
        assert not tree.verify_inclusion(leaf, index, size, proof[:-1], root(size))
        assert not tree.verify_inclusion(leaf, index, size, [*proof[:place], noise, *proof[place + 1 :]], root(size))


@given(sizes, sizes, st.integers(0, 9), st.binary(min_size=32, max_size=32))
def test_a_history_that_was_changed_has_no_proof(first: int, second: int, place: int, noise: bytes) -> None:
    first, second = sorted((first, second))
    proof = hashes(tree.consistency(first, second))
    good = (root(first), root(second))
    assert not tree.verify_consistency(first, second, noise, good[1], proof)
    assert not tree.verify_consistency(first, second, good[0], noise, proof)
    assert not tree.verify_consistency(first, second, *good, [*proof, noise])
    if proof:
        place %= len(proof)
        assert not tree.verify_consistency(first, second, *good, [*proof[:place], noise, *proof[place + 1 :]])
        assert not tree.verify_consistency(first, second, *good, proof[:-1])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (4, 3)])
def test_a_leaf_that_is_not_in_the_tree_has_no_proof(index: int, size: int) -> None:
    assert not tree.verify_inclusion(b"", index, size, [], b"")
    with pytest.raises(tree.NoSuchTree, match="has no leaf"):
        tree.inclusion(index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (-1, 3)])
def test_a_larger_tree_is_not_the_beginning_of_a_smaller_one(first: int, second: int) -> None:
    assert not tree.verify_consistency(first, second, b"", b"", [])
    with pytest.raises(tree.NoSuchTree, match="smaller tree"):
        tree.consistency(first, second)


def test_without_hashes_nothing_is_proved() -> None:
    assert not tree.verify_consistency(1, 2, b"old", b"new", [])
    assert not tree.verify_inclusion(b"leaf", 2, 2, b"leaf", [])
