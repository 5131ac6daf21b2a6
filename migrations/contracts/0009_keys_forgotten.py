"""Answers to keyed requests are forgotten in time."""

from alembic import op

from migrations.rights import grant

revision = "0009"
down_revision = "0008"
INDEX = "idempotency_key_created_at_idx"


def upgrade() -> None:
    """Apply."""
    op.create_index(INDEX, "idempotency_key", ["created_at"], schema="contracts")
    grant("contracts", append_only=(), changing=(), deleting=("idempotency_key",))


def downgrade() -> None:
    """Take back."""
    op.execute("REVOKE UPDATE, DELETE ON contracts.idempotency_key FROM ringfence_contracts")
    op.drop_index(INDEX, "idempotency_key", schema="contracts")
