"""Clients that prove themselves by keys, kinds of API keys, and what is remembered of assertions and tokens."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import EVERYTHING, bound, everybodys_answers, grant, own_answers

revision = "0004"
down_revision = "0003"

JSON: Any = postgresql.JSONB(astext_type=sa.Text())
INSTANT = sa.DateTime(timezone=True)
COLUMNS: dict[str, tuple[sa.Column[Any], ...]] = {
    "client": (
        sa.Column("jwks", JSON, nullable=True),
        sa.Column("former_secret_hash", sa.String(length=64), nullable=True),
        sa.Column("former_secret_until", INSTANT, nullable=True),
    ),
    "api_key": (
        sa.Column("environment", sa.String(length=4), server_default="live", nullable=False),
        sa.Column("networks", JSON, server_default="[]", nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
    ),
}
CLIENT_STANDING = """
CREATE FUNCTION gateway.client_standing(client_id text, jti text)
RETURNS SETOF gateway.client LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.* FROM gateway.client c WHERE c.id = client_standing.client_id AND c.disabled_at IS NULL
        AND NOT EXISTS (SELECT FROM gateway.revoked_token r WHERE r.jti = client_standing.jti)
$$
"""
KEY_STANDING = """
CREATE FUNCTION gateway.key_standing(key_hash text)
RETURNS SETOF gateway.api_key LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.* FROM gateway.api_key k WHERE k.key_hash = key_standing.key_hash
        AND k.revoked_at IS NULL AND k.expires_at > now()
$$
"""
FORGET_EXPIRED = """
CREATE FUNCTION gateway.forget_expired() RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    WITH assertions AS (DELETE FROM gateway.spent_assertion WHERE expires_at < now() RETURNING 1),
        tokens AS (DELETE FROM gateway.revoked_token WHERE expires_at < now() RETURNING 1),
        answers AS (
            DELETE FROM gateway.idempotency_key WHERE created_at < now() - interval '48 hours' RETURNING 1)
    SELECT (SELECT count(*) FROM assertions) + (SELECT count(*) FROM tokens) + (SELECT count(*) FROM answers)
$$
"""
FUNCTIONS = {
    "client_standing(text, text)": CLIENT_STANDING,
    "key_standing(text)": KEY_STANDING,
    "forget_expired()": FORGET_EXPIRED,
}
"""What stands at this moment, in one statement before anybody is known as a caller; and the one way to forget: a role
that could delete what is remembered could also use an assertion twice."""


def upgrade() -> None:
    """Apply."""
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column, schema="gateway")
    op.alter_column("client", "secret_hash", nullable=True, schema="gateway")
    op.create_check_constraint(
        op.f("api_key_environment_check"), "api_key", "environment IN ('live', 'test')", schema="gateway"
    )
    op.create_table(
        "spent_assertion",
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("jti", sa.String(length=200), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti", name=op.f("spent_assertion_pkey")),
        schema="gateway",
    )
    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("revoked_token_pkey")),
        schema="gateway",
    )
    for table in ("spent_assertion", "revoked_token"):
        op.create_index(op.f(f"{table}_expires_at_idx"), table, ["expires_at"], schema="gateway")
    grant("gateway", append_only=("spent_assertion", "revoked_token"), changing=(), deleting=())
    for table in ("spent_assertion", "revoked_token"):
        bound(f"gateway.{table}", EVERYTHING)
    own_answers("gateway")
    for signature, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION gateway.{signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION gateway.{signature} TO ringfence_gateway")


def downgrade() -> None:
    """Take back."""
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION gateway.{signature}")
    everybodys_answers("gateway")
    op.drop_table("revoked_token", schema="gateway")
    op.drop_table("spent_assertion", schema="gateway")
    op.drop_constraint(op.f("api_key_environment_check"), "api_key", schema="gateway")
    op.execute("DELETE FROM gateway.client WHERE secret_hash IS NULL")
    op.alter_column("client", "secret_hash", nullable=False, schema="gateway")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name, schema="gateway")
