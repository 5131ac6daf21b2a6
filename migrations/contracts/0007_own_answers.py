"""Answers to repeated requests show to their caller only."""

from migrations.rights import everybodys_answers, own_answers

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    own_answers("contracts")


def downgrade() -> None:
    """Take back."""
    everybodys_answers("contracts")
