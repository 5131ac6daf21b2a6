"""Answers to keyed requests are forgotten by a worker, whoever's they are."""

from alembic import op

from migrations.rights import forget_answers

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    forget_answers("outcomes")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP FUNCTION outcomes.forget_expired()")
