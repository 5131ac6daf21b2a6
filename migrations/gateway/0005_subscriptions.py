"""Who is told: announcements, subscriptions, and deliveries with their attempts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import EVERYTHING, KIND, bound, grant, setting

revision = "0005"
down_revision = "0004"

JSON = postgresql.JSONB(astext_type=sa.Text())
INSTANT = sa.DateTime(timezone=True)
SOURCES = ("announce:contracts", "announce:gateway")
"""Whose events are announced: from their beginning, so that the feed has what happened before there was one."""
NOW = sa.text("clock_timestamp()")
CONCERNS = """
CREATE FUNCTION gateway.concerns(
    a gateway.announcement, kind text, organisation text, regions jsonb, la_codes jsonb, trust_uid text, urns jsonb
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN kind IN ('service', 'dfe') THEN true
        WHEN kind = 'commissioner' THEN (a).organisation = organisation
            AND ((regions = '[]' AND la_codes = '[]') OR regions ? (a).region OR la_codes ? (a).la_code)
        WHEN kind = 'supplier' THEN (a).offered AND (a).supplier_uid = trust_uid
        WHEN kind = 'responsible_body' THEN (a).offered
            AND (urns ? (a).school_urn::text OR (a).responsible_uid = nullif(trust_uid, ''))
        ELSE false END
$$
"""
"""Whom an announcement concerns: asked of callers by row security, and of clients when deliveries are made."""


def listed(name: str, separator: str) -> str:
    """A list among the bounds of the present caller, as JSON."""
    return f"to_jsonb(string_to_array({setting(name)}, '{separator}'))"


CALLER = ", ".join(
    (
        KIND,
        setting("organisation"),
        listed("regions", "|"),
        listed("la_codes", ","),
        setting("trust_uid"),
        listed("urns", ","),
    )
)
OWN = f"{EVERYTHING} OR organisation = {setting('organisation')}"
THROUGH_SUBSCRIPTION = f"{EVERYTHING} OR EXISTS (SELECT FROM gateway.subscription s WHERE s.id = subscription_id)"
THROUGH_DISPATCH = f"{EVERYTHING} OR EXISTS (SELECT FROM gateway.dispatch d WHERE d.id = dispatch_id)"
BOUND = {
    "announcement": f"gateway.concerns(announcement, {CALLER})",
    "subscription": OWN,
    "dispatch": THROUGH_SUBSCRIPTION,
    "line": THROUGH_SUBSCRIPTION,
    "attempt": THROUGH_DISPATCH,
}


def upgrade() -> None:
    """Apply."""
    announcements()
    subscriptions()
    deliveries()
    op.execute(CONCERNS)
    grant("gateway", append_only=("announcement", "attempt"), changing=("subscription", "dispatch"), deleting=("line",))
    for table, condition in BOUND.items():
        bound(f"gateway.{table}", condition)
    op.execute(f"INSERT INTO gateway.cursor VALUES {', '.join(f'({source!r}, 0, 0)' for source in SOURCES)}")


def announcements() -> None:
    """What may be told, in one order."""
    op.create_table(
        "announcement",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("la_code", sa.String(length=3), nullable=False),
        sa.Column("supplier_uid", sa.String(length=20), nullable=False),
        sa.Column("responsible_uid", sa.String(length=20), nullable=True),
        sa.Column("school_urn", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("announcement_pkey")),
        sa.UniqueConstraint("id", name=op.f("announcement_id_key")),
        schema="gateway",
    )
    op.create_index(
        op.f("announcement_contract_id_position_idx"), "announcement", ["contract_id", "position"], schema="gateway"
    )


def subscriptions() -> None:
    """Who asked to be told."""
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("types", JSON, nullable=False),
        sa.Column("contract_ids", JSON, nullable=False),
        sa.Column("regions", JSON, nullable=False),
        sa.Column("trust_uids", JSON, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason_code", sa.String(length=20), nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("status IN ('active', 'disabled', 'deleted')", name=op.f("subscription_status_check")),
        sa.CheckConstraint("(status = 'disabled') = (reason_code IS NOT NULL)", name=op.f("subscription_reason_check")),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name=op.f("subscription_previous_check")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["gateway.client.id"], name=op.f("subscription_client_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("subscription_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("subscription_client_id_idx"), "subscription", ["client_id"], schema="gateway")


def deliveries() -> None:
    """What is on its way, and how it went."""
    belongs = ["subscription_id"], ["gateway.subscription.id"]
    op.create_table(
        "dispatch",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=10), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'delivered', 'given_up', 'withheld')", name=op.f("dispatch_status_check")
        ),
        sa.ForeignKeyConstraint(*belongs, name=op.f("dispatch_subscription_id_fkey")),
        sa.ForeignKeyConstraint(["position"], ["gateway.announcement.position"], name=op.f("dispatch_position_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("dispatch_pkey")),
        sa.UniqueConstraint("subscription_id", "position", name=op.f("dispatch_subscription_id_position_key")),
        schema="gateway",
    )
    op.create_index(
        "dispatch_waiting_idx",
        "dispatch",
        ["subscription_id", "subject_id", "position", "id"],
        schema="gateway",
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(op.f("dispatch_subscription_id_id_idx"), "dispatch", ["subscription_id", "id"], schema="gateway")
    op.create_table(
        "line",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(*belongs, name=op.f("line_subscription_id_fkey")),
        sa.PrimaryKeyConstraint("subscription_id", "subject_id", name=op.f("line_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("line_subscription_id_due_at_idx"), "line", ["subscription_id", "due_at"], schema="gateway")
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("dispatch_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["dispatch_id"], ["gateway.dispatch.id"], name=op.f("attempt_dispatch_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("attempt_pkey")),
        schema="gateway",
    )
    op.create_index(op.f("attempt_dispatch_id_idx"), "attempt", ["dispatch_id"], schema="gateway")


def downgrade() -> None:
    """Take back."""
    for table in ("attempt", "line", "dispatch", "subscription"):
        op.drop_table(table, schema="gateway")
    op.execute("DROP POLICY caller ON gateway.announcement")
    op.execute("DELETE FROM gateway.cursor WHERE source LIKE 'announce:%'")
    signature = "gateway.announcement, text, text, jsonb, jsonb, text, jsonb"
    op.execute(f"DROP FUNCTION gateway.concerns({signature})")
    op.drop_table("announcement", schema="gateway")
