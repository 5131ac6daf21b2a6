"""The register of suppliers, what stands against them, and what may be known of their contracts without seeing them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import EVERYTHING, KIND, bound, grant, setting

revision = "0004"
down_revision = "0003"

JSON = postgresql.JSONB(astext_type=sa.Text())
INSTANT = sa.DateTime(timezone=True)
OVERSEES = f"({EVERYTHING} OR {KIND} = 'commissioner')"
KNOWN = f"coalesce({KIND}, '') <> ''"
ITS_CONTRACT = "EXISTS (SELECT FROM contracts.contract c WHERE c.id = event.subject_id)"
COMMITMENTS = """
CREATE FUNCTION contracts.commitments(uid text, except_contract uuid)
RETURNS TABLE (starts_on date, ends_on date, pupils integer) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.starts_on, least(c.latest_ends_on, (c.termination ->> 'ends_on')::date), c.pupils
    FROM contracts.contract c
    WHERE c.supplier_uid = commitments.uid AND c.id IS DISTINCT FROM commitments.except_contract
        AND c.committed_at IS NOT NULL AND c.status IN ('offered', 'agreed', 'active', 'suspended')
$$
"""
VERDICTS = """
CREATE FUNCTION contracts.verdicts()
RETURNS TABLE (supplier_uid text, intervention text, overall text, contracts bigint) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH held AS (
        SELECT c.supplier_uid::text AS uid, c.interventions,
            CASE WHEN c.evaluation ->> 'run' = 'final' THEN c.evaluation ->> 'overall'
                WHEN c.status IN ('agreed', 'active', 'suspended') THEN 'running' ELSE 'unjudged' END AS verdict
        FROM contracts.contract c WHERE c.status NOT IN ('draft', 'offered', 'cancelled')
    )
    SELECT uid, NULL, verdict, count(*) FROM held GROUP BY uid, verdict
    UNION ALL
    SELECT uid, i.code, verdict, count(*) FROM held CROSS JOIN LATERAL (
        SELECT DISTINCT each ->> 'code' AS code FROM jsonb_array_elements(held.interventions) AS each) AS i
    GROUP BY uid, i.code, verdict
$$
"""
LIVE_MATTERS = """
CREATE FUNCTION contracts.live_matters(urns integer[])
RETURNS TABLE (supplier_uid text, kind text) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT m.supplier_uid::text, m.kind::text FROM contracts.supplier_matter m
    WHERE m.resolved_on IS NULL AND (m.school_urn IS NULL OR m.school_urn = ANY (live_matters.urns))
$$
"""
FUNCTIONS = {
    "commitments(text, uuid)": COMMITMENTS,
    "verdicts()": VERDICTS,
    "live_matters(integer[])": LIVE_MATTERS,
}
"""What callers may not see row by row, and what of it is needed to decide: figures and kinds, no contract, no words."""


def own(uid: str) -> str:
    """Who may write about a supplier and see what stands against it: those who keep the register, and itself."""
    return f"({OVERSEES} OR ({KIND} = 'supplier' AND {uid} = nullif({setting('trust_uid')}, '')))"


def upgrade() -> None:
    """Apply."""
    tables()
    op.add_column("contract", sa.Column("pupils", sa.Integer(), nullable=True), schema="contracts")
    op.add_column("contract", sa.Column("committed_at", INSTANT, nullable=True), schema="contracts")
    op.execute("UPDATE contracts.contract SET pupils = (school ->> 'pupils')::integer")
    op.execute(
        "UPDATE contracts.contract c SET committed_at = s.recorded_at FROM contracts.signature s"
        " WHERE s.contract_id = c.id AND s.party = 'supplier' AND c.status NOT IN ('draft', 'cancelled')"
        " AND s.document = 'offer/' || (c.offer ->> 'number')"
    )
    bounds()
    for signature, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION contracts.{signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION contracts.{signature} TO ringfence_contracts")


def tables() -> None:
    """The register's two tables."""
    op.create_table(
        "supplier",
        sa.Column("uid", sa.String(length=20), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("suspension", JSON, nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(length=20), nullable=True),
        sa.Column("ukprn", sa.String(length=8), nullable=True),
        sa.Column("companies_house_number", sa.String(length=8), nullable=True),
        sa.Column("max_contracts", sa.Integer(), nullable=False),
        sa.Column("max_pupils", sa.Integer(), nullable=False),
        sa.Column("phases", JSON, nullable=False),
        sa.Column("interventions", JSON, nullable=False),
        sa.Column("registered_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("status IN ('registered', 'suspended')", name=op.f("supplier_status_check")),
        sa.CheckConstraint("(status = 'suspended') = (suspension IS NOT NULL)", name=op.f("supplier_suspension_check")),
        sa.CheckConstraint("max_contracts >= 0 AND max_pupils >= 0", name=op.f("supplier_capacity_check")),
        sa.PrimaryKeyConstraint("uid", name=op.f("supplier_pkey")),
        sa.UniqueConstraint("id", name=op.f("supplier_id_key")),
        schema="contracts",
    )
    op.create_table(
        "supplier_matter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("supplier_uid", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("school_urn", sa.Integer(), nullable=True),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("raised_by", JSON, nullable=False),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("resolved_by", JSON, nullable=True),
        sa.CheckConstraint("kind IN ('concern', 'conflict')", name=op.f("supplier_matter_kind_check")),
        sa.CheckConstraint("school_urn IS NULL OR kind = 'conflict'", name=op.f("supplier_matter_school_check")),
        sa.CheckConstraint(
            "(resolved_on IS NULL) = (resolution IS NULL) AND (resolved_on IS NULL) = (resolved_by IS NULL)",
            name=op.f("supplier_matter_resolved_check"),
        ),
        sa.CheckConstraint("resolved_on >= raised_on", name=op.f("supplier_matter_days_check")),
        sa.ForeignKeyConstraint(
            ["supplier_uid"], ["contracts.supplier.uid"], name=op.f("supplier_matter_supplier_uid_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_matter_pkey")),
        schema="contracts",
    )
    op.create_index(
        op.f("supplier_matter_supplier_uid_idx"), "supplier_matter", ["supplier_uid"], unique=False, schema="contracts"
    )


def bounds() -> None:
    """The register is open to every caller and written by few; matters are for those whom they concern.

    Every caller may lock an entry, for it is locked while a contract is signed; none may write another one's.
    """
    grant("contracts", append_only=(), changing=("supplier", "supplier_matter"), deleting=())
    for table in ("supplier", "supplier_matter"):
        op.execute(f"ALTER TABLE contracts.{table} ENABLE ROW LEVEL SECURITY")
    mine, matters = own("uid"), own("supplier_uid")
    declared = f"{matters} AND ({OVERSEES} OR kind = 'conflict')"
    op.execute(f"CREATE POLICY reading ON contracts.supplier FOR SELECT USING ({KNOWN})")
    op.execute(f"CREATE POLICY adding ON contracts.supplier FOR INSERT WITH CHECK ({mine})")
    op.execute(f"CREATE POLICY changing ON contracts.supplier FOR UPDATE USING ({KNOWN}) WITH CHECK ({mine})")
    op.execute(f"CREATE POLICY reading ON contracts.supplier_matter FOR SELECT USING ({matters})")
    op.execute(f"CREATE POLICY adding ON contracts.supplier_matter FOR INSERT WITH CHECK ({declared})")
    op.execute(f"CREATE POLICY changing ON contracts.supplier_matter FOR UPDATE USING ({OVERSEES})")
    op.execute("DROP POLICY caller ON contracts.event")
    its = "EXISTS (SELECT FROM contracts.supplier s WHERE s.id = event.subject_id"
    writing = f"type LIKE ANY (ARRAY['supplier.%', 'matter.%']) AND {its} AND {own('s.uid')})"
    reading = f"(type LIKE 'supplier.%' AND {its})) OR (type LIKE 'matter.%' AND {its} AND {own('s.uid')}))"
    bound("contracts.event", f"{ITS_CONTRACT} OR {reading}", writing=f"{ITS_CONTRACT} OR ({writing})")


def downgrade() -> None:
    """Take back."""
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION contracts.{signature}")
    op.execute("DROP POLICY caller ON contracts.event")
    bound("contracts.event", ITS_CONTRACT)
    for name in ("committed_at", "pupils"):
        op.drop_column("contract", name, schema="contracts")
    op.drop_table("supplier_matter", schema="contracts")
    op.drop_table("supplier", schema="contracts")
