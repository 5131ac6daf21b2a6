"""Money in full: a ledger under the payments, claims, invoices, and how trusts keep their books."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.rights import KIND, bound, grant

revision = "0010"
down_revision = "0009"

JSON = postgresql.JSONB(astext_type=sa.Text())
INSTANT = sa.DateTime(timezone=True)
TABLES = ("ledger_entry", "claim", "invoice", "invoice_series", "finance")
BALANCES = """
CREATE FUNCTION contracts.balances(contract uuid)
RETURNS TABLE (kind text, code text, account text, claim_id uuid, amount_pence bigint) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.kind::text, e.code::text, e.account::text, e.claim_id, sum(e.amount_pence)::bigint
    FROM contracts.ledger_entry e WHERE e.contract_id = balances.contract
    GROUP BY e.kind, e.code, e.account, e.claim_id HAVING sum(e.amount_pence) <> 0
$$
"""
"""What accounts hold: figures for who may make a contract move and not see its money; for the service only."""
CHECK = """
CREATE FUNCTION contracts.check_ledger() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    PERFORM FROM contracts.contract c WHERE c.id = NEW.contract_id FOR NO KEY UPDATE;
    wrong := (SELECT 'a journal does not sum to zero' FROM contracts.ledger_entry e
        WHERE e.journal_id = NEW.journal_id HAVING sum(e.amount_pence) <> 0);
    wrong := coalesce(wrong, (SELECT 'an account holds less than nothing' FROM contracts.ledger_entry e
        WHERE e.contract_id = NEW.contract_id AND e.kind = NEW.kind AND e.code = NEW.code
            AND e.account NOT IN ('value', 'owed')
        GROUP BY e.account, e.claim_id HAVING sum(e.amount_pence) < 0 LIMIT 1));
    wrong := coalesce(wrong, (SELECT 'more is owed than was paid' FROM contracts.ledger_entry e
        WHERE e.contract_id = NEW.contract_id AND e.kind = NEW.kind AND e.code = NEW.code
            AND e.account IN ('paid', 'owed')
        GROUP BY e.claim_id HAVING sum(e.amount_pence) < 0 LIMIT 1));
    wrong := coalesce(wrong, (SELECT 'more than the value of the contract is promised or paid'
        FROM contracts.ledger_entry e JOIN contracts.contract c ON c.id = e.contract_id
        WHERE e.contract_id = NEW.contract_id GROUP BY c.value_pence
        HAVING -sum(e.amount_pence) FILTER (WHERE e.account = 'value') > c.value_pence
            OR sum(e.amount_pence) FILTER (WHERE e.account IN ('paid', 'owed')) > c.value_pence));
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balance_check';
    END IF;
    RETURN NULL;
END $$
"""
BEGUN = """
WITH moved AS (
    SELECT p.*, gen_random_uuid() AS promise, gen_random_uuid() AS move FROM contracts.payment p
), sides AS (
    SELECT promise AS journal_id, 'value' AS account, -amount_pence AS amount, 'agreed' AS reason, moved.* FROM moved
    UNION ALL SELECT promise, 'scheduled', amount_pence, 'agreed', moved.* FROM moved
    UNION ALL SELECT move, 'scheduled', -amount_pence, status, moved.* FROM moved WHERE status <> 'scheduled'
    UNION ALL SELECT move, status, amount_pence, status, moved.* FROM moved WHERE status <> 'scheduled'
)
INSERT INTO contracts.ledger_entry (id, journal_id, contract_id, kind, code, account, amount_pence, occurred_on,
    reason, recorded_at)
SELECT gen_random_uuid(), journal_id, contract_id, kind, code, account, amount, coalesce(earned_on, updated_at::date),
    reason, now() FROM sides
"""
"""The ledger of contracts that were made before begins with where their money is."""
HIDDEN = (
    "split_part(type, '.', 1) NOT IN ('claim', 'invoice', 'credit_note', 'finance')"
    " AND type NOT IN ('payment.paid', 'payment.reversed', 'payment.repaid')"
)
"""Events of what a responsible body does not see: the money between commissioner and trust."""
UNDER_WAY = "('earned', 'claimed', 'certified', 'approved', 'paid')"


def upgrade() -> None:
    """Apply."""
    for name in ("earned_pence", "paid_pence", "retained_pence", "reduced_pence"):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("payment", column, schema="contracts")
        op.alter_column("payment", name, server_default=None, schema="contracts")
    for name in ("period_starts_on", "period_ends_on", "paid_on"):
        op.add_column("payment", sa.Column(name, sa.Date(), nullable=True), schema="contracts")
    op.add_column("payment", sa.Column("basis", JSON, nullable=True), schema="contracts")
    op.add_column("applied_record", sa.Column("recorded_by", sa.String(length=200), nullable=True), schema="contracts")
    op.execute("UPDATE contracts.payment SET earned_pence = amount_pence WHERE status = 'earned'")
    op.execute("UPDATE contracts.payment SET reduced_pence = amount_pence WHERE status = 'withheld'")
    op.execute(
        "UPDATE contracts.payment p SET period_starts_on = c.starts_on, period_ends_on = c.starts_on"
        " FROM contracts.contract c WHERE c.id = p.contract_id AND p.kind = 'fee'"
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.drop_constraint(op.f("payment_earned_check"), "payment", schema="contracts")
    check("payment", "earned", f"status NOT IN {UNDER_WAY} OR earned_on IS NOT NULL")
    check("payment", "period", "(period_starts_on IS NULL) = (period_ends_on IS NULL)")
    tables()
    op.execute(BEGUN)
    op.execute(BALANCES)
    op.execute("REVOKE ALL ON FUNCTION contracts.balances(uuid) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION contracts.balances(uuid) TO ringfence_contracts")
    op.execute(CHECK)
    op.execute(
        "CREATE CONSTRAINT TRIGGER ledger_entry_balance AFTER INSERT ON contracts.ledger_entry"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION contracts.check_ledger()"
    )
    bounds()


def check(table: str, name: str, condition: str) -> None:
    """A named condition."""
    op.create_check_constraint(op.f(f"{table}_{name}_check"), table, condition, schema="contracts")


def column(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    """A column without a default."""
    return sa.Column(name, kind, nullable=nullable)


def text(size: int) -> sa.String:
    """Text up to a length."""
    return sa.String(length=size)


def tables() -> None:
    """The tables of a contract's money."""
    optional = {"nullable": True}
    table(
        "ledger_entry",
        column("id", sa.Uuid()),
        column("journal_id", sa.Uuid()),
        column("contract_id", sa.Uuid()),
        column("kind", text(20)),
        column("code", text(40)),
        column("account", text(20)),
        column("claim_id", sa.Uuid(), **optional),
        column("amount_pence", sa.BigInteger()),
        column("occurred_on", sa.Date()),
        column("reason", text(500)),
        column("cause_id", sa.Uuid(), **optional),
        column("recorded_at", INSTANT),
    )
    table(
        "claim",
        column("id", sa.Uuid()),
        column("contract_id", sa.Uuid()),
        column("number", sa.Integer()),
        column("reference", text(40)),
        column("supplier_uid", text(20)),
        column("status", text(20)),
        column("reason", sa.String(), **optional),
        column("version", sa.Integer()),
        column("amount_pence", sa.BigInteger()),
        column("lines", JSON),
        column("hands", JSON),
        column("disputes", JSON),
        column("split_from", sa.Uuid(), **optional),
        column("submitted_on", sa.Date()),
        column("certified_on", sa.Date(), **optional),
        column("due_on", sa.Date(), **optional),
        column("paid_on", sa.Date(), **optional),
        column("payment_reference", text(100), **optional),
        column("updated_at", INSTANT),
        sa.UniqueConstraint("contract_id", "number", name=op.f("claim_contract_id_number_key")),
    )
    table(
        "invoice",
        column("id", sa.Uuid()),
        column("contract_id", sa.Uuid()),
        column("claim_id", sa.Uuid()),
        column("supplier_uid", text(20)),
        column("series", text(3)),
        column("serial", sa.Integer()),
        column("number", text(40)),
        column("issued_on", sa.Date()),
        *(column(f"{name}_pence", sa.BigInteger()) for name in ("net", "vat", "gross", "owed")),
        column("repaid_on", sa.Date(), **optional),
        column("body", JSON),
        sa.UniqueConstraint("supplier_uid", "series", "serial", name=op.f("invoice_supplier_uid_series_serial_key")),
        sa.ForeignKeyConstraint(["claim_id"], ["contracts.claim.id"], name=op.f("invoice_claim_id_fkey")),
    )
    op.create_table(
        "invoice_series",
        column("supplier_uid", text(20)),
        column("series", text(3)),
        column("last", sa.Integer()),
        sa.PrimaryKeyConstraint("supplier_uid", "series", name=op.f("invoice_series_pkey")),
        schema="contracts",
    )
    table(
        "finance",
        column("contract_id", sa.Uuid()),
        column("version", sa.Integer()),
        column("settings", JSON),
        column("updated_at", INSTANT),
        key="contract_id",
    )
    for name, columns in {
        "ledger_entry": ("journal_id", "contract_id"),
        "claim": ("supplier_uid",),
        "invoice": ("contract_id", "claim_id"),
    }.items():
        for each in columns:
            op.create_index(op.f(f"{name}_{each}_idx"), name, [each], unique=False, schema="contracts")
    check("ledger_entry", "amount", "amount_pence <> 0")
    check("claim", "amount", "amount_pence >= 0")
    check("claim", "paid", "(status = 'paid') = (paid_on IS NOT NULL)")
    check("invoice", "series", "series IN ('INV', 'CRN')")


def table(name: str, *parts: Any, key: str = "id") -> None:
    """A table of a contract."""
    op.create_table(
        name,
        *parts,
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.contract.id"], name=op.f(f"{name}_contract_id_fkey")),
        sa.PrimaryKeyConstraint(key, name=op.f(f"{name}_pkey")),
        schema="contracts",
    )


def bounds() -> None:
    """Rights and row-level security: commissioner, trust and DfE see a contract's money, the responsible body does not.

    Whoever makes a contract move may write what follows from it into the ledger.
    """
    grant("contracts", append_only=("ledger_entry",), changing=TABLES[1:], deleting=())
    op.execute("REVOKE UPDATE ON contracts.invoice FROM ringfence_contracts")
    op.execute("GRANT UPDATE (repaid_on) ON contracts.invoice TO ringfence_contracts")
    for name in TABLES:
        key = "supplier_uid" if name == "invoice_series" else "contract_id"
        theirs = f"EXISTS (SELECT FROM contracts.contract c WHERE c.{key.replace('contract_id', 'id')} = {name}.{key})"
        seen = f"coalesce({KIND}, '') <> 'responsible_body' AND {theirs}"
        bound(f"contracts.{name}", seen, writing=theirs if name == "ledger_entry" else seen)
    op.execute(
        "CREATE POLICY money ON contracts.event AS RESTRICTIVE FOR SELECT USING"
        f" (coalesce({KIND}, '') <> 'responsible_body' OR {HIDDEN})"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("DROP POLICY money ON contracts.event")
    op.execute("DROP TRIGGER ledger_entry_balance ON contracts.ledger_entry")
    op.execute("DROP FUNCTION contracts.check_ledger()")
    op.execute("DROP FUNCTION contracts.balances(uuid)")
    for name in ("finance", "invoice_series", "invoice", "claim", "ledger_entry"):
        op.drop_table(name, schema="contracts")
    op.drop_constraint(op.f("payment_period_check"), "payment", schema="contracts")
    op.drop_constraint(op.f("payment_earned_check"), "payment", schema="contracts")
    op.execute(
        "UPDATE contracts.payment SET status = CASE WHEN earned_on IS NOT NULL THEN 'earned' WHEN status = 'scheduled'"
        " THEN status ELSE 'withheld' END, due_on = coalesce(due_on, earned_on + 30)"
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    check("payment", "earned", "(status = 'earned') = (earned_on IS NOT NULL AND due_on IS NOT NULL)")
    op.drop_column("applied_record", "recorded_by", schema="contracts")
    for name in ("basis", "paid_on", "period_ends_on", "period_starts_on"):
        op.drop_column("payment", name, schema="contracts")
    for name in ("reduced_pence", "retained_pence", "paid_pence", "earned_pence"):
        op.drop_column("payment", name, schema="contracts")
