"""Evidence read by columns: observations by release and measure, the register's changes, and verdicts by release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import grant

revision = "0005"
down_revision = "0004"

WATCHED = ("establishment", "membership", "ring_fence")
BY_SCHOOL = ["release_id", "urn", "measure", "academic_year"]
BY_COLUMN = ["release_id", "measure", "academic_year", "urn"]


def unique(columns: list[str]) -> str:
    """The name of the constraint that an observation is there once."""
    return f"observation_{'_'.join(columns)}_key"


def upgrade() -> None:
    """Apply."""
    op.create_unique_constraint(op.f(unique(BY_COLUMN)), "observation", BY_COLUMN, schema="outcomes")
    op.drop_constraint(op.f(unique(BY_SCHOOL)), "observation", schema="outcomes")
    op.drop_index(op.f("observation_measure_academic_year_idx"), table_name="observation", schema="outcomes")
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
    uuids = postgresql.ARRAY(sa.Uuid())
    op.add_column("evaluation", sa.Column("releases", uuids, server_default="{}", nullable=False), schema="outcomes")
    op.alter_column("evaluation", "releases", server_default=None, schema="outcomes")
    op.add_column("evaluation", sa.Column("reopened_by", sa.Uuid(), nullable=True), schema="outcomes")
    op.create_index(
        op.f("evaluation_releases_idx"), "evaluation", ["releases"], schema="outcomes", postgresql_using="gin"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("evaluation_releases_idx"), table_name="evaluation", schema="outcomes")
    op.drop_column("evaluation", "reopened_by", schema="outcomes")
    op.drop_column("evaluation", "releases", schema="outcomes")
    for table in WATCHED:
        op.execute(f"DROP TRIGGER register_changes ON outcomes.{table}")
    op.execute("DROP FUNCTION outcomes.note_register_change()")
    op.drop_table("register_change", schema="outcomes")
    op.create_index(
        op.f("observation_measure_academic_year_idx"), "observation", ["measure", "academic_year"], schema="outcomes"
    )
    op.create_unique_constraint(op.f(unique(BY_SCHOOL)), "observation", BY_SCHOOL, schema="outcomes")
    op.drop_constraint(op.f(unique(BY_COLUMN)), "observation", schema="outcomes")
