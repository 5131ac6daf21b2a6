"""Transfers in full: days with their reasons, conditions of consents, longer task lists, hand-over, discrepancies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import bound, grant

revision = "0007"
down_revision = "0006"

JSON = postgresql.JSONB(astext_type=sa.Text())
INSTANT = sa.DateTime(timezone=True)
THROUGH_TRANSFER = "EXISTS (SELECT FROM gateway.transfer t WHERE t.id = transfer_id)"
THROUGH_CONSENT = "EXISTS (SELECT FROM gateway.consent c WHERE c.id = consent_id)"
BOUND = {
    "effective_day": THROUGH_TRANSFER,
    "fulfilment": THROUGH_CONSENT,
    "hand_over": THROUGH_TRANSFER,
    "discrepancy": THROUGH_TRANSFER,
}
ACTORS = {
    "commissioner": "delivery_officer",
    "supplier": "incoming_trust",
    "responsible_body": "outgoing_trust",
    "worker": "system",
}


def upgrade() -> None:
    """Apply."""
    widen_transfers()
    widen_steps()
    op.add_column("consent", sa.Column("until", sa.Date(), nullable=True), schema="gateway")
    make_tables()
    grant("gateway", append_only=("effective_day", "fulfilment"), changing=("hand_over", "discrepancy"), deleting=())
    for table, condition in BOUND.items():
        bound(f"gateway.{table}", condition)
    for table in ("effective_day", "fulfilment"):
        op.execute(
            f"CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON gateway.{table}"
            " FOR EACH ROW EXECUTE FUNCTION gateway.keep()"
        )
        op.execute(
            f"CREATE TRIGGER keep_all BEFORE TRUNCATE ON gateway.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION gateway.keep()"
        )


def widen_transfers() -> None:
    """What a transfer holds beyond its first version; one under way keeps its list, its day counts as confirmed."""
    op.alter_column("transfer", "reason_code", type_=sa.String(length=80), schema="gateway")
    for column in (
        sa.Column("confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hold", JSON, nullable=True),
        sa.Column("ground", JSON, nullable=True),
        sa.Column("template_version", sa.String(length=10), server_default="1", nullable=False),
        sa.Column("register_confirmed_at", INSTANT, nullable=True),
    ):
        op.add_column("transfer", column, schema="gateway")
    op.execute("UPDATE gateway.transfer SET confirmed = effective_on IS NOT NULL")
    op.alter_column("transfer", "confirmed", server_default=None, schema="gateway")
    op.alter_column("transfer", "template_version", server_default=None, schema="gateway")
    op.create_check_constraint(
        op.f("transfer_confirmed_day_check"), "transfer", "NOT confirmed OR effective_on IS NOT NULL", schema="gateway"
    )


def widen_steps() -> None:
    """What a step holds beyond its first version. Places may be given anew when a list moves to a newer template."""
    op.drop_constraint("transfer_step_transfer_id_place_key", "transfer_step", schema="gateway")
    for column in (
        sa.Column("actor", sa.String(length=40), nullable=True),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("asks", JSON, server_default="[]", nullable=False),
        sa.Column("known", JSON, nullable=True),
        sa.Column("answer", JSON, nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
    ):
        op.add_column("transfer_step", column, schema="gateway")
    for owner, actor in ACTORS.items():
        op.execute(f"UPDATE gateway.transfer_step SET actor = '{actor}' WHERE owner = '{owner}'")
    op.alter_column("transfer_step", "actor", nullable=False, schema="gateway")
    op.alter_column("transfer_step", "asks", server_default=None, schema="gateway")


def make_tables() -> None:
    """The new tables."""
    op.create_table(
        "effective_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", JSON, nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["gateway.transfer.id"], name=op.f("effective_day_transfer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("effective_day_pkey")),
        schema="gateway",
    )
    op.create_index(
        op.f("effective_day_transfer_id_idx"), "effective_day", ["transfer_id"], unique=False, schema="gateway"
    )
    op.create_table(
        "fulfilment",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fulfilled_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", JSON, nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["gateway.consent.id"], name=op.f("fulfilment_consent_id_fkey")),
        sa.PrimaryKeyConstraint("consent_id", "number", name=op.f("fulfilment_pkey")),
        schema="gateway",
    )
    op.create_table(
        "hand_over",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("package", JSON, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("acknowledged_at", INSTANT, nullable=True),
        sa.Column("acknowledged_by", JSON, nullable=True),
        sa.Column("remote_id", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["transfer_id"], ["gateway.transfer.id"], name=op.f("hand_over_transfer_id_fkey")),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("hand_over_pkey")),
        schema="gateway",
    )
    op.create_table(
        "discrepancy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["transfer_id"], ["gateway.transfer.id"], name=op.f("discrepancy_transfer_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("discrepancy_pkey")),
        schema="gateway",
    )
    op.create_index(
        "discrepancy_open_idx",
        "discrepancy",
        ["transfer_id", "kind"],
        unique=True,
        schema="gateway",
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("discrepancy", "hand_over", "fulfilment", "effective_day"):
        op.drop_table(table, schema="gateway")
    op.drop_column("consent", "until", schema="gateway")
    for name in ("started_at", "answer", "known", "asks", "document", "actor"):
        op.drop_column("transfer_step", name, schema="gateway")
    op.create_unique_constraint(
        "transfer_step_transfer_id_place_key", "transfer_step", ["transfer_id", "place"], schema="gateway"
    )
    op.drop_constraint("transfer_confirmed_day_check", "transfer", schema="gateway")
    for name in ("register_confirmed_at", "template_version", "ground", "hold", "confirmed"):
        op.drop_column("transfer", name, schema="gateway")
