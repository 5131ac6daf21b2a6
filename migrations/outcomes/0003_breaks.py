"""Breaks in ring-fences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

FENCE = (
    "SELECT contract_id, school_urn, supplier_uid, starts_on, ends_on, closed_on, closed_reason{more}"
    " FROM outcomes.ring_fence"
)


def upgrade() -> None:
    """Apply."""
    empty = sa.text("'[]'::jsonb")
    breaks = sa.Column("breaks", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default=empty)
    op.add_column("ring_fence", breaks, schema="outcomes")
    op.alter_column("ring_fence", "breaks", server_default=None, schema="outcomes")
    op.execute(f"CREATE OR REPLACE VIEW tables.fence AS {FENCE.format(more=', breaks')}")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW tables.fence")
    op.execute(f"CREATE VIEW tables.fence AS {FENCE.format(more='')}")
    op.execute("GRANT SELECT ON tables.fence TO ringfence_tables")
    op.drop_column("ring_fence", "breaks", schema="outcomes")
