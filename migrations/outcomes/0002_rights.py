"""Rights, and the schema `tables`: all that a performance table may be made from."""

from alembic import op

from migrations.rights import EVERYTHING, bound, grant

revision = "0002"
down_revision = "0001"

VIEWS = {
    "result": (
        "SELECT o.release_id, r.number AS release_number, r.feed, r.release_status, r.published_on,"
        " array_position(ARRAY['provisional', 'revised', 'final'], r.release_status::text) AS stage, o.urn, o.measure,"
        " o.academic_year, o.state, o.value, o.raw, o.denominator FROM outcomes.observation o"
        " JOIN outcomes.release r ON r.id = o.release_id JOIN outcomes.current_release c"
        " ON c.release_id = o.release_id AND c.feed = r.feed AND c.academic_year = o.academic_year"
    ),
    "member": "SELECT urn, trust_uid, joined_on, joined_inferred, left_on FROM outcomes.membership",
    "fence": (
        "SELECT contract_id, school_urn, supplier_uid, starts_on, ends_on, closed_on, closed_reason"
        " FROM outcomes.ring_fence"
    ),
    "school": "SELECT urn, name, la_code, region, phase, kind, kind_group, pupils, status FROM outcomes.establishment",
    "trust": "SELECT uid, name, kind, status FROM outcomes.trust",
}


def upgrade() -> None:
    """Apply."""
    grant(
        "outcomes",
        append_only=(
            "event",
            "evaluation",
            "observation",
            "rejection",
            "release_file",
            "full_membership",
            "idempotency_key",
        ),
        changing=("release", "current_release", "school", "school_identifier", "membership", "ring_fence"),
        deleting=("establishment", "establishment_link", "trust", "job"),
    )
    bound("outcomes.evaluation", EVERYTHING)
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW tables.{name} AS {query}")
        op.execute(f"GRANT SELECT ON tables.{name} TO ringfence_tables")


def downgrade() -> None:
    """Take back."""
    for name in VIEWS:
        op.execute(f"DROP VIEW tables.{name}")
    op.execute("DROP POLICY caller ON outcomes.evaluation")
    op.execute("ALTER TABLE outcomes.evaluation DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA outcomes FROM ringfence_outcomes")
