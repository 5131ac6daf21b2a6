"""The register has kinds of links of more than sixty letters."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply."""
    op.alter_column("establishment_link", "kind", type_=sa.String(length=100), schema="outcomes")


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM outcomes.establishment_link WHERE length(kind) > 60")
    op.alter_column("establishment_link", "kind", type_=sa.String(length=60), schema="outcomes")
