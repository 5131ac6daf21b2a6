"""Rights and row-level security of the gateway's tables."""

from alembic import op

from migrations.rights import EVERYTHING, bound, grant, party, setting

revision = "0002"
down_revision = "0001"

THROUGH_CONTRACT = "EXISTS (SELECT FROM gateway.contract_ref r WHERE r.contract_id = {column})"
THROUGH_TRANSFER = "EXISTS (SELECT FROM gateway.transfer t WHERE t.id = transfer_id)"
THROUGH_RECORD = "EXISTS (SELECT FROM gateway.milestone_record m WHERE m.id = record_id)"
BOUND = {
    "client": EVERYTHING,
    "api_key": f"{EVERYTHING} OR ({setting('kind')} = 'supplier' AND trust_uid = {setting('trust_uid')})",
    "contract_ref": party("responsible_uid"),
    "milestone_record": THROUGH_CONTRACT.format(column="milestone_record.contract_id"),
    "delivery": THROUGH_RECORD,
    "transfer": THROUGH_CONTRACT.format(column="transfer.contract_id"),
    "consent": THROUGH_TRANSFER,
    "transfer_step": THROUGH_TRANSFER,
    "leaf": THROUGH_CONTRACT.format(column="leaf.subject_id") + f" OR {EVERYTHING}",
    "event": f"{EVERYTHING} OR actor ->> 'organisation' = {setting('organisation')} OR "
    + THROUGH_CONTRACT.format(column="event.subject_id"),
}


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE SEQUENCE gateway.reference")
    grant(
        "gateway",
        append_only=("event", "leaf", "milestone_record", "delivery", "consent", "idempotency_key"),
        changing=("client", "api_key", "contract_ref", "cursor", "transfer", "transfer_step"),
        deleting=("job",),
    )
    for table, condition in BOUND.items():
        bound(f"gateway.{table}", condition)


def downgrade() -> None:
    """Take back."""
    for table in BOUND:
        op.execute(f"DROP POLICY caller ON gateway.{table}")
        op.execute(f"ALTER TABLE gateway.{table} DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA gateway FROM ringfence_gateway")
    op.execute("DROP SEQUENCE gateway.reference")
