"""Contracts by status, and all transfers of a contract, are found by indexes."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Apply."""
    op.create_index("contract_ref_status_idx", "contract_ref", ["status", "contract_id"], schema="gateway")
    op.create_index(op.f("transfer_contract_id_idx"), "transfer", ["contract_id"], schema="gateway")


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("transfer_contract_id_idx"), "transfer", schema="gateway")
    op.drop_index("contract_ref_status_idx", "contract_ref", schema="gateway")
