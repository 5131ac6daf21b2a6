"""The Merkle tree of the log: roots and proofs from stored nodes, and how to verify them (RFC 6962; RFC 9162, 2.1).

A tree of n leaves is kept as its complete subtrees: node (level, index) covers the leaves from `index << level` up to
`(index + 1) << level`; level 0 are the leaves' own hashes. Complete nodes never change as the tree grows.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from services.kernel.errors import BadRequest

Node = tuple[int, int]
Span = tuple[int, int]
"""Leaves from the first number up to but not including the second."""
Fetch = Callable[[Node], bytes]
EMPTY = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""


class NoSuchTree(BadRequest):
    """A proof was asked for that no tree of this size can have."""

    code = "no_such_tree"
    title = "No tree of this log has this size"


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than `size`, which is 2 or more: where a tree parts."""
    return 1 << (size - 1).bit_length() - 1


def cover(span: Span) -> list[Node]:
    """The complete subtrees that make up a span of a tree, from left to right, the largest first."""
    start, end = span
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def span_hash(span: Span, fetch: Fetch) -> bytes:
    """The Merkle tree hash of a span."""
    if span[0] == span[1]:
        return EMPTY
    *before, last = [fetch(node) for node in cover(span)]
    for left in reversed(before):
        last = node_hash(left, last)
    return last


def root(size: int, fetch: Fetch) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return span_hash((0, size), fetch)


def inclusion(index: int, size: int) -> list[Span]:
    """The spans whose hashes prove that leaf `index` is in the tree of `size` leaves, lowest first.

    Raises NoSuchTree when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise NoSuchTree(f"A tree of {size} leaves has no leaf {index}; leaves are counted from 0.")
    return path(index, 0, size)


def path(index: int, start: int, end: int) -> list[Span]:
    """The spans beside the way from a leaf up to the top of a span."""
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return [*path(index, start, middle), (middle, end)]
    return [*path(index, middle, end), (start, middle)]


def consistency(first: int, second: int) -> list[Span]:
    """The spans whose hashes prove that the tree of `first` leaves is the beginning of that of `second`.

    Raises NoSuchTree unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise NoSuchTree(
            f"A proof leads from a smaller tree of 1 leaf or more to a larger one, not {first} to {second}."
        )
    return subproof(first, (0, second), known=True)


def subproof(first: int, span: Span, *, known: bool) -> list[Span]:
    """The spans that lead from the first leaves of a span to all of it; `known` while its own hash is at hand."""
    start, end = span
    if first == end:
        return [] if known else [span]
    middle = start + split(end - start)
    if first <= middle:
        return [*subproof(first, (start, middle), known=known), (middle, end)]
    return [*subproof(first, (middle, end), known=False), (start, middle)]


def needed(spans: Iterable[Span]) -> list[Node]:
    """The stored nodes that the hashes of these spans are made of."""
    return [node for span in spans for node in cover(span)]


def grown(size: int, added: Sequence[bytes], fetch: Fetch) -> dict[Node, bytes]:
    """The nodes above the leaves that become complete when leaf hashes are added to a tree of `size` leaves.

    `fetch` gives the nodes of `cover((0, size))`.
    """
    made: dict[Node, bytes] = {}
    for place, digest in enumerate(added, start=size):
        node = (0, place)
        made[node] = digest
        while node[1] % 2:
            level, index = node
            left = (level, index - 1)
            parent = (level + 1, index // 2)
            made[parent] = node_hash(made[left] if left in made else fetch(left), made[node])
            node = parent
    return {node: digest for node, digest in made.items() if node[0]}


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], against: bytes) -> bool:
    """Whether the proof leads from a leaf's hash to the root `against` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, digest = index, size - 1, leaf
    for each in proof:
        if not last:
            return False
        if place % 2 or place == last:
            digest = node_hash(each, digest)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            digest = node_hash(digest, each)
        place, last = place >> 1, last >> 1
    return not last and digest == against


def verify_consistency(first: int, second: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof leads from the root `old` of `first` leaves to the root `new` of `second` (section 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and old == new
    if not proof:
        return False
    place, last = first - 1, second - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    rest = list(proof) if place else [old, *proof]
    before = after = rest[0]
    for each in rest[1:]:
        if not last:
            return False
        if place % 2 or place == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, each)
        place, last = place >> 1, last >> 1
    return not last and before == old and after == new
