"""Whether the status of an establishment is a guess: of files without statuses, none is told."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Apply. Which schools a file without statuses showed first is not known: where others came, all count as told."""
    op.add_column(
        "establishment",
        sa.Column("status_guessed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="outcomes",
    )
    op.execute(
        "UPDATE outcomes.establishment SET status_guessed = true WHERE NOT EXISTS (SELECT FROM outcomes.release"
        " WHERE feed = 'gias_establishments' AND layout <> 'served'"
        " AND (status = 'current' OR reason_code = 'replaced'))"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("establishment", "status_guessed", schema="outcomes")
