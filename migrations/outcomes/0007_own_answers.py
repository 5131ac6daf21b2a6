"""Answers to repeated requests show to their caller only; events, which tell of evaluations, to services and DfE."""

from alembic import op

from migrations.rights import EVERYTHING, bound, everybodys_answers, own_answers

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    own_answers("outcomes")
    bound("outcomes.event", EVERYTHING)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP POLICY caller ON outcomes.event")
    op.execute("ALTER TABLE outcomes.event DISABLE ROW LEVEL SECURITY")
    everybodys_answers("outcomes")
