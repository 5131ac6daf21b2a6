"""Attempts of deliveries by the month; what is not as it should be about transfers is found by indexes."""

import sqlalchemy as sa
from alembic import op

from migrations.rights import EVERYTHING, bound, definer, grant

revision = "0012"
down_revision = "0011"

FINISHED = "status <> 'waiting' AND finished_at < now() - make_interval(days => greatest(days, 7))"
THROUGH_DISPATCH = f"{EVERYTHING} OR EXISTS (SELECT FROM gateway.dispatch d WHERE d.id = dispatch_id)"
ALIKE = """
    ALTER TABLE gateway.attempt RENAME TO attempt_before;
    ALTER TABLE gateway.attempt_before RENAME CONSTRAINT attempt_pkey TO attempt_before_pkey;
    ALTER TABLE gateway.attempt_before RENAME CONSTRAINT attempt_dispatch_id_fkey TO attempt_before_dispatch_id_fkey;
    ALTER INDEX gateway.attempt_dispatch_id_idx RENAME TO attempt_before_dispatch_id_idx;
    DROP POLICY caller ON gateway.attempt_before;
    ALTER TABLE gateway.attempt_before DISABLE ROW LEVEL SECURITY;
    REVOKE ALL ON gateway.attempt_before FROM ringfence_gateway;
"""
"""The table as it was becomes the first part of the new one, with every row where it is."""
MONTHS = """
CREATE VIEW gateway.attempt_month AS
SELECT c.relname AS name, substring(b.words FROM $$FROM \\('([^']+)'\\)$$)::timestamptz AS begins_at,
    substring(b.words FROM $$TO \\('([^']+)'\\)$$)::timestamptz AS ends_at
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS words) b
WHERE i.inhparent = 'gateway.attempt'::regclass AND b.words <> 'DEFAULT'
"""
"""The parts of attempts, and from when to when they go; the first has no beginning."""
AHEAD = """
DECLARE
    this timestamptz := date_trunc('month', now(), 'UTC');
    begins timestamptz;
    ends timestamptz;
    name text;
    made bigint := 0;
BEGIN
    PERFORM set_config('lock_timeout', '2s', true), pg_advisory_xact_lock(hashtextextended('gateway.attempt', 0));
    LOOP
        begins := (SELECT max(ends_at) FROM gateway.attempt_month);
        EXIT WHEN begins > this + interval '2 months';
        LOCK TABLE gateway.attempt IN ACCESS EXCLUSIVE MODE;
        ends := date_trunc('month', begins + interval '32 days', 'UTC');
        name := to_char(begins AT TIME ZONE 'UTC', '"attempt_"YYYY_MM');
        EXECUTE format('CREATE TABLE gateway.%I (LIKE gateway.attempt INCLUDING DEFAULTS)', name);
        EXECUTE format('WITH late AS (DELETE FROM gateway.attempt_other WHERE started_at >= %L AND started_at < %L'
            ' RETURNING *) INSERT INTO gateway.%I SELECT * FROM late', begins, ends, name);
        EXECUTE format('ALTER TABLE gateway.attempt ATTACH PARTITION gateway.%I FOR VALUES FROM (%L) TO (%L)',
            name, begins, ends);
        made := made + 1;
    END LOOP;
    RETURN made;
END
"""
"""Months are made two ahead. Where nobody did so in time, attempts wait in `attempt_other` for their month.

Attempts are locked before deliveries, as by couriers, so that nobody waits in turn.
"""
PRUNE = """
DECLARE
    since timestamptz := now() - make_interval(days => greatest(days, 7));
    oldest timestamptz;
    part name;
    gone bigint;
BEGIN
    PERFORM gateway.attempts_ahead();
    FOR part IN SELECT name FROM gateway.attempt_month WHERE ends_at <= since LOOP
        EXECUTE format('DROP TABLE gateway.%I', part);
    END LOOP;
    oldest := (SELECT CASE WHEN bool_and(begins_at IS NOT NULL) THEN least(min(begins_at), since) ELSE '-infinity' END
        FROM gateway.attempt_month);
    WITH old AS (
        SELECT d.id FROM gateway.dispatch d WHERE d.status <> 'waiting' AND d.finished_at < oldest
            AND NOT EXISTS (SELECT FROM gateway.attempt a WHERE a.dispatch_id = d.id)
        ORDER BY d.finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED),
    removed AS (DELETE FROM gateway.dispatch WHERE id IN (SELECT id FROM old) RETURNING 1)
    SELECT count(*) INTO gone FROM removed;
    RETURN gone;
END
"""
"""A month of attempts goes once its last day is old enough, and with it the deliveries that were finished before.

Whoever may delete attempts could also hide how a delivery went: young ones stay, whatever is asked.
"""
PRUNE_BEFORE = f"""
    WITH old AS (
        SELECT id FROM gateway.dispatch WHERE {FINISHED}
        ORDER BY finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED),
    tries AS (DELETE FROM gateway.attempt WHERE dispatch_id IN (SELECT id FROM old)),
    gone AS (DELETE FROM gateway.dispatch WHERE id IN (SELECT id FROM old) RETURNING 1)
    SELECT count(*) FROM gone
"""


def table(*, by_month: bool) -> None:
    """The table of attempts, with its rights."""
    key = ["id", "started_at"] if by_month else ["id"]
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("dispatch_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["dispatch_id"], ["gateway.dispatch.id"], name=op.f("attempt_dispatch_id_fkey")),
        sa.PrimaryKeyConstraint(*key, name=op.f("attempt_pkey")),
        schema="gateway",
        postgresql_partition_by="RANGE (started_at)" if by_month else None,
    )
    op.create_index(op.f("attempt_dispatch_id_idx"), "attempt", ["dispatch_id"], schema="gateway")
    grant("gateway", append_only=("attempt",), changing=(), deleting=())
    bound("gateway.attempt", THROUGH_DISPATCH)


def count_on() -> None:
    """Ids go on after those that were given."""
    last = "coalesce((SELECT max(id) FROM gateway.attempt), 0) + 1"
    op.execute(f"SELECT setval(pg_get_serial_sequence('gateway.attempt', 'id'), {last}, false)")


def upgrade() -> None:
    """Apply."""
    op.create_index(op.f("discrepancy_transfer_id_idx"), "discrepancy", ["transfer_id"], schema="gateway")
    waiting = sa.text("acknowledged_at IS NULL")
    op.create_index("hand_over_waiting_idx", "hand_over", ["due_at"], schema="gateway", postgresql_where=waiting)
    op.execute(ALIKE)
    op.execute(
        "ALTER TABLE gateway.attempt_before ALTER id DROP IDENTITY, DROP CONSTRAINT attempt_before_pkey,"
        " ADD CONSTRAINT attempt_before_pkey PRIMARY KEY (id, started_at)"
    )
    table(by_month=True)
    op.execute(
        "DO $$ BEGIN EXECUTE format('ALTER TABLE gateway.attempt ATTACH PARTITION gateway.attempt_before"
        " FOR VALUES FROM (MINVALUE) TO (%L)', (SELECT date_trunc('month', greatest(now(), max(started_at)), 'UTC')"
        " FROM gateway.attempt_before) + interval '1 month'); END $$"
    )
    op.execute("CREATE TABLE gateway.attempt_other PARTITION OF gateway.attempt DEFAULT")
    count_on()
    op.execute(MONTHS)
    op.execute("DROP FUNCTION gateway.prune_deliveries(integer)")
    definer("gateway", "attempts_ahead()", "bigint", AHEAD, "plpgsql")
    definer("gateway", "prune_deliveries(days integer)", "bigint", PRUNE, "plpgsql")
    op.execute("SELECT gateway.attempts_ahead()")


def downgrade() -> None:
    """Take back."""
    for function in ("prune_deliveries(integer)", "attempts_ahead()"):
        op.execute(f"DROP FUNCTION gateway.{function}")
    op.execute("DROP VIEW gateway.attempt_month")
    op.execute("ALTER TABLE gateway.attempt RENAME TO attempt_by_month")
    op.execute("ALTER TABLE gateway.attempt_by_month RENAME CONSTRAINT attempt_pkey TO attempt_by_month_pkey")
    op.execute("ALTER INDEX gateway.attempt_dispatch_id_idx RENAME TO attempt_by_month_dispatch_id_idx")
    table(by_month=False)
    op.execute("INSERT INTO gateway.attempt OVERRIDING SYSTEM VALUE SELECT * FROM gateway.attempt_by_month")
    op.execute("DROP TABLE gateway.attempt_by_month")
    count_on()
    definer("gateway", "prune_deliveries(days integer)", "bigint", PRUNE_BEFORE)
    op.drop_index("hand_over_waiting_idx", "hand_over", schema="gateway")
    op.drop_index(op.f("discrepancy_transfer_id_idx"), "discrepancy", schema="gateway")
