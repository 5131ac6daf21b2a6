"""Performance tables know to how many decimal places a figure was published."""

from alembic import op

revision = "0015"
down_revision = "0014"

RESULT = (
    "SELECT o.release_id, r.number AS release_number, r.feed, r.release_status, r.published_on,"
    " array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) AS stage, o.urn, o.measure,"
    " o.academic_year, o.state, o.value, o.raw, o.denominator{more} FROM outcomes.observation o"
    " JOIN outcomes.release r ON r.id = o.release_id JOIN outcomes.current_release c"
    " ON c.release_id = o.release_id AND c.feed = r.feed AND c.academic_year = o.academic_year"
)


def upgrade() -> None:
    """Apply."""
    decimals = ", (r.decimals ->> o.measure)::int AS decimals"
    op.execute(f"CREATE OR REPLACE VIEW tables.result AS {RESULT.format(more=decimals)}")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW tables.result")
    op.execute(f"CREATE VIEW tables.result AS {RESULT.format(more='')}")
    op.execute("GRANT SELECT ON tables.result TO ringfence_tables")
