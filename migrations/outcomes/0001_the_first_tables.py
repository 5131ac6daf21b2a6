"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "evaluation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=10), nullable=False),
        sa.Column("overall", sa.String(length=20), nullable=False),
        sa.Column("method_version", sa.String(length=20), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("evaluation_pkey")),
        sa.UniqueConstraint(
            "contract_id",
            "academic_year",
            "run",
            "inputs_hash",
            name=op.f("evaluation_contract_id_academic_year_run_inputs_hash_key"),
        ),
        schema="outcomes",
    )
    op.create_index(op.f("evaluation_contract_id_idx"), "evaluation", ["contract_id"], unique=False, schema="outcomes")
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
        schema="outcomes",
    )
    op.create_index(op.f("event_subject_id_idx"), "event", ["subject_id"], unique=False, schema="outcomes")
    op.create_index(op.f("event_txid_position_idx"), "event", ["txid", "position"], unique=False, schema="outcomes")
    op.create_table(
        "full_membership",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("trust_uid", sa.String(length=20), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("full_membership_pkey")),
        sa.UniqueConstraint("contract_id", name=op.f("full_membership_contract_id_key")),
        schema="outcomes",
    )
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("idempotency_key_pkey")),
        schema="outcomes",
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
        schema="outcomes",
    )
    op.create_index(op.f("job_run_at_idx"), "job", ["run_at"], unique=False, schema="outcomes")
    op.create_index(
        "job_waiting_idx",
        "job",
        ["kind", "key"],
        unique=True,
        schema="outcomes",
        postgresql_where=sa.text("lease_until IS NULL"),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("trust_uid", sa.String(length=20), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("joined_inferred", sa.Boolean(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("left_inferred", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("left_on IS NULL OR left_on > joined_on", name=op.f("membership_period_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("membership_pkey")),
        schema="outcomes",
    )
    op.create_index(
        "membership_open_idx", "membership", ["urn"], unique=True, schema="outcomes", postgresql_where="left_on IS NULL"
    )
    op.create_index(op.f("membership_trust_uid_idx"), "membership", ["trust_uid"], unique=False, schema="outcomes")
    op.create_index(op.f("membership_urn_idx"), "membership", ["urn"], unique=False, schema="outcomes")
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("feed", sa.String(length=40), nullable=False),
        sa.Column("academic_year", sa.Integer(), nullable=True),
        sa.Column("release_status", sa.String(length=20), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("layout", sa.String(), nullable=True),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_ignored", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("values_hash", sa.String(length=64), nullable=True),
        sa.Column("same_values_as", sa.Uuid(), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ingested_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('ingesting', 'current', 'superseded', 'refused')", name=op.f("release_status_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("release_pkey")),
        sa.UniqueConstraint("number", name=op.f("release_number_key")),
        schema="outcomes",
    )
    op.create_index(op.f("release_feed_idx"), "release", ["feed"], unique=False, schema="outcomes")
    op.create_table(
        "ring_fence",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("school_urn", sa.Integer(), nullable=False),
        sa.Column("supplier_uid", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_reason", sa.String(length=40), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ring_fence_term_check")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("ring_fence_pkey")),
        schema="outcomes",
    )
    op.create_index(op.f("ring_fence_school_urn_idx"), "ring_fence", ["school_urn"], unique=False, schema="outcomes")
    op.create_index(
        op.f("ring_fence_supplier_uid_idx"), "ring_fence", ["supplier_uid"], unique=False, schema="outcomes"
    )
    op.create_table(
        "school",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("school_pkey")),
        schema="outcomes",
    )
    op.create_table(
        "current_release",
        sa.Column("feed", sa.String(length=40), nullable=False),
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("current_release_release_id_fkey")),
        sa.PrimaryKeyConstraint("feed", "academic_year", name=op.f("current_release_pkey")),
        schema="outcomes",
    )
    op.create_index(
        op.f("current_release_release_id_idx"), "current_release", ["release_id"], unique=False, schema="outcomes"
    )
    op.create_table(
        "establishment",
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("la_code", sa.String(length=3), nullable=False),
        sa.Column("la_name", sa.String(), nullable=False),
        sa.Column("establishment_number", sa.String(length=4), nullable=True),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=False),
        sa.Column("kind_code", sa.String(length=4), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("kind_group", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("ukprn", sa.String(length=8), nullable=True),
        sa.Column("trust_uid", sa.String(length=20), nullable=True),
        sa.Column("admissions", sa.String(), nullable=True),
        sa.Column("religious_character", sa.String(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("town", sa.String(), nullable=True),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("establishment_release_id_fkey")),
        sa.ForeignKeyConstraint(["school_id"], ["outcomes.school.id"], name=op.f("establishment_school_id_fkey")),
        sa.PrimaryKeyConstraint("urn", name=op.f("establishment_pkey")),
        schema="outcomes",
    )
    op.create_index(op.f("establishment_la_code_idx"), "establishment", ["la_code"], unique=False, schema="outcomes")
    op.create_index(op.f("establishment_region_idx"), "establishment", ["region"], unique=False, schema="outcomes")
    op.create_index(
        op.f("establishment_school_id_idx"), "establishment", ["school_id"], unique=False, schema="outcomes"
    )
    op.create_index(
        op.f("establishment_trust_uid_idx"), "establishment", ["trust_uid"], unique=False, schema="outcomes"
    )
    op.create_table(
        "establishment_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("linked_urn", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["outcomes.release.id"], name=op.f("establishment_link_release_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("establishment_link_pkey")),
        schema="outcomes",
    )
    op.create_index(
        op.f("establishment_link_linked_urn_idx"), "establishment_link", ["linked_urn"], unique=False, schema="outcomes"
    )
    op.create_index(op.f("establishment_link_urn_idx"), "establishment_link", ["urn"], unique=False, schema="outcomes")
    op.create_table(
        "observation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("measure_version", sa.String(length=10), nullable=False),
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("denominator", sa.Integer(), nullable=True),
        sa.CheckConstraint("(state = 'ok') = (value IS NOT NULL)", name=op.f("observation_value_or_reason_check")),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("observation_release_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("observation_pkey")),
        sa.UniqueConstraint(
            "release_id",
            "urn",
            "measure",
            "academic_year",
            name=op.f("observation_release_id_urn_measure_academic_year_key"),
        ),
        schema="outcomes",
    )
    op.create_index(
        op.f("observation_measure_academic_year_idx"),
        "observation",
        ["measure", "academic_year"],
        unique=False,
        schema="outcomes",
    )
    op.create_index(op.f("observation_urn_idx"), "observation", ["urn"], unique=False, schema="outcomes")
    op.create_table(
        "rejection",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("rejection_release_id_fkey")),
        sa.PrimaryKeyConstraint("release_id", "place", name=op.f("rejection_pkey")),
        schema="outcomes",
    )
    op.create_table(
        "release_file",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("release_file_release_id_fkey")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("release_file_pkey")),
        schema="outcomes",
    )
    op.create_table(
        "school_identifier",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sa.String(length=10), nullable=False),
        sa.Column("value", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["outcomes.school.id"], name=op.f("school_identifier_school_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("school_identifier_pkey")),
        sa.UniqueConstraint("scheme", "value", "school_id", name=op.f("school_identifier_scheme_value_school_id_key")),
        schema="outcomes",
    )
    op.create_index(
        op.f("school_identifier_school_id_idx"), "school_identifier", ["school_id"], unique=False, schema="outcomes"
    )
    op.create_table(
        "trust",
        sa.Column("uid", sa.String(length=20), nullable=False),
        sa.Column("group_id", sa.String(length=20), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("companies_house_number", sa.String(length=8), nullable=True),
        sa.Column("ukprn", sa.String(length=8), nullable=True),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("trust_release_id_fkey")),
        sa.PrimaryKeyConstraint("uid", name=op.f("trust_pkey")),
        schema="outcomes",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("trust", schema="outcomes")
    op.drop_index(op.f("school_identifier_school_id_idx"), table_name="school_identifier", schema="outcomes")
    op.drop_table("school_identifier", schema="outcomes")
    op.drop_table("release_file", schema="outcomes")
    op.drop_table("rejection", schema="outcomes")
    op.drop_index(op.f("observation_urn_idx"), table_name="observation", schema="outcomes")
    op.drop_index(op.f("observation_measure_academic_year_idx"), table_name="observation", schema="outcomes")
    op.drop_table("observation", schema="outcomes")
    op.drop_index(op.f("establishment_link_urn_idx"), table_name="establishment_link", schema="outcomes")
    op.drop_index(op.f("establishment_link_linked_urn_idx"), table_name="establishment_link", schema="outcomes")
    op.drop_table("establishment_link", schema="outcomes")
    op.drop_index(op.f("establishment_trust_uid_idx"), table_name="establishment", schema="outcomes")
    op.drop_index(op.f("establishment_school_id_idx"), table_name="establishment", schema="outcomes")
    op.drop_index(op.f("establishment_region_idx"), table_name="establishment", schema="outcomes")
    op.drop_index(op.f("establishment_la_code_idx"), table_name="establishment", schema="outcomes")
    op.drop_table("establishment", schema="outcomes")
    op.drop_index(op.f("current_release_release_id_idx"), table_name="current_release", schema="outcomes")
    op.drop_table("current_release", schema="outcomes")
    op.drop_table("school", schema="outcomes")
    op.drop_index(op.f("ring_fence_supplier_uid_idx"), table_name="ring_fence", schema="outcomes")
    op.drop_index(op.f("ring_fence_school_urn_idx"), table_name="ring_fence", schema="outcomes")
    op.drop_table("ring_fence", schema="outcomes")
    op.drop_index(op.f("release_feed_idx"), table_name="release", schema="outcomes")
    op.drop_table("release", schema="outcomes")
    op.drop_index(op.f("membership_urn_idx"), table_name="membership", schema="outcomes")
    op.drop_index(op.f("membership_trust_uid_idx"), table_name="membership", schema="outcomes")
    op.drop_index("membership_open_idx", table_name="membership", schema="outcomes", postgresql_where="left_on IS NULL")
    op.drop_table("membership", schema="outcomes")
    op.drop_index(
        "job_waiting_idx", table_name="job", schema="outcomes", postgresql_where=sa.text("lease_until IS NULL")
    )
    op.drop_index(op.f("job_run_at_idx"), table_name="job", schema="outcomes")
    op.drop_table("job", schema="outcomes")
    op.drop_table("idempotency_key", schema="outcomes")
    op.drop_table("full_membership", schema="outcomes")
    op.drop_index(op.f("event_txid_position_idx"), table_name="event", schema="outcomes")
    op.drop_index(op.f("event_subject_id_idx"), table_name="event", schema="outcomes")
    op.drop_table("event", schema="outcomes")
    op.drop_index(op.f("evaluation_contract_id_idx"), table_name="evaluation", schema="outcomes")
    op.drop_table("evaluation", schema="outcomes")
