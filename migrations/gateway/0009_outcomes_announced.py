"""Events of outcomes are announced too: about a contract to its parties, about a release to every client."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BOUNDS = ("organisation", "region", "la_code", "supplier_uid", "school_urn")
CONCERNS = """
CREATE OR REPLACE FUNCTION gateway.concerns(
    a gateway.announcement, kind text, organisation text, regions jsonb, la_codes jsonb, trust_uid text, urns jsonb
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN kind IN ('service', 'dfe') THEN true
        {more}
        WHEN kind = 'commissioner' THEN (a).organisation = organisation
            AND ((regions = '[]' AND la_codes = '[]') OR regions ? (a).region OR la_codes ? (a).la_code)
        WHEN kind = 'supplier' THEN (a).offered AND (a).supplier_uid = trust_uid
        WHEN kind = 'responsible_body' THEN (a).offered
            AND (urns ? (a).school_urn::text OR (a).responsible_uid = nullif(trust_uid, ''))
        ELSE false END
$$
"""
RELEASES = "WHEN (a).release_id IS NOT NULL THEN kind IN ('commissioner', 'supplier', 'responsible_body')"
FROM_NOW_ON = (
    "INSERT INTO gateway.cursor (source, txid, position)"
    " SELECT 'announce:outcomes', max(txid), 0 FROM gateway.cursor WHERE source LIKE 'announce:%'"
)
"""Where others have been announced already, what came before that is not told afterwards."""


def upgrade() -> None:
    """Apply."""
    op.add_column("announcement", sa.Column("release_id", sa.Uuid(), nullable=True), schema="gateway")
    for name in ("contract_id", *BOUNDS):
        op.alter_column("announcement", name, nullable=True, schema="gateway")
    op.create_check_constraint(
        op.f("announcement_about_check"),
        "announcement",
        f"num_nonnulls(release_id, contract_id) = 1 AND num_nonnulls({', '.join(BOUNDS)}) ="
        f" CASE WHEN contract_id IS NULL THEN 0 ELSE {len(BOUNDS)} END",
        schema="gateway",
    )
    op.execute(CONCERNS.format(more=RELEASES))
    op.execute(FROM_NOW_ON)


def downgrade() -> None:
    """Take back; what was told of releases, and its deliveries, is forgotten."""
    op.execute("DELETE FROM gateway.cursor WHERE source = 'announce:outcomes'")
    op.execute(CONCERNS.format(more=""))
    op.drop_constraint(op.f("announcement_about_check"), "announcement", schema="gateway")
    of_releases = "(SELECT position FROM gateway.announcement WHERE release_id IS NOT NULL)"
    dispatches = f"(SELECT id FROM gateway.dispatch WHERE position IN {of_releases})"
    op.execute(f"DELETE FROM gateway.attempt WHERE dispatch_id IN {dispatches}")
    op.execute(f"DELETE FROM gateway.dispatch WHERE position IN {of_releases}")
    op.execute("DELETE FROM gateway.announcement WHERE release_id IS NOT NULL")
    for name in ("contract_id", *BOUNDS):
        op.alter_column("announcement", name, nullable=False, schema="gateway")
    op.drop_column("announcement", "release_id", schema="gateway")
