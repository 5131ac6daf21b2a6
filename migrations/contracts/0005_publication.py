"""What the public was told of contracts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import grant

revision = "0005"
down_revision = "0004"

JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ocds_release",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ocid", sa.String(length=60), nullable=False),
        sa.Column("release_id", sa.String(length=80), nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "version", name=op.f("ocds_release_pkey")),
        sa.UniqueConstraint("release_id", name=op.f("ocds_release_release_id_key")),
        schema="contracts",
    )
    for column in ("ocid", "position"):
        op.create_index(op.f(f"ocds_release_{column}_idx"), "ocds_release", [column], unique=False, schema="contracts")
    grant("contracts", append_only=("ocds_release",), changing=(), deleting=())


def downgrade() -> None:
    """Take back."""
    op.drop_table("ocds_release", schema="contracts")
