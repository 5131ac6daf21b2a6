"""A release counts by measure, and is as new as the last that said the same again."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

RESULT = (
    "SELECT o.release_id, r.number AS release_number, r.feed, r.release_status, r.published_on,"
    " array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) AS stage, o.urn, o.measure,"
    " o.academic_year, o.state, o.value, o.raw, o.denominator, (r.decimals ->> o.measure)::int AS decimals{more}"
    " FROM outcomes.observation o JOIN outcomes.release r ON r.id = o.release_id JOIN outcomes.current_release c"
    " ON c.release_id = o.release_id AND c.feed = r.feed AND c.academic_year = o.academic_year{of_measure}"
)
AGAIN = (
    "UPDATE outcomes.release AS r SET confirmed_on = greatest(r.published_on, (SELECT max(again.published_on)"
    " FROM outcomes.release AS again WHERE again.same_values_as = r.id AND again.release_status = r.release_status))"
)
MEASURES = (
    "INSERT INTO outcomes.current_release SELECT c.feed, c.academic_year, c.release_id, given.measure"
    " FROM outcomes.current_release AS c JOIN LATERAL"
    " (SELECT DISTINCT measure FROM outcomes.observation AS o WHERE o.release_id = c.release_id"
    " AND o.academic_year = c.academic_year UNION SELECT measure FROM outcomes.trust_observation AS o"
    " WHERE o.release_id = c.release_id AND o.academic_year = c.academic_year) AS given ON true WHERE c.measure = ''"
)
LEFT_OUT = """INSERT INTO outcomes.current_release (feed, academic_year, release_id, measure)
 SELECT DISTINCT ON (r.feed, given.academic_year, given.measure) r.feed, given.academic_year, r.id, given.measure
 FROM outcomes.release AS r JOIN LATERAL
  (SELECT DISTINCT academic_year, measure FROM outcomes.observation AS o WHERE o.release_id = r.id
   UNION SELECT academic_year, measure FROM outcomes.trust_observation AS o WHERE o.release_id = r.id) AS given ON true
 WHERE r.status IN ('current', 'superseded') AND r.reason_code IS DISTINCT FROM 'much_smaller'
 ORDER BY r.feed, given.academic_year, given.measure,
  array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) DESC, r.confirmed_on DESC,
  r.number DESC ON CONFLICT DO NOTHING"""
COUNT_AGAIN = (
    "UPDATE outcomes.release SET status = 'current', reason_code = NULL WHERE status = 'superseded'"
    " AND id IN (SELECT release_id FROM outcomes.current_release)"
)
ONE_A_YEAR = (
    "DELETE FROM outcomes.current_release AS c USING outcomes.current_release AS other"
    " WHERE other.feed = c.feed AND other.academic_year = c.academic_year AND other.measure < c.measure"
)


def upgrade() -> None:
    """Apply. What a narrower table had taken away, because it was the newer one of a year, counts again."""
    op.add_column("release", sa.Column("confirmed_on", sa.Date(), nullable=True), schema="outcomes")
    op.execute(AGAIN)
    op.alter_column("release", "confirmed_on", nullable=False, schema="outcomes")
    key = sa.Column("measure", sa.String(length=40), nullable=False, server_default="")
    op.add_column("current_release", key, schema="outcomes")
    op.alter_column("current_release", "measure", server_default=None, schema="outcomes")
    of_measure("academic_year", "measure")
    op.execute(MEASURES)
    op.execute("DELETE FROM outcomes.current_release WHERE measure = '' AND academic_year <> 0")
    op.execute(LEFT_OUT)
    op.execute(COUNT_AGAIN)
    more = {"more": ", r.confirmed_on", "of_measure": " AND c.measure = o.measure"}
    op.execute(f"CREATE OR REPLACE VIEW tables.result AS {RESULT.format(**more)}")


def downgrade() -> None:
    """Take back: of several releases of a year the one of the first measure counts."""
    op.execute("DROP VIEW tables.result")
    op.execute(ONE_A_YEAR)
    of_measure("academic_year")
    op.drop_column("current_release", "measure", schema="outcomes")
    op.drop_column("release", "confirmed_on", schema="outcomes")
    op.execute(f"CREATE VIEW tables.result AS {RESULT.format(more='', of_measure='')}")
    op.execute("GRANT SELECT ON tables.result TO ringfence_tables")


def of_measure(*columns: str) -> None:
    """Let pointers be known by their feed and these columns."""
    name = "current_release_pkey"
    op.drop_constraint(name, "current_release", schema="outcomes")
    op.create_primary_key(name, "current_release", ["feed", *columns], schema="outcomes")
