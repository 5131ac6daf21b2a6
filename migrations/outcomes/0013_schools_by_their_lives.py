"""A school is what its lives share: no row of its own, and no identifiers but those that its lives do not tell."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import grant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Apply."""
    op.drop_table("school", schema="outcomes")


def downgrade() -> None:
    """Take back."""
    op.create_table(
        "school",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("school_pkey")),
        schema="outcomes",
    )
    grant("outcomes", append_only=(), changing=("school",), deleting=())
    op.execute("INSERT INTO outcomes.school SELECT DISTINCT school_id, now() FROM outcomes.establishment")
    op.execute(
        "INSERT INTO outcomes.school_identifier (school_id, scheme, value, valid_from, valid_to, source)"
        " SELECT DISTINCT ON (e.school_id, i.scheme, i.value) e.school_id, i.scheme, i.value, e.opened_on,"
        " CASE WHEN i.scheme = 'urn' THEN e.closed_on END, 'gias_establishments' FROM outcomes.establishment AS e,"
        " LATERAL (VALUES ('urn', e.urn::text), ('laestab', e.la_code || e.establishment_number), ('ukprn', e.ukprn))"
        " AS i (scheme, value) WHERE i.value IS NOT NULL ORDER BY e.school_id, i.scheme, i.value, e.urn"
        " ON CONFLICT DO NOTHING"
    )
