"""No query reads a whole table: the plans of all that the API and the main job send, on tables that look large."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from services.demo import cast
from tests.integration.conftest import judged_contract
from tests.integration.scenes import DRAFTED, RESULTS_OUT, Actors, Scene, actors_in, case_on, database_of
from tests.wire.test_descriptions import description, operations
from tests.world import Json, World, at, clone, drop, move_clock, plain_url, rows, world_on

ROWS = 1_000_000
SCHEMAS = ("contracts", "gateway", "outcomes", "tables")
SMALL = {
    "pg_catalog.pg_inherits": "a row for each part of a table",
    "contracts.cursor": "a row for each service whose events are read",
    "gateway.cursor": "a row for each service whose events are read",
    "contracts.supplier": "a row for each trust on the register of suppliers, of which England has some thousand",
    "gateway.client": "a row for each system that was registered",
    "gateway.api_key": "a row for each key of a finance team",
    "gateway.subscription": "a row for each address that is told of events",
    "gateway.rate": "a row for each caller of the last hour; the others are swept out",
    "outcomes.release": "a row for each published file",
    "outcomes.current_release": "a row for each feed and year",
    "outcomes.register_change": "an id for each change of the register, which are counted",
}
"""Tables that stay small, and why."""
WHOLE = {
    " FROM outcomes.establishment ORDER BY school_id, ": "needs and comparators are reckoned from the whole country",
    " FROM outcomes.ring_fence ORDER BY school_urn, starts_on": "the same: who is under contract is nobody's like",
    " FROM outcomes.establishment_link WHERE established_on IS NOT NULL": "the same: schools that merged or split",
    " FROM outcomes.inspection JOIN outcomes.release ": "the same, when an inspection has come since",
    " FROM outcomes.judgement": "the same",
    "WITH lives AS NOT MATERIALIZED (": "a release of inspections is about schools of the whole country",
    "WITH held AS ( SELECT c.supplier_uid::text AS uid": "track records count the verdicts of all contracts",
    " FROM contracts.contract WHERE contracts.contract.entered_on IS NOT NULL ORDER BY ": "DfE asks for all duties",
    " FROM contracts.invoice ORDER BY contracts.invoice.supplier_uid": "DfE asks for all invoices",
}
"""Statements that are about everything, by a part of their text, and why."""
EXPLAINED = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}
"""Every statement is told with its plan to whoever sent it, also those inside functions and triggers."""
EMPTY = """
SELECT format('%%I.%%I', n.nspname, c.relname), i.inhparent::regclass::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r' AND pg_relation_size(c.oid) = 0
"""
CHECKS = """
SELECT conname FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype = 'c'
"""
NEEDED = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull AND attidentity = ''
    AND attgenerated = ''
"""
"""What a row of a table must have."""

DISTINCT = """
SELECT pg_restore_attribute_stats('schemaname', n.nspname::text, 'relname', c.relname::text, 'attname', a.attname::text,
    'inherited', false, 'null_frac', 0::real, 'avg_width', 16, 'n_distinct', (-0.05)::real)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    AND (a.atttypid IN ('uuid'::regtype, 'bytea'::regtype) OR a.attname ~ '(hash|uid|urn)$')
"""
"""Columns that name something have many values, each a few times; of others the planner assumes that they have few."""


def make_large(url: str) -> None:
    """Let every table look to the planner as if it had a million rows, of which nothing else is known.

    The planner counts a table's pages itself, so one without any is given a page, by a row that is taken back.
    """
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        for name, value in EXPLAINED.items():
            database, setting = sql.Identifier(database_of(url)), sql.SQL(name)  # type: ignore[arg-type]
            connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, setting, value))
        connection.execute("SET session_replication_role = replica")
        for table, whole in connection.execute(EMPTY, {"schemas": list(SCHEMAS)}).fetchall():
            with connection.transaction(force_rollback=True):
                if whole:
                    connection.execute(f"ALTER TABLE {whole} DETACH PARTITION {table}")
                write_any_row(connection, table)
        connection.execute("DELETE FROM pg_statistic WHERE starelid > 16383")
        connection.execute(
            "SELECT pg_restore_relation_stats('schemaname', n.nspname::text, 'relname', c.relname::text, 'relpages',"
            " greatest(1, pg_relation_size(c.oid) / 8192)::integer, 'reltuples', %s::real) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'i')",
            [ROWS, list(SCHEMAS)],
        )
        connection.execute(DISTINCT, {"schemas": list(SCHEMAS)})


def write_any_row(connection: "psycopg.Connection[Any]", table: str) -> None:
    """A row with something in every column that needs something, whatever the checks would say."""
    for (name,) in connection.execute(CHECKS, {"table": table}).fetchall():
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")  # type: ignore[arg-type]
    needed = connection.execute(NEEDED, {"table": table}).fetchall()
    some = {"uuid": "gen_random_uuid()", "jsonb": "'{}'", "json": "'{}'", "boolean": "true", "bytea": "'x'"}
    values = [
        some.get(kind, "now()" if kind.startswith(("date", "time")) else "'{}'" if kind.endswith("[]") else "'1'")
        for _, kind in needed
    ]
    names = ", ".join(f'"{name}"' for name, _ in needed)
    statement = f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values)})"
    connection.execute(statement)  # type: ignore[arg-type]


class Plans:
    """The plans of what was sent."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {}

    def told(self, notice: psycopg.errors.Diagnostic) -> None:
        """Keep the plan that a notice of the server tells."""
        _, found, plan = (notice.message_primary or "").partition("plan:\n")
        if found:
            held = json.loads(plan)
            query = re.sub(r"\s+", " ", held["Query Text"])
            self.seen.setdefault(query, set()).update(set(read_whole(held["Plan"])) - SMALL.keys())

    def whole(self) -> dict[str, set[str]]:
        """By statement: the large tables of which it reads every row, itself or by way of an index."""
        about_all = {query for query in self.seen for part in WHOLE if part in query}
        return {query: names for query, names in self.seen.items() if names and query not in about_all}


def read_whole(node: Json, *, limited: bool = False) -> Iterator[str]:
    """Tables that a plan reads from one end to the other: without an index, or along one with nothing to end it."""
    kind = node["Node Type"]
    along = kind in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node and not limited
    if kind == "Seq Scan" or along:
        yield f"{node['Schema']}.{node['Relation Name']}"
    for each in node.get("Plans", ()):
        yield from read_whole(each, limited=(limited or kind == "Limit") and kind not in {"Sort", "Aggregate", "Hash"})


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Plans:
    """What the server tells on every connection that is opened from now on."""
    found, connect = Plans(), psycopg.AsyncConnection.connect

    async def listening(*args: Any, **values: Any) -> Any:
        connection = await connect(*args, **values)
        connection.add_notice_handler(found.told)
        return connection

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", staticmethod(listening))
    return found


def some_id(url: str, name: str) -> str:
    """The id of something that a path may name; of nothing, where there is none."""
    tables = {"evaluation_id": "outcomes.evaluation", "release_id": "outcomes.release", "client_id": "gateway.client"}
    tables |= {"key_id": "gateway.api_key", "subscription_id": "gateway.subscription"}
    tables |= {
        "claim_id": "contracts.claim",
        "invoice_id": "contracts.invoice",
        "matter_id": "contracts.supplier_matter",
    }
    found = rows(url, f"SELECT id FROM {tables[name]} LIMIT 1") if name in tables else []
    return str(found[0][0]) if found else str(uuid4())


def value_of(parameter: Json, whole: Json) -> Any:
    """Something that a parameter of a query may be."""
    schema = parameter["schema"]
    schema = schema.get("anyOf", [schema])[0]
    if "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    known = {"region": cast.REGION, "la_code": "888", "type": "contract.*", "trust_uid": cast.SUPPLIER}
    known |= {"school_urn": cast.SCHOOL, "supplier_uid": cast.SUPPLIER, "academic_year": cast.YEAR, "name": "academy"}
    known |= {"measure": "ABS_PA", "feed": "ks4", "outcome": "O1", "leaf_hash": "0" * 64}
    by_format = {"date": "2024-09-01", "date-time": "2024-09-01T00:00:00Z", "uuid": str(uuid4())}
    if parameter["name"] in known:
        return known[parameter["name"]]
    return schema.get("enum", [by_format.get(schema.get("format"), {"boolean": "true"}.get(schema["type"], "1"))])[0]


async def ask_everything(world: World, actors: Actors, known: dict[str, str]) -> None:
    """Every list and resource of the gateway's description, for every caller, its second page, and each filter."""
    whole = description("gateway")
    for method, template, operation in operations(whole):
        if method != "get":
            continue
        given = [
            whole["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            for each in operation.get("parameters", ())
        ]
        path = template
        for each in given:
            if each["in"] == "path":
                name = each["name"]
                value = known.get(name) or some_id(world.database_url, name)
                path = path.replace(f"{{{name}}}", value)
        needed = {
            each["name"]: value_of(each, whole) for each in given if each.get("required") and each["in"] == "query"
        }
        filters = [each for each in given if each["in"] == "query" and each["name"] not in {"limit", "cursor", *needed}]
        page = {"limit": "1"} if any(each["name"] == "limit" for each in given) else {}
        for who, actor in actors.items():
            answer = await actor.ask("GET", path, params=needed | page)
            if answer.status_code == 200 and "next" in answer.links:
                await actor.ask("GET", answer.links["next"]["url"])
            for each in filters if answer.status_code == 200 and who in {"dfe", "mat"} else ():
                answer = await actor.ask("GET", path, params=needed | {each["name"]: value_of(each, whole)})
                assert answer.status_code < 500, answer.text


async def test_no_query_reads_a_whole_table(ready_scene: Scene, owner_url: str, keys_dir: Path, plans: Plans) -> None:
    url = clone(owner_url, ready_scene.database)
    make_large(url)
    with at(f"{RESULTS_OUT}T10:00:00"):
        async with world_on(url, keys_dir) as world:
            case = case_on(world, ready_scene)
            known = {"contract_id": case.contract.rpartition("/")[2], "transfer_id": case.transfer.rpartition("/")[2]}
            known |= {"urn": cast.SCHOOL, "uid": cast.SUPPLIER, "name": "school"}
            known["ocid"] = rows(url, "SELECT ocid FROM contracts.ocds_release LIMIT 1")[0][0]
            await ask_everything(world, case.actors, known)
            move_clock(cast.EFFECTIVE_ON)
            await world.settle()
            assert (await case["rsc"].get(case.transfer))["status"] == "completed"
    drop(owner_url, url)
    assert len(plans.seen) > 250
    assert plans.whole() == {}


async def test_the_main_job_reads_no_whole_table(
    actors_scene: Scene, owner_url: str, keys_dir: Path, plans: Plans
) -> None:
    url = clone(owner_url, actors_scene.database)
    make_large(url)
    with at(DRAFTED):
        async with world_on(url, keys_dir) as world:
            actors = actors_in(world, actors_scene)
            path = await judged_contract(world, actors)
            assert (await actors["rsc"].get(path))["evaluation"]["overall"] == "met"
            assert len((await actors["rsc"].get("/v1/transfers"))["data"]) == 1
    drop(owner_url, url)
    assert len(plans.seen) > 150
    assert plans.whole() == {}
