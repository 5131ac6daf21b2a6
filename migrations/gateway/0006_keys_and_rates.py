"""Answers to keyed requests are forgotten in time; how many requests callers have made."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import bound, grant, setting

revision = "0006"
down_revision = "0005"
INDEX = "idempotency_key_created_at_idx"


def upgrade() -> None:
    """Apply."""
    op.create_index(INDEX, "idempotency_key", ["created_at"], schema="gateway")
    grant("gateway", append_only=(), changing=(), deleting=("idempotency_key",))
    op.create_table(
        "rate",
        sa.Column("bucket", sa.String(length=64), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("rate_pkey")),
        schema="gateway",
        prefixes=["UNLOGGED"],
    )
    grant("gateway", append_only=(), changing=(), deleting=("rate",))
    bound("gateway.rate", f"{setting('kind')} = 'service'")


def downgrade() -> None:
    """Take back."""
    op.drop_table("rate", schema="gateway")
    op.execute("REVOKE UPDATE, DELETE ON gateway.idempotency_key FROM ringfence_gateway")
    op.drop_index(INDEX, "idempotency_key", schema="gateway")
