"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("trust_uid", sa.String(length=20), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("start", sa.String(length=20), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("key_hash", name=op.f("api_key_key_hash_key")),
        schema="gateway",
    )
    op.create_index(op.f("api_key_trust_uid_idx"), "api_key", ["trust_uid"], unique=False, schema="gateway")
    op.create_table(
        "client",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("regions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("la_codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trust_uid", sa.String(length=20), nullable=True),
        sa.Column("urns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('commissioner', 'dfe', 'supplier', 'responsible_body')", name=op.f("client_kind_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("client_pkey")),
        schema="gateway",
    )
    op.create_table(
        "contract_ref",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=False),
        sa.Column("supplier_uid", sa.String(length=20), nullable=False),
        sa.Column("responsible_uid", sa.String(length=20), nullable=True),
        sa.Column("school_urn", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("la_code", sa.String(length=3), nullable=False),
        sa.Column("milestones", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("contract_ref_pkey")),
        schema="gateway",
    )
    op.create_index(
        op.f("contract_ref_organisation_idx"), "contract_ref", ["organisation"], unique=False, schema="gateway"
    )
    op.create_index(
        op.f("contract_ref_supplier_uid_idx"), "contract_ref", ["supplier_uid"], unique=False, schema="gateway"
    )
    op.create_table(
        "cursor",
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("txid", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("cursor_pkey")),
        schema="gateway",
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "txid", sa.BigInteger(), server_default=sa.text("(pg_current_xact_id()::text::bigint)"), nullable=False
        ),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("event_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("event_subject_id_idx"), "event", ["subject_id"], unique=False, schema="gateway")
    op.create_index(op.f("event_txid_position_idx"), "event", ["txid", "position"], unique=False, schema="gateway")
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("idempotency_key_pkey")),
        schema="gateway",
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("job_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("job_run_at_idx"), "job", ["run_at"], unique=False, schema="gateway")
    op.create_index(
        "job_waiting_idx",
        "job",
        ["kind", "key"],
        unique=True,
        schema="gateway",
        postgresql_where=sa.text("lease_until IS NULL"),
    )
    op.create_table(
        "leaf",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("leaf_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("leaf_subject_id_idx"), "leaf", ["subject_id"], unique=False, schema="gateway")
    op.create_table(
        "milestone_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("milestone_code", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("milestone_record_pkey")),
        schema="gateway",
    )
    op.create_index(
        op.f("milestone_record_contract_id_id_idx"),
        "milestone_record",
        ["contract_id", "id"],
        unique=False,
        schema="gateway",
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(length=20), nullable=False),
        sa.Column("school_urn", sa.Integer(), nullable=False),
        sa.Column("trust_uid", sa.String(length=20), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("needed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "effective_on IS NULL OR extract(day FROM effective_on) = 1", name=op.f("transfer_first_of_month_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("transfer_pkey")),
        sa.UniqueConstraint("reference", name=op.f("transfer_reference_key")),
        schema="gateway",
    )
    op.create_index(
        "transfer_live_idx",
        "transfer",
        ["contract_id"],
        unique=True,
        schema="gateway",
        postgresql_where=sa.text("status <> 'cancelled'"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=30), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["gateway.transfer.id"], name=op.f("consent_transfer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("consent_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("consent_transfer_id_idx"), "consent", ["transfer_id"], unique=False, schema="gateway")
    op.create_table(
        "delivery",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["gateway.milestone_record.id"], name=op.f("delivery_record_id_fkey")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("delivery_pkey")),
        schema="gateway",
    )
    op.create_table(
        "transfer_step",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("section", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("depends_on", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("gate", sa.Boolean(), nullable=False),
        sa.Column("optional", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(status = 'open') = (finished_at IS NULL)", name=op.f("transfer_step_finished_check")),
        sa.ForeignKeyConstraint(["transfer_id"], ["gateway.transfer.id"], name=op.f("transfer_step_transfer_id_fkey")),
        sa.PrimaryKeyConstraint("transfer_id", "key", name=op.f("transfer_step_pkey")),
        sa.UniqueConstraint("transfer_id", "place", name=op.f("transfer_step_transfer_id_place_key")),
        schema="gateway",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("transfer_step", schema="gateway")
    op.drop_table("delivery", schema="gateway")
    op.drop_index(op.f("consent_transfer_id_idx"), table_name="consent", schema="gateway")
    op.drop_table("consent", schema="gateway")
    op.drop_index(
        "transfer_live_idx", table_name="transfer", schema="gateway", postgresql_where=sa.text("status <> 'cancelled'")
    )
    op.drop_table("transfer", schema="gateway")
    op.drop_index(op.f("milestone_record_contract_id_id_idx"), table_name="milestone_record", schema="gateway")
    op.drop_table("milestone_record", schema="gateway")
    op.drop_index(op.f("leaf_subject_id_idx"), table_name="leaf", schema="gateway")
    op.drop_table("leaf", schema="gateway")
    op.drop_index(
        "job_waiting_idx", table_name="job", schema="gateway", postgresql_where=sa.text("lease_until IS NULL")
    )
    op.drop_index(op.f("job_run_at_idx"), table_name="job", schema="gateway")
    op.drop_table("job", schema="gateway")
    op.drop_table("idempotency_key", schema="gateway")
    op.drop_index(op.f("event_txid_position_idx"), table_name="event", schema="gateway")
    op.drop_index(op.f("event_subject_id_idx"), table_name="event", schema="gateway")
    op.drop_table("event", schema="gateway")
    op.drop_table("cursor", schema="gateway")
    op.drop_index(op.f("contract_ref_supplier_uid_idx"), table_name="contract_ref", schema="gateway")
    op.drop_index(op.f("contract_ref_organisation_idx"), table_name="contract_ref", schema="gateway")
    op.drop_table("contract_ref", schema="gateway")
    op.drop_table("client", schema="gateway")
    op.drop_index(op.f("api_key_trust_uid_idx"), table_name="api_key", schema="gateway")
    op.drop_table("api_key", schema="gateway")
