"""The log in full: places of leaves, nodes, signed checkpoints; withdrawals; triggers that keep what was written."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import EVERYTHING, KIND, bound, grant

revision = "0003"
down_revision = "0002"

KEPT = (
    "checkpoint",
    "consent",
    "delivery",
    "event",
    "leaf",
    "log_entry",
    "log_node",
    "milestone_record",
    "withdrawal",
    "withdrawal_delivery",
)
ERASABLE = {"leaf": "salt", "milestone_record": "note, evidence", "withdrawal": "reason"}
"""What an erasure may take away; all else stays for ever."""
LEAF = (
    "EXISTS (SELECT FROM gateway.contract_ref r WHERE r.contract_id = leaf.subject_id)"
    " OR EXISTS (SELECT FROM gateway.api_key k WHERE k.id = leaf.subject_id)"
    f" OR {EVERYTHING}"
)
"""A leaf shows to those who see the contract or the key that it is about."""


def upgrade() -> None:
    """Apply."""
    make_tables()
    op.add_column(
        "leaf",
        sa.Column(
            "txid", sa.BigInteger(), server_default=sa.text("(pg_current_xact_id()::text::bigint)"), nullable=False
        ),
        schema="gateway",
    )
    op.add_column("leaf", sa.Column("salt", sa.String(length=64), nullable=True), schema="gateway")
    op.create_index(op.f("leaf_txid_idx"), "leaf", ["txid"], unique=False, schema="gateway")
    grant(
        "gateway",
        append_only=("log_entry", "log_node", "checkpoint", "withdrawal", "withdrawal_delivery"),
        changing=(),
        deleting=(),
    )
    op.execute("DROP POLICY caller ON gateway.leaf")
    bound("gateway.leaf", LEAF)
    for table in ("log_entry", "log_node", "checkpoint"):
        bound(f"gateway.{table}", f"{KIND} <> ''", writing=f"{KIND} = 'service'")
    bound(
        "gateway.withdrawal", "EXISTS (SELECT FROM gateway.contract_ref r WHERE r.contract_id = withdrawal.contract_id)"
    )
    bound("gateway.withdrawal_delivery", "EXISTS (SELECT FROM gateway.withdrawal w WHERE w.id = withdrawal_id)")
    keep()


def make_tables() -> None:
    """The new tables."""
    op.create_table(
        "log_entry",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_id", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["leaf_id"], ["gateway.leaf.id"], name=op.f("log_entry_leaf_id_fkey")),
        sa.PrimaryKeyConstraint("index", name=op.f("log_entry_pkey")),
        sa.UniqueConstraint("leaf_id", name=op.f("log_entry_leaf_id_key")),
        schema="gateway",
    )
    op.create_index(op.f("log_entry_leaf_hash_idx"), "log_entry", ["leaf_hash"], unique=False, schema="gateway")
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("log_node_pkey")),
        schema="gateway",
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("checkpoint_pkey")),
        schema="gateway",
    )
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["gateway.milestone_record.id"], name=op.f("withdrawal_record_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("withdrawal_pkey")),
        sa.UniqueConstraint("record_id", name=op.f("withdrawal_record_id_key")),
        schema="gateway",
    )
    op.create_index(
        op.f("withdrawal_contract_id_id_idx"), "withdrawal", ["contract_id", "id"], unique=False, schema="gateway"
    )
    op.create_table(
        "withdrawal_delivery",
        sa.Column("withdrawal_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["withdrawal_id"], ["gateway.withdrawal.id"], name=op.f("withdrawal_delivery_withdrawal_id_fkey")
        ),
        sa.PrimaryKeyConstraint("withdrawal_id", name=op.f("withdrawal_delivery_pkey")),
        schema="gateway",
    )


def keep() -> None:
    """Refuse UPDATE, DELETE and TRUNCATE to every role, the owner too; an erasure may only empty what is personal."""
    op.execute(
        "CREATE FUNCTION gateway.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF TG_OP = 'UPDATE' AND TG_NARGS > 0 THEN"
        "  IF (to_jsonb(NEW) - string_to_array(TG_ARGV[0], ', ')) = (to_jsonb(OLD) - string_to_array(TG_ARGV[0], ', '))"
        "   AND gateway.emptied(to_jsonb(OLD), to_jsonb(NEW), string_to_array(TG_ARGV[0], ', ')) THEN RETURN NEW;"
        "  END IF;"
        " END IF;"
        " RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';"
        " END $$"
    )
    op.execute(
        "CREATE FUNCTION gateway.emptied(was jsonb, now jsonb, names text[]) RETURNS boolean LANGUAGE sql IMMUTABLE"
        " RETURN (SELECT bool_and(CASE WHEN name = 'evidence' THEN now -> name ="
        "   (SELECT coalesce(jsonb_agg(jsonb_build_object('sha256', each -> 'sha256') ORDER BY place), '[]')"
        "    FROM jsonb_array_elements(was -> name) WITH ORDINALITY AS e (each, place))"
        "  ELSE now -> name = 'null' END) FROM unnest(names) AS name)"
    )
    for table in KEPT:
        erasable = f"'{ERASABLE[table]}'" if table in ERASABLE else ""
        op.execute(
            f"CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON gateway.{table}"
            f" FOR EACH ROW EXECUTE FUNCTION gateway.keep({erasable})"
        )
        op.execute(
            f"CREATE TRIGGER keep_all BEFORE TRUNCATE ON gateway.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION gateway.keep()"
        )


def downgrade() -> None:
    """Take back."""
    for table in KEPT:
        op.execute(f"DROP TRIGGER keep ON gateway.{table}")
        op.execute(f"DROP TRIGGER keep_all ON gateway.{table}")
    op.execute("DROP FUNCTION gateway.keep")
    op.execute("DROP FUNCTION gateway.emptied")
    op.execute("DROP POLICY caller ON gateway.leaf")
    bound(
        "gateway.leaf",
        f"EXISTS (SELECT FROM gateway.contract_ref r WHERE r.contract_id = leaf.subject_id) OR {EVERYTHING}",
    )
    op.drop_index(op.f("leaf_txid_idx"), table_name="leaf", schema="gateway")
    op.drop_column("leaf", "salt", schema="gateway")
    op.drop_column("leaf", "txid", schema="gateway")
    for table in ("withdrawal_delivery", "withdrawal", "checkpoint", "log_node", "log_entry"):
        op.drop_table(table, schema="gateway")
