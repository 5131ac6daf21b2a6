"""Where schools lie."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS = ("easting", "northing")


def upgrade() -> None:
    """Apply."""
    for name in COLUMNS:
        op.add_column("establishment", sa.Column(name, sa.Integer(), nullable=True), schema="outcomes")


def downgrade() -> None:
    """Take back."""
    for name in reversed(COLUMNS):
        op.drop_column("establishment", name, schema="outcomes")
