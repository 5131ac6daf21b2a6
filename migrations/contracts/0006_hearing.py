"""How far the events of outcomes have been read."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import grant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cursor",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("cursor_pkey")),
        schema="contracts",
    )
    grant("contracts", append_only=(), changing=("cursor",), deleting=())


def downgrade() -> None:
    """Take back."""
    op.drop_table("cursor", schema="contracts")
