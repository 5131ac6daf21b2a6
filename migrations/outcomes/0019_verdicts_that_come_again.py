"""A verdict that was replaced may come again, in the place of the one that replaced it."""

from alembic import op

revision = "0019"
down_revision = "0018"

BEFORE, NOW = "evaluation_contract_id_academic_year_run_inputs_hash_key", "evaluation_once_key"
ONCE = ["contract_id", "academic_year", "run", "inputs_hash"]


def upgrade() -> None:
    """Apply."""
    op.drop_constraint(BEFORE, "evaluation", schema="outcomes")
    of, same = [*ONCE, "supersedes_id"], {"postgresql_nulls_not_distinct": True}
    op.create_unique_constraint(NOW, "evaluation", of, schema="outcomes", **same)


def downgrade() -> None:
    """Take back: not possible once a verdict has come again, since none is ever taken away."""
    op.drop_constraint(NOW, "evaluation", schema="outcomes")
    op.create_unique_constraint(BEFORE, "evaluation", ONCE, schema="outcomes")
