"""Answers to keyed requests are forgotten by a worker, whoever's they are."""

from alembic import op

from migrations.rights import forget_answers

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    forget_answers("contracts")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP FUNCTION contracts.forget_expired()")
