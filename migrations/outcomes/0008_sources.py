"""Where a release was fetched, and to how many decimal places its measures were published."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "source_url": sa.String(length=2000),
    "source_version": sa.String(length=20),
    "etag": sa.String(length=200),
    "decimals": postgresql.JSONB(astext_type=sa.Text()),
}
KNOWN_ONCE_FETCHED = ("sha256", "size_bytes")


def upgrade() -> None:
    """Apply."""
    for name, kind in COLUMNS.items():
        op.add_column("release", sa.Column(name, kind, nullable=True), schema="outcomes")
    op.create_index(op.f("release_source_url_idx"), "release", ["source_url"], schema="outcomes")
    for name in KNOWN_ONCE_FETCHED:
        op.alter_column("release", name, nullable=True, schema="outcomes")


def downgrade() -> None:
    """Take back. Releases that were never fetched have no bytes, and go."""
    op.execute("DELETE FROM outcomes.release WHERE sha256 IS NULL")
    for name in KNOWN_ONCE_FETCHED:
        op.alter_column("release", name, nullable=False, schema="outcomes")
    op.drop_index(op.f("release_source_url_idx"), "release", schema="outcomes")
    for name in reversed(COLUMNS):
        op.drop_column("release", name, schema="outcomes")
