"""Records of several callers: under each one's bounds what it may, and then all rows at once.

The functions of before stay for replicas of the version before. A contract is looked for by a subquery of one value, so
that no plan that was made while the table was small reads all of it.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

RECORD_MILESTONES = """
CREATE FUNCTION gateway.record_milestones(callers jsonb, beliefs jsonb, jobs jsonb)
RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    standing bigint[];
    caller record;
    its_places bigint[];
    its_keys text[];
    places bigint[];
    keys text[];
BEGIN
    standing := ARRAY (
        SELECT place FROM jsonb_array_elements(beliefs) WITH ORDINALITY AS b (belief, place)
        LEFT JOIN gateway.clients_standing(
            ARRAY (SELECT e ->> 'client_id' FROM jsonb_array_elements(beliefs) AS e),
            ARRAY (SELECT e ->> 'jti' FROM jsonb_array_elements(beliefs) AS e)) AS s USING (place)
        WHERE b.belief = 'null' OR b.belief -> 'standing' = to_jsonb(s) - 'place'
    );
    FOR caller IN SELECT * FROM ROWS FROM (jsonb_to_recordset(callers) AS (bounds jsonb, answers jsonb, records jsonb))
        WITH ORDINALITY AS c (bounds, answers, records, place) WHERE place = ANY (standing)
    LOOP
        PERFORM gateway.act_for(caller.bounds);
        WITH unknown AS MATERIALIZED (
            SELECT r.key FROM jsonb_to_recordset(caller.records) AS r (key text, contract_id uuid, version int)
            WHERE (SELECT true FROM gateway.contract_ref c
                WHERE c.contract_id = r.contract_id AND c.version = r.version) IS NULL
        ), taken AS (
            INSERT INTO gateway.idempotency_key (key, fingerprint, status, body, headers)
            SELECT a.key, a.fingerprint, a.status, a.body::json, a.headers::json
            FROM jsonb_to_recordset(caller.answers)
                AS a (key text, fingerprint text, status int, body text, headers text)
            WHERE a.key NOT IN (SELECT u.key FROM unknown u)
            ON CONFLICT DO NOTHING RETURNING idempotency_key.key
        )
        SELECT array_agg(caller.place), array_agg(t.key::text) INTO its_places, its_keys FROM taken t;
        places := places || its_places;
        keys := keys || its_keys;
    END LOOP;
    PERFORM gateway.act_for('{"kind": "service"}');
    WITH made AS MATERIALIZED (
        SELECT r.*, c.actor
        FROM ROWS FROM (jsonb_to_recordset(callers) AS (actor jsonb, records jsonb))
            WITH ORDINALITY AS c (actor, records, place),
            jsonb_to_recordset(c.records) AS r (
                key text, id uuid, contract_id uuid, milestone_code text, status text, occurred_on date, note text,
                evidence jsonb, recorded_at timestamptz, leaf_hash text, leaf text, salt text, event_id uuid)
        WHERE c.place = places[array_position(keys, r.key)]
    ), recorded AS (
        INSERT INTO gateway.milestone_record (id, contract_id, milestone_code, status, occurred_on, note, evidence,
            recorded_at, recorded_by, leaf_hash)
        SELECT m.id, m.contract_id, m.milestone_code, m.status, m.occurred_on, m.note, m.evidence, m.recorded_at,
            m.actor, m.leaf_hash FROM made m
    ), told AS (
        INSERT INTO gateway.leaf (kind, subject_id, data, leaf_hash, salt, written_at)
        SELECT 'milestone.recorded', m.contract_id, convert_to(m.leaf, 'UTF8'), m.leaf_hash, m.salt, m.recorded_at
        FROM made m
    )
    INSERT INTO gateway.event (id, type, subject_id, data, actor, occurred_at)
    SELECT m.event_id, 'milestone.recorded', m.contract_id, jsonb_build_object('record_id', m.id,
        'milestone_code', m.milestone_code, 'status', m.status), m.actor, m.recorded_at FROM made m;
    INSERT INTO gateway.job AS job (id, kind, key, run_at, available_at, fence, attempts)
    SELECT j.id, 'deliver', j.key, 'epoch', clock_timestamp(), 0, 0
    FROM jsonb_to_recordset(jobs) AS j (id uuid, key text) ORDER BY j.key
    ON CONFLICT (kind, key) WHERE lease_until IS NULL
    DO UPDATE SET run_at = least(job.run_at, excluded.run_at),
        available_at = least(job.available_at, excluded.available_at)
    WHERE job.run_at > excluded.run_at OR job.available_at > excluded.available_at;
    RETURN QUERY SELECT unnest(keys);
END
$$
"""
SIGNATURE = "gateway.record_milestones(jsonb, jsonb, jsonb)"


def upgrade() -> None:
    """Apply."""
    op.execute(RECORD_MILESTONES)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO ringfence_gateway")


def downgrade() -> None:
    """Take back."""
    op.execute(f"DROP FUNCTION {SIGNATURE}")
