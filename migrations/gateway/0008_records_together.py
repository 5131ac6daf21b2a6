"""What several callers ask at once: how they stand, and records in one transaction, each under its caller's bounds.

The function that asks about one caller stays for replicas of the version before.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

ACT_FOR = """
CREATE FUNCTION gateway.act_for(bounds jsonb) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('ringfence.' || key, value, true) FROM jsonb_each_text(bounds)
$$
"""
BEFORE_RECORDING = """
CREATE FUNCTION gateway.before_recording(callers jsonb, kept interval)
RETURNS TABLE (answers json, refs json) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    caller record;
BEGIN
    FOR caller IN SELECT * FROM jsonb_to_recordset(callers) AS c (bounds jsonb, keys text[], contracts uuid[]) LOOP
        PERFORM gateway.act_for(caller.bounds);
        DELETE FROM gateway.idempotency_key k WHERE k.created_at < now() - kept AND k.key = ANY (caller.keys ||
            ARRAY (SELECT o.key::text FROM gateway.idempotency_key o WHERE o.created_at < now() - kept
                ORDER BY o.created_at LIMIT 20 FOR UPDATE SKIP LOCKED));
        SELECT json_agg(json_build_object('key', k.key, 'fingerprint', k.fingerprint, 'status', k.status,
            'body', k.body::text, 'headers', k.headers))
            INTO answers FROM gateway.idempotency_key k WHERE k.key = ANY (caller.keys);
        SELECT json_agg(json_build_object('contract_id', r.contract_id, 'version', r.version,
            'reference', r.reference, 'status', r.status, 'milestones', r.milestones))
            INTO refs FROM gateway.contract_ref r WHERE r.contract_id = ANY (caller.contracts);
        RETURN NEXT;
    END LOOP;
END
$$
"""
RECORD_MILESTONES = """
CREATE FUNCTION gateway.record_milestones(callers jsonb, jobs jsonb)
RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    caller record;
BEGIN
    FOR caller IN SELECT * FROM jsonb_to_recordset(callers)
        AS c (bounds jsonb, actor jsonb, answers jsonb, records jsonb)
    LOOP
        PERFORM gateway.act_for(caller.bounds);
        RETURN QUERY WITH asked AS MATERIALIZED (
            SELECT r.*, (SELECT true FROM gateway.contract_ref c
                WHERE c.contract_id = r.contract_id AND c.version = r.version) AS known
            FROM jsonb_to_recordset(caller.records) AS r (
                key text, id uuid, contract_id uuid, version int, milestone_code text, status text, occurred_on date,
                note text, evidence jsonb, recorded_at timestamptz, leaf_hash text, leaf text, salt text, event_id uuid)
        ), taken AS (
            INSERT INTO gateway.idempotency_key (key, fingerprint, status, body, headers)
            SELECT a.key, a.fingerprint, a.status, a.body::json, a.headers::json
            FROM jsonb_to_recordset(caller.answers)
                AS a (key text, fingerprint text, status int, body text, headers text)
            WHERE a.key NOT IN (SELECT r.key FROM asked r WHERE r.known IS NULL)
            ON CONFLICT DO NOTHING RETURNING idempotency_key.key
        ), made AS MATERIALIZED (
            SELECT r.* FROM asked r JOIN taken t USING (key)
        ), recorded AS (
            INSERT INTO gateway.milestone_record (id, contract_id, milestone_code, status, occurred_on, note, evidence,
                recorded_at, recorded_by, leaf_hash)
            SELECT m.id, m.contract_id, m.milestone_code, m.status, m.occurred_on, m.note, m.evidence, m.recorded_at,
                caller.actor, m.leaf_hash FROM made m
        ), told AS (
            INSERT INTO gateway.leaf (kind, subject_id, data, leaf_hash, salt, written_at)
            SELECT 'milestone.recorded', m.contract_id, convert_to(m.leaf, 'UTF8'), m.leaf_hash, m.salt, m.recorded_at
            FROM made m
        ), announced AS (
            INSERT INTO gateway.event (id, type, subject_id, data, actor, occurred_at)
            SELECT m.event_id, 'milestone.recorded', m.contract_id, jsonb_build_object('record_id', m.id,
                'milestone_code', m.milestone_code, 'status', m.status), caller.actor, m.recorded_at FROM made m
        )
        SELECT t.key::text FROM taken t;
    END LOOP;
    INSERT INTO gateway.job AS job (id, kind, key, run_at, available_at, fence, attempts)
    SELECT j.id, 'deliver', j.key, 'epoch', clock_timestamp(), 0, 0
    FROM jsonb_to_recordset(jobs) AS j (id uuid, key text) ORDER BY j.key
    ON CONFLICT (kind, key) WHERE lease_until IS NULL
    DO UPDATE SET run_at = least(job.run_at, excluded.run_at),
        available_at = least(job.available_at, excluded.available_at);
END
$$
"""
CLIENTS_STANDING = """
CREATE FUNCTION gateway.clients_standing(client_ids text[], jtis text[])
RETURNS TABLE (place bigint, id text, name text, kind text, organisation text, scopes jsonb, regions jsonb,
    la_codes jsonb, trust_uid text, urns jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.place, c.id, c.name, c.kind, c.organisation, c.scopes, c.regions, c.la_codes, c.trust_uid, c.urns
    FROM unnest(client_ids, jtis) WITH ORDINALITY AS a (client_id, jti, place)
    JOIN gateway.client c ON c.id = a.client_id AND c.disabled_at IS NULL
    WHERE NOT EXISTS (SELECT FROM gateway.revoked_token r WHERE r.jti = a.jti)
$$
"""
FUNCTIONS = {
    "clients_standing(text[], text[])": CLIENTS_STANDING,
    "act_for(jsonb)": ACT_FOR,
    "before_recording(jsonb, interval)": BEFORE_RECORDING,
    "record_milestones(jsonb, jsonb)": RECORD_MILESTONES,
}
"""Those that record run with the rights of whoever calls them: row-level security holds for each caller in turn."""


# A plan is kept as long as its connection: one that was made while a table was small must serve it when it is large.


def upgrade() -> None:
    """Apply."""
    for signature, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION gateway.{signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION gateway.{signature} TO ringfence_gateway")


def downgrade() -> None:
    """Take back."""
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION gateway.{signature}")
