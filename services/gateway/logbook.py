"""Tables of the log: what happened, as leaves of a Merkle tree."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, LargeBinary
from sqlmodel import Field

from services.gateway.models import GatewayTable, Instant


class Leaf(GatewayTable, table=True):
    """A leaf of the log: canonical JSON without personal data, and its RFC 6962 hash. Never updated."""

    __tablename__ = "leaf"
    __table_args__ = (Index(None, "subject_id"),)
    id: int = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    kind: str = Field(max_length=60)
    subject_id: UUID
    data: bytes = Field(sa_type=LargeBinary)
    leaf_hash: str = Field(max_length=64)
    written_at: datetime = Field(sa_type=Instant)
