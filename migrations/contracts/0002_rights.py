"""Rights, row-level security, and one contract at a time for a school."""

from alembic import op

from migrations.rights import bound, grant, party

revision = "0002"
down_revision = "0001"

PARTS = ("outcome", "milestone", "applied_record", "signature", "payment")


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE SEQUENCE contracts.reference")
    op.execute(
        "ALTER TABLE contracts.contract ADD CONSTRAINT contract_school_term_excl EXCLUDE USING gist"
        " (int4range(school_urn, school_urn, '[]') WITH &&,"
        " daterange(starts_on, coalesce(ended_on, ends_on), '[]') WITH &&) WHERE (status <> 'cancelled')"
    )
    grant(
        "contracts",
        append_only=("event", "applied_record", "signature", "idempotency_key"),
        changing=("contract", "payment"),
        deleting=("outcome", "milestone", "job"),
    )
    bound("contracts.contract", party("responsible_body ->> 'uid'"))
    for table in PARTS:
        bound(f"contracts.{table}", f"EXISTS (SELECT FROM contracts.contract c WHERE c.id = {table}.contract_id)")
    bound("contracts.event", "EXISTS (SELECT FROM contracts.contract c WHERE c.id = event.subject_id)")


def downgrade() -> None:
    """Take back."""
    for table in ("contract", *PARTS, "event"):
        op.execute(f"DROP POLICY caller ON contracts.{table}")
        op.execute(f"ALTER TABLE contracts.{table} DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA contracts FROM ringfence_contracts")
    op.execute("ALTER TABLE contracts.contract DROP CONSTRAINT contract_school_term_excl")
    op.execute("DROP SEQUENCE contracts.reference")
