"""Facts for the hand-over that no register has: the RSC tells them with its decision."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0011"
down_revision = "0010"

TOLD: dict[str, TypeEngine[Any]] = {
    "directive_academy_order": sa.Boolean(),
    "academy_order_on": sa.Date(),
    "financial_reasons": sa.Boolean(),
    "safeguarding_reasons": sa.Boolean(),
    "governance_reasons": sa.Boolean(),
    "prepare_id": sa.Integer(),
    "project_group": sa.String(length=12),
}


def upgrade() -> None:
    """Apply."""
    for name, kind in TOLD.items():
        op.add_column("consent", sa.Column(name, kind, nullable=True), schema="gateway")
    op.create_check_constraint(
        op.f("consent_told_by_rsc_check"),
        "consent",
        f"by = 'rsc' OR num_nonnulls({', '.join(TOLD)}) = 0",
        schema="gateway",
    )


def downgrade() -> None:
    """Take back; what was told is forgotten, and cannot be checked against the log any more."""
    op.drop_constraint(op.f("consent_told_by_rsc_check"), "consent", schema="gateway")
    for name in TOLD:
        op.drop_column("consent", name, schema="gateway")
