"""What is not as it should be about transfers is found by indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply."""
    op.create_index(op.f("discrepancy_transfer_id_idx"), "discrepancy", ["transfer_id"], schema="gateway")
    waiting = sa.text("acknowledged_at IS NULL")
    op.create_index("hand_over_waiting_idx", "hand_over", ["due_at"], schema="gateway", postgresql_where=waiting)


def downgrade() -> None:
    """Take back."""
    op.drop_index("hand_over_waiting_idx", "hand_over", schema="gateway")
    op.drop_index(op.f("discrepancy_transfer_id_idx"), "discrepancy", schema="gateway")
