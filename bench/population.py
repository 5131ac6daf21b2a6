"""Contracts by the thousand, made by the database out of one that the product drafted."""

import psycopg

from bench.ground import plain

FROM, YEARS, SCHOOLS = 2006, 20, 50_000
TRUSTS, OWN = 2_000, 250
"""Trusts that share the contracts; the measured supplier and the measured responsible body have `OWN` each."""
SUPPLIER, BODY = "4903", "3147"
REGIONS = (
    "East Midlands",
    "East of England",
    "London",
    "North East",
    "North West",
    "South East",
    "South West",
    "West Midlands",
    "Yorkshire and the Humber",
)
AUTHORITIES = 153
ENDED = ("completed",) * 12 + ("transferred",) * 3 + ("terminated",) * 2 + ("expired",) + ("cancelled",) * 2
RUNNING = ("active",) * 12 + ("agreed",) * 2 + ("offered",) * 2 + ("draft",) * 3 + ("suspended",)
"""How contracts stand, of twenty: those of the last fifth of the time run, the older ones have ended."""
MADE = """
CREATE TEMP TABLE made AS
SELECT n, uuidv7(begun - now()) AS id, begun, make_date((%(from)s + n * %(years)s / %(count)s)::int, 9, 1) AS starts_on,
    n %% %(schools)s + 100000 AS urn, (201 + (n * 7919) %% %(authorities)s)::int AS la,
    CASE WHEN n %% share = 0 THEN %(supplier)s ELSE (10000 + (n * 31) %% %(trusts)s)::text END AS supplier,
    CASE WHEN n %% share = 1 THEN %(body)s ELSE (20000 + (n * 37) %% %(trusts)s)::text END AS body,
    (CASE WHEN n < 0.8 * %(count)s THEN %(ended)s::text[] ELSE %(running)s::text[] END)[(1 + (n * 13) %% 20)::int]
        AS status
FROM (SELECT n, make_timestamptz(%(from)s, 1, 1, 0, 0, 0) + n * (interval '365 days' * %(years)s / %(count)s) AS begun,
    %(count)s / %(own)s AS share FROM generate_series(0::bigint, %(count)s - 1) AS n) AS each
"""
CONTRACTS = """
INSERT INTO contracts.contract SELECT whole.* FROM (
    SELECT *, (%(regions)s::text[])[1 + la %% 9] AS region FROM made) AS m
CROSS JOIN (SELECT c FROM contracts.contract c LIMIT 1) AS one,
    jsonb_populate_record(one.c, jsonb_build_object('id', m.id, 'reference', 'CTR-' || m.n, 'status', m.status,
        'organisation', 'rsc-' || translate(lower(m.region), ' ', '-'), 'region', m.region,
        'school_urn', m.urn, 'school_id', NULL, 'la_code', m.la::text, 'supplier_uid', m.supplier,
        'responsible_body', jsonb_build_object('kind', 'trust', 'uid', m.body, 'name', 'Trust ' || m.body),
        'identifiers', jsonb_build_array(jsonb_build_object('scheme', 'urn', 'value', m.urn::text)),
        'starts_on', m.starts_on, 'ends_on', m.starts_on + 364, 'latest_ends_on', m.starts_on + 364,
        'agreed_hash', repeat('0', 64), 'created_at', m.begun, 'updated_at', m.begun)) AS whole
"""
PARTS = """
INSERT INTO contracts.{0} SELECT whole.* FROM made AS m CROSS JOIN contracts.{0} AS one,
    jsonb_populate_record(one, jsonb_build_object('contract_id', m.id)) AS whole
"""
SIGNED = """
INSERT INTO contracts.signature
    (contract_id, document, party, signed_by, role, signed_on, agreed_hash, client_id, recorded_at)
SELECT id, 'offer/1', party, 'A. Somebody', 'authorised', starts_on, repeat('0', 64), 'bench', begun
FROM made, unnest(ARRAY['commissioner', 'supplier', 'responsible_body']) AS party WHERE status <> 'draft'
"""
GONE = "DELETE FROM contracts.{} WHERE {} = %s"


def populate(url: str, count: int) -> None:
    """So many contracts with their parts, spread over years, places, parties and states; the first one goes."""
    values = {
        "from": FROM,
        "years": YEARS,
        "count": count,
        "schools": SCHOOLS,
        "authorities": AUTHORITIES,
        "trusts": TRUSTS,
        "own": OWN,
        "supplier": SUPPLIER,
        "body": BODY,
        "ended": list(ENDED),
        "running": list(RUNNING),
        "regions": list(REGIONS),
    }
    with psycopg.connect(plain(url)) as connection, psycopg.ClientCursor(connection) as cursor:
        cursor.execute("SET session_replication_role = replica")
        first = cursor.execute("SELECT id FROM contracts.contract").fetchone()
        cursor.execute(MADE, values)
        cursor.execute(CONTRACTS, values)
        for part in ("outcome", "milestone"):
            cursor.execute(PARTS.format(part))
        cursor.execute(SIGNED)
        for table, key in (("outcome", "contract_id"), ("milestone", "contract_id"), ("contract", "id")):
            cursor.execute(GONE.format(table, key), first)
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
