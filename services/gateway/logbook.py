"""Tables of the log: what happened, as leaves of a Merkle tree. None is ever updated; only a leaf's salt may go."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from services.gateway.models import GatewayTable, Instant


class Leaf(GatewayTable, table=True):
    """A leaf of the log: canonical JSON without personal data, and its RFC 6962 hash.

    `salt` is that of the hashes by which `data` holds what is personal; without it they tell nothing. `txid` is the
    writing transaction, by which integration knows that no leaf below it is still to come.
    """

    __tablename__ = "leaf"
    __table_args__ = (Index(None, "subject_id"), Index(None, "txid"))
    id: int = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    txid: int = Field(
        default=None,
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text("(pg_current_xact_id()::text::bigint)")},
    )
    kind: str = Field(max_length=60)
    subject_id: UUID
    data: bytes = Field(sa_type=LargeBinary)
    leaf_hash: str = Field(max_length=64)
    salt: str | None = Field(default=None, max_length=64)
    written_at: datetime = Field(sa_type=Instant)


class LogEntry(GatewayTable, table=True):
    """A leaf's place in the tree, counted from 0, given to it after its commit."""

    __tablename__ = "log_entry"
    __table_args__ = (UniqueConstraint("leaf_id"), Index(None, "leaf_hash"))
    index: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    leaf_id: int = Field(sa_type=BigInteger, foreign_key="gateway.leaf.id")
    leaf_hash: bytes = Field(sa_type=LargeBinary)


class LogNode(GatewayTable, table=True):
    """The hash of a complete subtree above the leaves, such as a proof is made of."""

    __tablename__ = "log_node"
    level: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    index: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class SignedCheckpoint(GatewayTable, table=True):
    """What the log has said of itself, under its signature, when it had so many leaves."""

    __tablename__ = "checkpoint"
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    root: bytes = Field(sa_type=LargeBinary)
    note: str
    created_at: datetime = Field(sa_type=Instant)
