"""Lists of contracts by indexes, however many there are, and row-level security that is asked once a statement."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.rights import KIND, asked, bound, definer, party, setting

revision = "0013"
down_revision = "0012"

NARROWED = (("status",), ("region",), ("region", "status"), ("organisation",), ("organisation", "status"))
INDEXES = tuple((*names, *order) for names in (*NARROWED, ()) for order in (("id",), ("ends_on", "id")))
PRESENT = {("id",), ("organisation", "id")}
"""Those that there are."""
URNS = f"string_to_array({setting('urns')}, ',')"
OF_BODY = f"""
    SELECT coalesce(array_agg(id), '{{}}') FROM (
        SELECT c.id FROM contracts.contract c WHERE c.school_urn = ANY (array_remove({URNS}, '')::integer[])
        UNION SELECT c.id FROM contracts.contract c
            WHERE c.responsible_body ->> 'uid' = nullif({setting("trust_uid")}, '')
        UNION SELECT c.id FROM unnest({URNS}) AS u (urn) JOIN contracts.contract c
            ON c.identifiers @> jsonb_build_array(jsonb_build_object('scheme', 'urn', 'value', u.urn))) AS its
"""
"""The contracts of the calling responsible body: of its schools, under any URN that they had, and of its trust."""
SEEN = (
    f"CASE {asked('kind')} WHEN 'service' THEN true WHEN 'dfe' THEN true"
    f" WHEN 'commissioner' THEN organisation = {asked('organisation')}"
    " AND ((SELECT {regions} = '' AND {la_codes} = '')"
    " OR region = ANY ((SELECT string_to_array({regions}, '|'))::text[])"
    " OR la_code = ANY ((SELECT string_to_array({la_codes}, ','))::text[]))"
    f" WHEN 'supplier' THEN status <> 'draft' AND supplier_uid = {asked('trust_uid')}"
    " WHEN 'responsible_body' THEN status <> 'draft' AND id = ANY ((SELECT contracts.of_body())::uuid[])"
    " ELSE false END"
).format(**{name: setting(name) for name in ("regions", "la_codes")})
ANY_URN = (
    "EXISTS (SELECT FROM jsonb_array_elements(identifiers) AS i WHERE i ->> 'scheme' = 'urn'"
    f" AND i ->> 'value' = ANY ({URNS}))"
)


def index(name: str, columns: list[Any], **more: Any) -> None:
    """An index on contracts."""
    op.create_index(op.f(f"contract_{name}_idx"), "contract", columns, schema="contracts", **more)


def upgrade() -> None:
    """Apply."""
    for columns in INDEXES:
        if columns not in PRESENT:
            index("_".join(columns), list(columns))
    index("responsible_uid", [sa.text("(responsible_body ->> 'uid')")])
    index("identifiers", ["identifiers"], postgresql_using="gin", postgresql_ops={"identifiers": "jsonb_path_ops"})
    live = sa.text("resolved_on IS NULL")
    op.create_index(
        "supplier_matter_live_idx", "supplier_matter", ["school_urn"], schema="contracts", postgresql_where=live
    )
    op.create_index(op.f("invoice_issued_on_idx"), "invoice", ["issued_on"], schema="contracts")
    definer("contracts", "of_body()", "uuid[]", OF_BODY)
    op.execute("ALTER FUNCTION contracts.of_body() STABLE")
    op.execute("DROP POLICY caller ON contracts.contract")
    for verb in ("select", "update"):
        op.execute(f"DROP POLICY earlier_urn_{verb} ON contracts.contract")
    bound("contracts.contract", SEEN)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP POLICY caller ON contracts.contract")
    bound("contracts.contract", party("responsible_body ->> 'uid'"))
    for verb in ("SELECT", "UPDATE"):
        op.execute(
            f"CREATE POLICY earlier_urn_{verb.lower()} ON contracts.contract FOR {verb} USING"
            f" ({KIND} = 'responsible_body' AND status <> 'draft' AND {ANY_URN})"
        )
    op.execute("DROP FUNCTION contracts.of_body()")
    op.drop_index(op.f("invoice_issued_on_idx"), "invoice", schema="contracts")
    op.drop_index("supplier_matter_live_idx", "supplier_matter", schema="contracts")
    names = ["_".join(columns) for columns in INDEXES if columns not in PRESENT]
    for name in (*names, "responsible_uid", "identifiers"):
        op.drop_index(op.f(f"contract_{name}_idx"), "contract", schema="contracts")
