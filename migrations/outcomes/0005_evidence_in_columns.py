"""Evidence read by columns: keys that are what a row is known by, the register's changes, and verdicts by release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import grant

revision = "0005"
down_revision = "0004"

WATCHED = ("establishment", "membership", "ring_fence")
KEYS = {
    "observation": ("release_id", "measure", "academic_year", "urn"),
    "school_identifier": ("school_id", "scheme", "value"),
}
"""What rows that come in by the hundred thousand are known by; a number of their own would be one index more."""
UNIQUE = {
    "observation": ("release_id", "urn", "measure", "academic_year"),
    "school_identifier": ("scheme", "value", "school_id"),
}
INDEXES = {"observation": ("measure", "academic_year"), "school_identifier": ("school_id",)}
REFERENCES = (
    ("observation", "release_id", "release"),
    ("establishment", "release_id", "release"),
    ("establishment", "school_id", "school"),
    ("school_identifier", "school_id", "school"),
)
"""Checked row by row, a reference costs more than the row; nobody may delete what these name (decision 0015)."""


def upgrade() -> None:
    """Apply."""
    for table, column, _named in REFERENCES:
        op.drop_constraint(op.f(f"{table}_{column}_fkey"), table, schema="outcomes")
    for table, key in KEYS.items():
        op.drop_constraint(op.f(f"{table}_{'_'.join(UNIQUE[table])}_key"), table, schema="outcomes")
        op.drop_index(op.f(f"{table}_{'_'.join(INDEXES[table])}_idx"), table_name=table, schema="outcomes")
        op.drop_constraint(op.f(f"{table}_pkey"), table, schema="outcomes")
        op.drop_column(table, "id", schema="outcomes")
        op.create_primary_key(op.f(f"{table}_pkey"), table, list(key), schema="outcomes")
    watch_register()
    packing = sa.Column("packing", sa.String(length=10), server_default="none", nullable=False)
    op.add_column("release_file", packing, schema="outcomes")
    op.alter_column("release_file", "packing", server_default=None, schema="outcomes")
    op.execute("ALTER TABLE outcomes.release_file ALTER COLUMN content SET STORAGE EXTERNAL")
    uuids = postgresql.ARRAY(sa.Uuid())
    op.add_column("evaluation", sa.Column("releases", uuids, server_default="{}", nullable=False), schema="outcomes")
    op.alter_column("evaluation", "releases", server_default=None, schema="outcomes")
    op.add_column("evaluation", sa.Column("reopened_by", sa.Uuid(), nullable=True), schema="outcomes")
    op.create_index(
        op.f("evaluation_releases_idx"), "evaluation", ["releases"], schema="outcomes", postgresql_using="gin"
    )


def watch_register() -> None:
    """Note every change of the register, whoever makes it."""
    op.create_table(
        "register_change",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("register_change_pkey")),
        schema="outcomes",
    )
    op.execute("INSERT INTO outcomes.register_change DEFAULT VALUES")
    grant("outcomes", append_only=("register_change",), changing=(), deleting=())
    op.execute(
        "CREATE FUNCTION outcomes.note_register_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO outcomes.register_change DEFAULT VALUES; RETURN NULL; END $$"
    )
    for table in WATCHED:
        op.execute(
            "CREATE TRIGGER register_changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE"
            f" ON outcomes.{table} FOR EACH STATEMENT EXECUTE FUNCTION outcomes.note_register_change()"
        )


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("evaluation_releases_idx"), table_name="evaluation", schema="outcomes")
    op.drop_column("evaluation", "reopened_by", schema="outcomes")
    op.drop_column("evaluation", "releases", schema="outcomes")
    op.drop_column("release_file", "packing", schema="outcomes")
    op.execute("ALTER TABLE outcomes.release_file ALTER COLUMN content SET STORAGE EXTENDED")
    for table in WATCHED:
        op.execute(f"DROP TRIGGER register_changes ON outcomes.{table}")
    op.execute("DROP FUNCTION outcomes.note_register_change()")
    op.drop_table("register_change", schema="outcomes")
    for table in KEYS:
        op.drop_constraint(op.f(f"{table}_pkey"), table, schema="outcomes")
        number = sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)
        op.add_column(table, number, schema="outcomes")
        op.create_primary_key(op.f(f"{table}_pkey"), table, ["id"], schema="outcomes")
        op.create_index(op.f(f"{table}_{'_'.join(INDEXES[table])}_idx"), table, INDEXES[table], schema="outcomes")
        unique = UNIQUE[table]
        op.create_unique_constraint(op.f(f"{table}_{'_'.join(unique)}_key"), table, unique, schema="outcomes")
    for table, column, named in REFERENCES:
        op.create_foreign_key(
            op.f(f"{table}_{column}_fkey"),
            table,
            named,
            [column],
            ["id"],
            source_schema="outcomes",
            referent_schema="outcomes",
        )
