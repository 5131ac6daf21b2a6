"""Answers to repeated requests show to their caller only."""

from migrations.rights import everybodys_answers, own_answers

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    own_answers("contracts")


def downgrade() -> None:
    """Take back."""
    everybodys_answers("contracts")
