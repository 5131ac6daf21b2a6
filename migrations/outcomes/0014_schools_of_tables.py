"""Performance tables know a school by all its URNs, also by one that a transfer has announced."""

from alembic import op

revision = "0014"
down_revision = "0013"

SHOWN = "urn, name, la_code, region, phase, kind, kind_group, pupils, status"
ANNOUNCED = (
    " UNION ALL SELECT i.value::int, e.name, e.la_code, e.region, e.phase, e.kind, e.kind_group, e.pupils,"
    " 'announced'::varchar(30), i.school_id, i.valid_from FROM (SELECT DISTINCT value, school_id, valid_from"
    " FROM outcomes.school_identifier WHERE scheme = 'urn' AND source = 'transfer') AS i,"
    " LATERAL (SELECT * FROM outcomes.establishment AS life WHERE life.school_id = i.school_id"
    " ORDER BY opened_on DESC NULLS LAST, urn DESC LIMIT 1) AS e"
    " WHERE NOT EXISTS (SELECT FROM outcomes.establishment AS shown WHERE shown.urn = i.value::int)"
)


def upgrade() -> None:
    """Apply."""
    lives = f"SELECT {SHOWN}, school_id, opened_on FROM outcomes.establishment"
    op.execute(f"CREATE OR REPLACE VIEW tables.school AS {lives}{ANNOUNCED}")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW tables.school")
    op.execute(f"CREATE VIEW tables.school AS SELECT {SHOWN} FROM outcomes.establishment")
    op.execute("GRANT SELECT ON tables.school TO ringfence_tables")
