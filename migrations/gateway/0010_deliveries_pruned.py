"""Deliveries that are finished are not kept for ever."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import definer

revision = "0010"
down_revision = "0009"
INDEX = "dispatch_finished_idx"
PRUNE = """
    WITH old AS (
        SELECT id FROM gateway.dispatch
        WHERE status <> 'waiting' AND finished_at < now() - make_interval(days => greatest(days, 7))
        ORDER BY finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED),
    tries AS (DELETE FROM gateway.attempt WHERE dispatch_id IN (SELECT id FROM old)),
    gone AS (DELETE FROM gateway.dispatch WHERE id IN (SELECT id FROM old) RETURNING 1)
    SELECT count(*) FROM gone
"""
"""A role that could delete attempts could also hide how a delivery went: young ones stay, whatever is asked."""


def upgrade() -> None:
    """Apply."""
    finished = sa.text("status <> 'waiting'")
    op.create_index(INDEX, "dispatch", ["finished_at"], schema="gateway", postgresql_where=finished)
    definer("gateway", "prune_deliveries(days integer)", "bigint", PRUNE)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP FUNCTION gateway.prune_deliveries(integer)")
    op.drop_index(INDEX, "dispatch", schema="gateway")
