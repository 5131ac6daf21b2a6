"""Records that were taken back, and what each record said."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import bound, grant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply. What earlier records said is in the event of the decision that each of them made."""
    op.add_column("applied_record", sa.Column("status", sa.String(length=20), nullable=True), schema="contracts")
    op.add_column("applied_record", sa.Column("occurred_on", sa.Date(), nullable=True), schema="contracts")
    op.execute(
        "UPDATE contracts.applied_record a SET status = e.data ->> 'milestone_status', occurred_on ="
        " (e.data #>> ARRAY['changes', 'milestone/' || a.milestone_code, 'changed', 'decided_on', 'new'])::date"
        " FROM contracts.event e WHERE e.type = 'milestone.decided' AND e.subject_id = a.contract_id"
        " AND e.data ->> 'record_id' = a.record_id::text"
    )
    op.execute(
        "UPDATE contracts.applied_record a SET occurred_on = m.decided_on FROM contracts.milestone m"
        " WHERE m.record_id = a.record_id"
    )
    op.create_table(
        "applied_withdrawal",
        sa.Column("withdrawal_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract.id"], name=op.f("applied_withdrawal_contract_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["contracts.applied_record.record_id"], name=op.f("applied_withdrawal_record_id_fkey")
        ),
        sa.PrimaryKeyConstraint("withdrawal_id", name=op.f("applied_withdrawal_pkey")),
        sa.UniqueConstraint("record_id", name=op.f("applied_withdrawal_record_id_key")),
        schema="contracts",
    )
    op.create_index(
        op.f("applied_withdrawal_contract_id_idx"),
        "applied_withdrawal",
        ["contract_id"],
        unique=False,
        schema="contracts",
    )
    grant("contracts", append_only=("applied_withdrawal",), changing=(), deleting=())
    bound(
        "contracts.applied_withdrawal",
        "EXISTS (SELECT FROM contracts.contract c WHERE c.id = applied_withdrawal.contract_id)",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("applied_withdrawal", schema="contracts")
    op.drop_column("applied_record", "occurred_on", schema="contracts")
    op.drop_column("applied_record", "status", schema="contracts")
