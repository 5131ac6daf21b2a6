"""Writing leaves, each in the transaction of the fact that it tells of; and bringing them into the tree."""

import secrets
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.gateway.log import queries
from services.gateway.logbook import Leaf, LogEntry, LogNode, SignedCheckpoint
from services.gateway.models import Cursor
from services.gateway.rules import tree
from services.gateway.rules.checkpoint import Checkpoint, sign, verify
from services.gateway.rules.log import leaf_data, leaf_hash, with_hashes
from services.kernel.events import locked_cursor

BATCH = 2000
SOURCE = "log"
"""The cursor of integration: every leaf of a transaction below it is in the tree."""


class InconsistentLog(RuntimeError):
    """The stored tree is no continuation of what was signed last: nothing more is signed until a person has looked."""


class Told(NamedTuple):
    """What a leaf holds, the hash of that, and the salt of what is personal."""

    data: bytes
    leaf_hash: str
    salt: str | None


def told(kind: str, subject_id: UUID, facts: dict[str, Any], private: dict[str, Any] | None = None) -> Told:
    """What a leaf says. `facts` may not hold personal data; `private` values are held as salted hashes."""
    salt = secrets.token_hex(16) if private else None
    data = leaf_data(kind, str(subject_id), with_hashes(facts, private or {}, salt or ""))
    return Told(data, leaf_hash(data), salt)


def new_leaf(
    *, kind: str, subject_id: UUID, facts: dict[str, Any], private: dict[str, Any] | None = None, now: datetime
) -> Leaf:
    """A leaf to be written, which says what `told` does."""
    said = told(kind, subject_id, facts, private)
    return Leaf(kind=kind, subject_id=subject_id, **said._asdict(), written_at=now)


async def append_leaf(
    session: AsyncSession,
    *,
    kind: str,
    subject_id: UUID,
    facts: dict[str, Any],
    private: dict[str, Any] | None = None,
    now: datetime,
) -> str:
    """Write a leaf, as `new_leaf` makes it, in the caller's transaction; gives its hash."""
    leaf = new_leaf(kind=kind, subject_id=subject_id, facts=facts, private=private, now=now)
    session.add(leaf)
    return leaf.leaf_hash


async def forget_salt(session: AsyncSession, *, leaf_hash: str) -> None:
    """Take away the salt of a leaf, so that its hashes tell nothing; the leaf itself stays as it is."""
    await session.execute(update(Leaf).where(col(Leaf.leaf_hash) == leaf_hash).values(salt=None))


async def integrate(session: AsyncSession, *, origin: str, key: Ed25519PrivateKey, now: datetime) -> int:
    """Give the next places in the tree to leaves that have committed, sign the tree that results; gives how many.

    The cursor's lock keeps two integrations apart. It stands at the oldest transaction that was running when all
    visible leaves had been taken: leaves of later ones are taken as soon as they are seen, whatever else still runs.
    """
    cursor = await locked_cursor(session, Cursor, SOURCE)
    horizon = await queries.oldest_running(session)
    leaves = await queries.not_integrated(session, cursor.txid, BATCH)
    size = await queries.tree_size(session)
    if leaves:
        await grow(session, size, leaves)
    if len(leaves) < BATCH:
        cursor.txid = max(cursor.txid, horizon)
    await sign_tree(session, size + len(leaves), origin=origin, key=key, now=now)
    return len(leaves)


async def grow(session: AsyncSession, size: int, leaves: list[queries.Fresh]) -> None:
    """Add these leaves to the tree of `size` leaves."""
    hashes = [bytes.fromhex(each.leaf_hash) for each in leaves]
    entries = [
        {"index": place, "leaf_id": each.id, "leaf_hash": digest}
        for place, (each, digest) in enumerate(zip(leaves, hashes, strict=True), start=size)
    ]
    await session.execute(insert(LogEntry), entries)
    edge = await queries.nodes(session, tree.cover((0, size)))
    above = tree.grown(size, hashes, edge.__getitem__)
    if above:
        made = [{"level": level, "index": index, "hash": digest} for (level, index), digest in above.items()]
        await session.execute(insert(LogNode), made)


async def sign_tree(session: AsyncSession, size: int, *, origin: str, key: Ed25519PrivateKey, now: datetime) -> None:
    """Sign the tree of `size` leaves unless that was done; raises InconsistentLog when it does not go on from the last.

    What was signed last is taken from its note, under its signature, not from what stands beside it.
    """
    last = await queries.latest_checkpoint(session)
    if last is not None and last.size == size:
        return
    spans = [(0, size)]
    signed = verify(last.note, origin, key.public_key()) if last is not None else Checkpoint(origin, 0, tree.EMPTY)
    if signed.size > size:
        raise InconsistentLog(f"The tree of {size} leaves is smaller than the signed one of {signed.size}.")
    if signed.size:
        spans += tree.consistency(signed.size, size)
    root, *proof = await queries.hashes(session, spans)
    if signed.size and not tree.verify_consistency(signed.size, size, signed.root, root, proof):
        raise InconsistentLog(f"The tree of {size} leaves does not go on from the signed one of {signed.size}.")
    note = sign(Checkpoint(origin, size, root), key)
    session.add(SignedCheckpoint(size=size, root=root, note=note, created_at=now))
