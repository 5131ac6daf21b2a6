"""Inspections on the scales of their time, and what DfE reckoned of trusts itself."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import grant

revision = "0006"
down_revision = "0005"

TABLES = ("inspection", "judgement", "trust_observation")
ONE_SCALE = (
    "(scale = 'old4' AND (grade_code IN ('1') AND ordinal = 1 OR grade_code IN ('2') AND ordinal = 2"
    " OR grade_code IN ('3') AND ordinal = 3 OR grade_code IN ('4') AND ordinal = 4"
    " OR grade_code IN ('0', '8', '9', 'not_judged') AND ordinal IS NULL))"
    " OR (scale = 'new5' AND (grade_code IN ('exceptional') AND ordinal = 5"
    " OR grade_code IN ('strong_standard') AND ordinal = 4 OR grade_code IN ('expected_standard') AND ordinal = 3"
    " OR grade_code IN ('needs_attention') AND ordinal = 2 OR grade_code IN ('urgent_improvement') AND ordinal = 1"
    " OR grade_code IN ('not_applicable', 'not_judged') AND ordinal IS NULL))"
)
"""No row mixes scales, and none gives a number to what is no grade."""


def upgrade() -> None:
    """Apply."""
    release = sa.ForeignKeyConstraint(["release_id"], ["outcomes.release.id"], name=op.f("inspection_release_id_fkey"))
    op.create_table(
        "inspection",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("listed_under", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("kind", sa.String(length=100), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("framework", sa.String(length=20), nullable=False),
        sa.Column("concern", sa.String(length=40), nullable=True),
        sa.Column("safeguarding", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        release,
        sa.PrimaryKeyConstraint("release_id", "urn", "started_on", name=op.f("inspection_pkey")),
        schema="outcomes",
    )
    for name in ("urn", "listed_under"):
        op.create_index(op.f(f"inspection_{name}_idx"), "inspection", [name], schema="outcomes")
    key = ("release_id", "urn", "started_on")
    op.create_table(
        "judgement",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("urn", sa.Integer(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("scale", sa.String(length=10), nullable=False),
        sa.Column("grade_code", sa.String(length=20), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.CheckConstraint(ONE_SCALE, name=op.f("judgement_one_scale_check")),
        sa.ForeignKeyConstraint(
            key, [f"outcomes.inspection.{name}" for name in key], name=op.f("judgement_release_id_urn_started_on_fkey")
        ),
        sa.PrimaryKeyConstraint(*key, "area", name=op.f("judgement_pkey")),
        schema="outcomes",
    )
    op.create_table(
        "trust_observation",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("trust_uid", sa.String(length=20), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("pupil_group", sa.String(length=20), nullable=False),
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("lower", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("upper", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("urns", sa.ARRAY(sa.Integer()), nullable=False),
        sa.CheckConstraint(
            "(state = 'ok') = (value IS NOT NULL)", name=op.f("trust_observation_value_or_reason_check")
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["outcomes.release.id"], name=op.f("trust_observation_release_id_fkey")
        ),
        sa.PrimaryKeyConstraint(
            *("release_id", "trust_uid", "measure", "pupil_group", "academic_year"), name=op.f("trust_observation_pkey")
        ),
        schema="outcomes",
    )
    grant("outcomes", append_only=TABLES, changing=(), deleting=())


def downgrade() -> None:
    """Take back."""
    for name in reversed(TABLES):
        op.drop_table(name, schema="outcomes")
