"""The lines of the register that counts are known again in the next file; indexes that nothing asks for are dropped."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import grant

revision = "0010"
down_revision = "0009"
UNUSED = ("region", "trust_uid")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "release_lines",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("reading", sa.String(length=64), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("release_lines_release_id_fkey")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("release_lines_pkey")),
        schema="outcomes",
    )
    op.execute("ALTER TABLE outcomes.release_lines ALTER entries SET STORAGE EXTERNAL")
    for column in UNUSED:
        op.drop_index(f"establishment_{column}_idx", "establishment", schema="outcomes")
    grant("outcomes", append_only=(), changing=(), deleting=("release_lines",))


def downgrade() -> None:
    """Take back."""
    for column in UNUSED:
        op.create_index(f"establishment_{column}_idx", "establishment", [column], schema="outcomes")
    op.drop_table("release_lines", schema="outcomes")
