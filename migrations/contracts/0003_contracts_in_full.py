"""Contracts in full: leaving, offers, suspensions, variations, reviews, assessments, findings, notices."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import bound, grant

revision = "0003"
down_revision = "0002"

JSON = postgresql.JSONB(astext_type=sa.Text())
EMPTY = sa.text("'[]'::jsonb")
CONDUCT = ("variation", "review", "kpi_assessment", "finding", "notice")
ANY_URN = (
    "EXISTS (SELECT FROM jsonb_array_elements(identifiers) AS i WHERE i ->> 'scheme' = 'urn'"
    " AND i ->> 'value' = ANY (string_to_array(current_setting('ringfence.urns', true), ',')))"
)
TERM = "daterange(starts_on, coalesce(ended_on, ends_on) + 1) WITH &&"
VALUE = """
CREATE FUNCTION contracts.check_value() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subject uuid := coalesce(to_jsonb(NEW), to_jsonb(OLD)) ->> TG_ARGV[0];
    wrong boolean;
BEGIN
    SELECT c.value_pence <> c.fee_pence
            + coalesce((SELECT sum(m.payment_pence) FROM contracts.milestone m WHERE m.contract_id = c.id), 0)
            + coalesce((SELECT sum(o.payment_pence) FROM contracts.outcome o WHERE o.contract_id = c.id), 0)
        OR c.value_pence <> (SELECT coalesce(sum(p.amount_pence), c.value_pence) FROM contracts.payment p
            WHERE p.contract_id = c.id)
        INTO wrong FROM contracts.contract c WHERE c.id = subject;
    IF wrong THEN
        RAISE EXCEPTION 'the value of contract % is not the sum of its parts', subject
            USING ERRCODE = 'check_violation', CONSTRAINT = 'contract_value_sum_check';
    END IF;
    RETURN NULL;
END $$
"""


HISTORY = """
INSERT INTO contracts.event (id, type, subject_id, data, actor, occurred_at)
SELECT gen_random_uuid(), 'history.begun', c.id, jsonb_build_object('status', c.status, 'version', c.version,
    'reference', c.reference, 'changes', (
    SELECT jsonb_object_agg(part.key, jsonb_build_object('added', part.row)) FROM (
        SELECT 'contract' AS key, to_jsonb(c) - '{version,updated_at}'::text[] AS row
        UNION ALL SELECT 'outcome/' || o.code, to_jsonb(o) FROM contracts.outcome o WHERE o.contract_id = c.id
        UNION ALL SELECT 'milestone/' || m.code, to_jsonb(m) FROM contracts.milestone m WHERE m.contract_id = c.id
        UNION ALL SELECT 'payment/' || p.kind || '/' || p.code, to_jsonb(p) - 'updated_at' FROM contracts.payment p
            WHERE p.contract_id = c.id
        UNION ALL SELECT 'signature/' || s.document || '/' || s.party,
            to_jsonb(s) - '{signed_by,role,client_id}'::text[] FROM contracts.signature s WHERE s.contract_id = c.id
    ) AS part)), '{"client_id": "migration", "name": "migration", "kind": "service", "organisation": ""}', now()
FROM contracts.contract c
"""
"""Where the history of contracts that were made before begins: as they stand when this is applied."""


def upgrade() -> None:
    """Apply."""
    for column in (
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("identifiers", JSON, nullable=False, server_default=EMPTY),
        sa.Column("legal_route_detail", sa.String(), nullable=True),
        sa.Column("latest_ends_on", sa.Date(), nullable=True),
        sa.Column("notice_days", sa.Integer(), nullable=False, server_default=sa.text("90")),
        sa.Column("break_points", JSON, nullable=False, server_default=EMPTY),
        sa.Column("method", JSON, nullable=True),
        sa.Column("offer", JSON, nullable=True),
        sa.Column("entered_on", sa.Date(), nullable=True),
        sa.Column("suspension", JSON, nullable=True),
        sa.Column("fence_breaks", JSON, nullable=False, server_default=EMPTY),
        sa.Column("termination", JSON, nullable=True),
    ):
        op.add_column("contract", column, schema="contracts")
    op.execute("UPDATE contracts.contract SET latest_ends_on = ends_on")
    op.execute(
        "UPDATE contracts.contract SET offer = jsonb_build_object('number', 1, 'offered_on', created_at::date,"
        " 'lapses_on', starts_on) WHERE agreed_hash IS NOT NULL"
    )
    op.execute(
        "UPDATE contracts.contract c SET entered_on = (SELECT max(signed_on) FROM contracts.signature s"
        " WHERE s.contract_id = c.id) WHERE status NOT IN ('draft', 'offered', 'cancelled')"
    )
    op.alter_column("contract", "latest_ends_on", nullable=False, schema="contracts")
    for name in ("identifiers", "notice_days", "break_points", "fence_breaks"):
        op.alter_column("contract", name, server_default=None, schema="contracts")
    check("latest_end", "latest_ends_on >= ends_on")
    check("ended", "ended_on >= starts_on - 1")
    op.add_column("outcome", sa.Column("trajectory", JSON, nullable=True), schema="contracts")
    op.add_column("outcome", sa.Column("comparators", JSON, nullable=True), schema="contracts")
    add("milestone", sa.Column("depends_on", JSON, nullable=False, server_default=EMPTY))
    op.add_column("milestone", sa.Column("evidence_asked", sa.String(), nullable=True), schema="contracts")
    add("milestone", sa.Column("timing", sa.String(length=20), nullable=False, server_default="planned"))
    op.execute("UPDATE contracts.milestone SET timing = 'decided' WHERE status <> 'scheduled'")
    add("signature", sa.Column("document", sa.String(length=40), nullable=False, server_default="offer/1"))
    op.drop_constraint("signature_pkey", "signature", schema="contracts")
    op.create_primary_key("signature_pkey", "signature", ["contract_id", "document", "party"], schema="contracts")
    one_contract_at_a_time(TERM)
    op.execute(HISTORY)
    conduct()
    bounds()
    op.execute(VALUE)
    for table in ("contract", "milestone", "outcome", "payment"):
        key = "id" if table == "contract" else "contract_id"
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_value_sum AFTER INSERT OR UPDATE OR DELETE ON contracts.{table}"
            f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION contracts.check_value('{key}')"
        )


def check(name: str, condition: str) -> None:
    """A named condition on contracts."""
    op.create_check_constraint(op.f(f"contract_{name}_check"), "contract", condition, schema="contracts")


def add(table: str, column: sa.Column[Any]) -> None:
    """A column that rows written before get a value for, and later ones must give."""
    op.add_column(table, column, schema="contracts")
    op.alter_column(table, column.name, server_default=None, schema="contracts")


def one_contract_at_a_time(term: str) -> None:
    """No two contracts for a school, or for a school that had another URN before, cover the same day."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public")
    op.execute("ALTER TABLE contracts.contract DROP CONSTRAINT contract_school_term_excl")
    for name, key in (
        ("school", "int4range(school_urn, school_urn, '[]') WITH &&"),
        ("continuity", "school_id WITH ="),
    ):
        op.execute(
            f"ALTER TABLE contracts.contract ADD CONSTRAINT contract_{name}_term_excl EXCLUDE USING gist"
            f" ({key}, {term}) WHERE (status <> 'cancelled')"
        )


def conduct() -> None:
    """The tables of how a contract is conducted."""
    contract = sa.ForeignKeyConstraint
    instant = sa.DateTime(timezone=True)
    columns: dict[str, list[sa.Column[Any]]] = {
        "variation": [
            sa.Column("kind", sa.String(length=20), nullable=False),
            sa.Column("status", sa.String(length=20), nullable=False),
            sa.Column("reason_code", sa.String(length=40), nullable=True),
            sa.Column("effective_on", sa.Date(), nullable=False),
            sa.Column("rationale", sa.String(), nullable=False),
            sa.Column("changes", JSON, nullable=False),
            sa.Column("terms", JSON, nullable=False),
            sa.Column("agreed_hash", sa.String(length=64), nullable=False),
            sa.Column("proposed_by", sa.String(length=20), nullable=False),
            sa.Column("proposed_on", sa.Date(), nullable=False),
            sa.Column("closed_on", sa.Date(), nullable=True),
        ],
        "review": [
            sa.Column("reviewed_on", sa.Date(), nullable=False),
            sa.Column("academic_year", sa.String(length=7), nullable=False),
            sa.Column("next_review_on", sa.Date(), nullable=True),
            sa.Column("reviewer", sa.String(), nullable=False),
            sa.Column("summary", sa.String(), nullable=True),
            sa.Column("objectives", JSON, nullable=False),
            sa.Column("recorded_at", instant, nullable=False),
        ],
        "kpi_assessment": [
            sa.Column("assessed_on", sa.Date(), nullable=False),
            sa.Column("period_starts_on", sa.Date(), nullable=False),
            sa.Column("period_ends_on", sa.Date(), nullable=False),
            sa.Column("rating", sa.String(length=20), nullable=False),
            sa.Column("explanation", sa.String(), nullable=True),
            sa.Column("basis", sa.String(length=20), nullable=False),
            sa.Column("measures", JSON, nullable=False),
            sa.Column("evaluation_id", sa.Uuid(), nullable=True),
            sa.Column("recorded_at", instant, nullable=False),
        ],
        "finding": [
            sa.Column("kind", sa.String(length=30), nullable=False),
            sa.Column("opened_on", sa.Date(), nullable=False),
            sa.Column("closes_on", sa.Date(), nullable=True),
            sa.Column("opportunity", sa.Integer(), nullable=True),
            sa.Column("details", sa.String(), nullable=False),
            sa.Column("recorded_at", instant, nullable=False),
        ],
        "notice": [
            sa.Column("kind", sa.String(length=20), nullable=False),
            sa.Column("subject", sa.String(length=40), nullable=True),
            sa.Column("published_on", sa.Date(), nullable=False),
            sa.Column("url", sa.String(), nullable=True),
            sa.Column("recorded_at", instant, nullable=False),
        ],
    }
    for table in CONDUCT:
        op.create_table(
            table,
            sa.Column("contract_id", sa.Uuid(), nullable=False),
            sa.Column("number", sa.Integer(), nullable=False),
            *columns[table],
            contract(["contract_id"], ["contracts.contract.id"], name=op.f(f"{table}_contract_id_fkey")),
            sa.PrimaryKeyConstraint("contract_id", "number", name=op.f(f"{table}_pkey")),
            schema="contracts",
        )
    op.create_check_constraint(op.f("finding_period_check"), "finding", "closes_on > opened_on", schema="contracts")
    op.create_index(
        "variation_open_idx",
        "variation",
        ["contract_id"],
        unique=True,
        schema="contracts",
        postgresql_where=sa.text("status IN ('proposed', 'agreed')"),
    )


def bounds() -> None:
    """Rights and row-level security; a responsible body sees its school's contracts under any URN the school had."""
    grant("contracts", append_only=CONDUCT[1:], changing=("variation",), deleting=("payment",))
    for table in CONDUCT:
        bound(f"contracts.{table}", f"EXISTS (SELECT FROM contracts.contract c WHERE c.id = {table}.contract_id)")
    for verb in ("SELECT", "UPDATE"):
        op.execute(
            f"CREATE POLICY earlier_urn_{verb.lower()} ON contracts.contract FOR {verb} USING"
            f" (current_setting('ringfence.kind', true) = 'responsible_body' AND status <> 'draft' AND {ANY_URN})"
        )


def downgrade() -> None:
    """Take back."""
    for table in ("payment", "outcome", "milestone", "contract"):
        op.execute(f"DROP TRIGGER {table}_value_sum ON contracts.{table}")
    op.execute("DROP FUNCTION contracts.check_value()")
    for verb in ("select", "update"):
        op.execute(f"DROP POLICY earlier_urn_{verb} ON contracts.contract")
    for table in reversed(CONDUCT):
        op.drop_table(table, schema="contracts")
    for name in ("school", "continuity"):
        op.execute(f"ALTER TABLE contracts.contract DROP CONSTRAINT contract_{name}_term_excl")
    op.execute(
        "ALTER TABLE contracts.contract ADD CONSTRAINT contract_school_term_excl EXCLUDE USING gist"
        " (int4range(school_urn, school_urn, '[]') WITH &&,"
        " daterange(starts_on, coalesce(ended_on, ends_on), '[]') WITH &&) WHERE (status <> 'cancelled')"
    )
    op.drop_constraint("signature_pkey", "signature", schema="contracts")
    op.drop_column("signature", "document", schema="contracts")
    op.create_primary_key("signature_pkey", "signature", ["contract_id", "party"], schema="contracts")
    for name in ("timing", "evidence_asked", "depends_on"):
        op.drop_column("milestone", name, schema="contracts")
    for name in ("comparators", "trajectory"):
        op.drop_column("outcome", name, schema="contracts")
    for name in ("ended", "latest_end"):
        op.drop_constraint(op.f(f"contract_{name}_check"), "contract", schema="contracts")
    for name in (
        "termination",
        "fence_breaks",
        "suspension",
        "entered_on",
        "offer",
        "method",
        "break_points",
        "notice_days",
        "latest_ends_on",
        "legal_route_detail",
        "identifiers",
        "school_id",
    ):
        op.drop_column("contract", name, schema="contracts")
