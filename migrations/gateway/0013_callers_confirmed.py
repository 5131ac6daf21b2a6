"""Callers of whom it is believed how their clients stand are confirmed by the statement that acts for them."""

from alembic import op

revision = "0013"
down_revision = "0012"

CONFIRMED = """
CREATE FUNCTION gateway.confirmed(callers jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(c.caller ORDER BY c.place), '[]')
    FROM jsonb_array_elements(callers) WITH ORDINALITY AS c (caller, place)
    LEFT JOIN gateway.clients_standing(
        ARRAY (SELECT a #>> '{confirm,client_id}' FROM jsonb_array_elements(callers) AS a),
        ARRAY (SELECT a #>> '{confirm,jti}' FROM jsonb_array_elements(callers) AS a)) AS s USING (place)
    WHERE c.caller -> 'confirm' = 'null' OR c.caller #> '{confirm,standing}' = to_jsonb(s) - 'place'
$$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(CONFIRMED)
    op.execute("REVOKE ALL ON FUNCTION gateway.confirmed(jsonb) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION gateway.confirmed(jsonb) TO ringfence_gateway")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP FUNCTION gateway.confirmed(jsonb)")
