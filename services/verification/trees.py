"""The log against itself: leaves, their places, the nodes above them, and everything that was ever signed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.gateway.rules import tree
from services.gateway.rules.checkpoint import Checkpoint, NotACheckpoint, verify
from services.gateway.rules.log import leaf_hash

Connection = Any
ENTRIES = (
    "SELECT e.index, e.leaf_hash, l.id, l.data, l.leaf_hash AS written, l.kind, l.subject_id"
    " FROM gateway.log_entry e FULL JOIN gateway.leaf l ON l.id = e.leaf_id ORDER BY e.index NULLS LAST, l.id"
)
NODES = "SELECT level, index, hash FROM gateway.log_node ORDER BY (index + 1) << level, level"
CHECKPOINTS = "SELECT size, root, note FROM gateway.checkpoint ORDER BY size"


@dataclass
class Grown:
    """A tree as it grows: the complete subtrees of its right edge, the largest first."""

    size: int = 0
    edge: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, digest: bytes) -> Iterator[tuple[tree.Node, bytes]]:
        """Add a leaf's hash; gives the nodes that it completes, lowest first."""
        level, place = 0, self.size
        self.size += 1
        while place % 2:
            _, left = self.edge.pop()
            level, place, digest = level + 1, place // 2, tree.node_hash(left, digest)
            yield (level, place), digest
        self.edge.append((level, digest))

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.edge:
            return tree.EMPTY
        *before, (_, last) = self.edge
        for _, left in reversed(before):
            last = tree.node_hash(left, last)
        return last


class Stored:
    """The nodes and checkpoints as they are stored, read along with the tree as it is built anew."""

    def __init__(self, nodes: Iterable[Any], checkpoints: Iterable[Any], origin: str, key: Ed25519PublicKey) -> None:
        self.nodes, self.checkpoints = iter(nodes), iter(checkpoints)
        self.origin, self.key = origin, key
        self.node, self.checkpoint = next(self.nodes, None), next(self.checkpoints, None)

    def compare(self, node: tree.Node, digest: bytes) -> Iterator[str]:
        """What is wrong with the stored node that should be this one."""
        order = completed(node)
        while self.node is not None and completed((self.node["level"], self.node["index"])) < order:
            yield f"node {self.node['level']}/{self.node['index']}: belongs to no tree of these entries"
            self.node = next(self.nodes, None)
        if self.node is None or (self.node["level"], self.node["index"]) != node:
            yield f"node {node[0]}/{node[1]}: was removed"
            return
        if bytes(self.node["hash"]) != digest:
            yield f"node {node[0]}/{node[1]}: is not the hash of what is below it"
        self.node = next(self.nodes, None)

    def signed(self, size: int, root: bytes) -> Iterator[str]:
        """What is wrong with the checkpoint of this size, where there is one."""
        while self.checkpoint is not None and self.checkpoint["size"] <= size:
            found, self.checkpoint = self.checkpoint, next(self.checkpoints, None)
            yield from self.wrong(found, size, root)

    def wrong(self, found: Any, size: int, root: bytes) -> Iterator[str]:
        """What is wrong with a signed checkpoint, beside the tree of this size."""
        try:
            said = verify(found["note"], self.origin, self.key)
        except NotACheckpoint as error:
            yield f"checkpoint {found['size']}: {error.detail}"
            return
        if (said.size, said.root) != (found["size"], bytes(found["root"])):
            yield f"checkpoint {found['size']}: what stands beside the signed note is not what it says"
        if said.size == size and said.root != root:
            yield f"checkpoint {size}: the entries are not those that were signed"

    def rest(self, size: int) -> Iterator[str]:
        """What is stored beyond the tree of this size."""
        while self.node is not None:
            yield f"node {self.node['level']}/{self.node['index']}: belongs to no tree of these entries"
            self.node = next(self.nodes, None)
        while self.checkpoint is not None:
            yield f"checkpoint {self.checkpoint['size']}: the log has {size} entries only; the others were removed"
            self.checkpoint = next(self.checkpoints, None)


def completed(node: tree.Node) -> tuple[int, int]:
    """By when a node is complete: how many leaves that takes, and then the lowest first."""
    level, index = node
    return (index + 1) << level, level


def check_tree(
    connection: Connection,
    *,
    origin: str,
    key: Ed25519PublicKey,
    witnessed: Checkpoint | None,
    rows: Iterable[Any],
) -> Iterator[str]:
    """Everything that is wrong with the log in itself, in words.

    `rows` are those of ENTRIES, which the caller may count; `witnessed` is a checkpoint that was kept elsewhere.
    """
    with connection.cursor("nodes") as nodes, connection.cursor("checkpoints") as checkpoints:
        stored = Stored(nodes.execute(NODES), checkpoints.execute(CHECKPOINTS), origin, key)
        grown = Grown()
        yield from stored.signed(0, grown.root())
        for row in rows:
            yield from check_leaf(row)
            if row["index"] is None:
                continue
            if row["index"] != grown.size:
                yield f"entry {grown.size}: was removed, or its place given to another"
                return
            for node, digest in grown.add(bytes(row["leaf_hash"])):
                yield from stored.compare(node, digest)
            yield from stored.signed(grown.size, grown.root())
            if witnessed is not None and witnessed.size == grown.size and witnessed.root != grown.root():
                yield f"entries up to {grown.size}: are not those of the checkpoint that was kept elsewhere"
        yield from stored.rest(grown.size)
        if witnessed is not None and witnessed.size > grown.size:
            yield f"the log has {grown.size} entries; the checkpoint that was kept elsewhere has {witnessed.size}"


def check_leaf(row: Any) -> Iterator[str]:
    """What is wrong with one leaf and its entry."""
    if row["id"] is None:
        yield f"entry {row['index']}: its leaf was removed"
        return
    digest = leaf_hash(bytes(row["data"]))
    if digest != row["written"]:
        yield f"leaf {row['id']} ({row['kind']} of {row['subject_id']}): was edited"
    if row["leaf_hash"] is not None and bytes(row["leaf_hash"]).hex() != row["written"]:
        yield f"leaf {row['id']} ({row['kind']} of {row['subject_id']}): is not the one of entry {row['index']}"
