"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "contract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=False),
        sa.Column("commissioner", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("school_urn", sa.Integer(), nullable=False),
        sa.Column("school", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("supplier_uid", sa.String(length=20), nullable=False),
        sa.Column("supplier", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("responsible_body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("la_code", sa.String(length=3), nullable=False),
        sa.Column("legal_route", sa.String(length=20), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("fee_pence", sa.BigInteger(), nullable=False),
        sa.Column("value_pence", sa.BigInteger(), nullable=False),
        sa.Column("transfer_intended", sa.Boolean(), nullable=False),
        sa.Column("interventions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("outcomes_rationale", sa.String(), nullable=True),
        sa.Column("agreed_hash", sa.String(length=64), nullable=True),
        sa.Column("evaluation", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'draft') OR agreed_hash IS NOT NULL OR status = 'cancelled'", name=op.f("contract_hashed_check")
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("contract_term_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("contract_pkey")),
        sa.UniqueConstraint("reference", name=op.f("contract_reference_key")),
        schema="contracts",
    )
    op.create_index(
        op.f("contract_organisation_id_idx"), "contract", ["organisation", "id"], unique=False, schema="contracts"
    )
    op.create_index(op.f("contract_school_urn_idx"), "contract", ["school_urn"], unique=False, schema="contracts")
    op.create_index(
        op.f("contract_supplier_uid_id_idx"), "contract", ["supplier_uid", "id"], unique=False, schema="contracts"
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
        schema="contracts",
    )
    op.create_index(op.f("event_subject_id_idx"), "event", ["subject_id"], unique=False, schema="contracts")
    op.create_index(op.f("event_txid_position_idx"), "event", ["txid", "position"], unique=False, schema="contracts")
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("idempotency_key_pkey")),
        schema="contracts",
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
        schema="contracts",
    )
    op.create_index(op.f("job_run_at_idx"), "job", ["run_at"], unique=False, schema="contracts")
    op.create_index(
        "job_waiting_idx",
        "job",
        ["kind", "key"],
        unique=True,
        schema="contracts",
        postgresql_where=sa.text("lease_until IS NULL"),
    )
    op.create_table(
        "applied_record",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("milestone_code", sa.String(length=40), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract.id"], name=op.f("applied_record_contract_id_fkey")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("applied_record_pkey")),
        schema="contracts",
    )
    op.create_index(
        op.f("applied_record_contract_id_idx"), "applied_record", ["contract_id"], unique=False, schema="contracts"
    )
    op.create_table(
        "milestone",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("payment_pence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(decided_on IS NULL) = (record_id IS NULL)", name=op.f("milestone_decided_check")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.contract.id"], name=op.f("milestone_contract_id_fkey")),
        sa.PrimaryKeyConstraint("contract_id", "code", name=op.f("milestone_pkey")),
        schema="contracts",
    )
    op.create_table(
        "outcome",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("domain", sa.String(length=20), nullable=False),
        sa.Column("weight", sa.Numeric(precision=6, scale=4), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("target_mode", sa.String(length=20), nullable=False),
        sa.Column("target_value", sa.Numeric(precision=12, scale=5), nullable=False),
        sa.Column("baseline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("payment_pence", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.Numeric(precision=12, scale=5), nullable=True),
        sa.Column("full", sa.Numeric(precision=12, scale=5), nullable=True),
        sa.CheckConstraint("weight > 0 AND weight <= 1", name=op.f("outcome_weight_check")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.contract.id"], name=op.f("outcome_contract_id_fkey")),
        sa.PrimaryKeyConstraint("contract_id", "code", name=op.f("outcome_pkey")),
        schema="contracts",
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("earned_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'earned') = (earned_on IS NOT NULL AND due_on IS NOT NULL)", name=op.f("payment_earned_check")
        ),
        sa.CheckConstraint("amount_pence > 0", name=op.f("payment_amount_check")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.contract.id"], name=op.f("payment_contract_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_pkey")),
        sa.UniqueConstraint("contract_id", "kind", "code", name=op.f("payment_contract_id_kind_code_key")),
        schema="contracts",
    )
    op.create_index(op.f("payment_contract_id_idx"), "payment", ["contract_id"], unique=False, schema="contracts")
    op.create_table(
        "signature",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("party", sa.String(length=20), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("agreed_hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.contract.id"], name=op.f("signature_contract_id_fkey")),
        sa.PrimaryKeyConstraint("contract_id", "party", name=op.f("signature_pkey")),
        schema="contracts",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("signature", schema="contracts")
    op.drop_index(op.f("payment_contract_id_idx"), table_name="payment", schema="contracts")
    op.drop_table("payment", schema="contracts")
    op.drop_table("outcome", schema="contracts")
    op.drop_table("milestone", schema="contracts")
    op.drop_index(op.f("applied_record_contract_id_idx"), table_name="applied_record", schema="contracts")
    op.drop_table("applied_record", schema="contracts")
    op.drop_index(
        "job_waiting_idx", table_name="job", schema="contracts", postgresql_where=sa.text("lease_until IS NULL")
    )
    op.drop_index(op.f("job_run_at_idx"), table_name="job", schema="contracts")
    op.drop_table("job", schema="contracts")
    op.drop_table("idempotency_key", schema="contracts")
    op.drop_index(op.f("event_txid_position_idx"), table_name="event", schema="contracts")
    op.drop_index(op.f("event_subject_id_idx"), table_name="event", schema="contracts")
    op.drop_table("event", schema="contracts")
    op.drop_index(op.f("contract_supplier_uid_id_idx"), table_name="contract", schema="contracts")
    op.drop_index(op.f("contract_school_urn_idx"), table_name="contract", schema="contracts")
    op.drop_index(op.f("contract_organisation_id_idx"), table_name="contract", schema="contracts")
    op.drop_table("contract", schema="contracts")
