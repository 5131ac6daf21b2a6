"""What the database itself refuses: other schemas, and changes to what is append-only."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from migrations import rights
from tests.integration.conftest import as_role
from tests.world import ROOT, rows

SERVICES = ("contracts", "outcomes", "gateway")
ROLES = (*SERVICES, "tables")
TABLES_OF = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = ANY (ARRAY['contracts', 'outcomes', 'gateway', 'tables']) AND c.relkind IN ('r', 'p', 'v', 'm')"
)


@dataclass
class Recorder:
    """Stands in for Alembic's operations, to read what a migration would grant."""

    granted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, _name: str) -> Any:
        """Whatever else a migration does is not done."""
        return lambda *_, **__: None

    def grant(self, schema: str, **lists: Any) -> None:
        """Note what is granted."""
        self.granted.append((schema, lists))


def append_only() -> Iterator[tuple[str, str]]:
    """Every table that a migration names as append-only, with its schema, and no later one lets be changed."""
    recorder = Recorder()
    for path in sorted((ROOT / "migrations").glob("*/0*.py")):
        module = importlib.import_module(f"migrations.{path.parent.name}.{path.stem}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "op", recorder, raising=False)
            patch.setattr(module, "grant", recorder.grant, raising=False)
            patch.setattr(rights, "op", recorder)
            module.upgrade()
    changed = {
        (schema, table) for schema, lists in recorder.granted for table in (*lists["changing"], *lists["deleting"])
    }
    for schema, lists in recorder.granted:
        for table in lists["append_only"]:
            if (schema, table) not in changed:
                yield schema, table


APPEND_ONLY = list(append_only())


def refused(connection: "psycopg.Connection[Any]", statement: str) -> bool:
    """Whether PostgreSQL refuses the statement for want of a right."""
    try:
        connection.execute(statement)  # type: ignore[arg-type]
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


ARRIVED = """
    INSERT INTO outcomes.release (id, feed, release_status, published_on, confirmed_on, filename, status, rows_read,
    rows_accepted, rows_ignored, rows_rejected, created_by, created_at) VALUES (gen_random_uuid(), 'absence', 'final',
    '2024-03-21', '2024-03-21', 'absence.csv', 'ingesting', 0, 0, 0, 0, '{}', now())
"""
IDENTITY = {"id", "number", "feed", "academic_year", "release_status", "published_on", "filename", "source_url"}
IDENTITY |= {"source_version", "created_by", "created_at"}


def kept(connection: "psycopg.Connection[Any]", changes: str) -> bool:
    """Whether a release stays as it is when these changes are tried."""
    try:
        with connection.transaction():
            connection.execute(f"UPDATE outcomes.release SET {changes}")  # type: ignore[arg-type]
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation):
        return True
    return False


def test_a_release_is_kept_as_it_came_and_as_it_was_settled(empty_url: str) -> None:
    columns = rows(
        empty_url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'outcomes' AND table_name = 'release'",
    )
    names = {name for (name,) in columns}
    with as_role(empty_url, "outcomes") as connection, connection.transaction(force_rollback=True):
        connection.execute(ARRIVED)  # type: ignore[arg-type]
        connection.execute("SELECT FROM outcomes.release FOR UPDATE")
        came = {name: f"{name} = {name}" for name in names} | {"number": "number = DEFAULT"}
        assert {name for name, change in came.items() if kept(connection, change)} == IDENTITY
        assert not kept(connection, "sha256 = 'a', size_bytes = 1, etag = '\"1\"'")
        assert [each for each in ("sha256 = 'b'", "size_bytes = 2", "etag = NULL") if not kept(connection, each)] == []
        assert not kept(connection, "rows_read = 2, rows_accepted = 2, layout = 'yearly', values_hash = 'v'")
        assert not kept(connection, "status = 'current', ingested_at = now(), reason_code = NULL")
        changes = ("status = 'ingesting'", "status = 'refused'", "values_hash = 'w'", "rows_read = 3", "detail = 'x'")
        changes += ("layout = 'served'", "ingested_at = NULL", "reason_code = 'replaced'", "decimals = '{}'")
        changes += (
            "same_values_as = id",
            "status = 'superseded', sha256 = 'b'",
            "status = 'superseded', rows_read = 1",
            "confirmed_on = '2024-03-20'",
        )
        assert [each for each in changes if not kept(connection, each)] == []
        assert not kept(connection, "confirmed_on = '2024-04-01'"), "the same was published again"
        assert not kept(connection, "status = 'superseded', reason_code = 'replaced'")
        assert kept(connection, "status = 'current', reason_code = NULL")


def impossible(connection: "psycopg.Connection[Any]", statement: str) -> bool:
    """Whether the statement cannot be carried out: no right, or a view through which nothing is written."""
    try:
        return refused(connection, statement)
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return True


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_its_own_schema_and_no_other(empty_url: str, role: str) -> None:
    own, foreign = [], []
    with as_role(empty_url, role) as connection:
        for schema, table in rows(empty_url, TABLES_OF):
            if not refused(connection, f"SELECT * FROM {schema}.{table} LIMIT 1"):
                (own if schema == role else foreign).append(f"{schema}.{table}")
    assert foreign == []
    assert own, f"{role} can read nothing at all"


@pytest.mark.parametrize("table", ["evaluation", "observation", "ring_fence", "release", "membership"])
def test_the_role_of_the_performance_tables_cannot_read_the_evidence(empty_url: str, table: str) -> None:
    with as_role(empty_url, "tables") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SELECT count(*) FROM outcomes.{table}")  # type: ignore[arg-type]


def test_performance_tables_have_views_only_and_none_of_them_is_made_from_evaluations(empty_url: str) -> None:
    relations = rows(empty_url, f"{TABLES_OF} AND n.nspname = 'tables' AND c.relkind <> 'v'")
    used = rows(
        empty_url,
        "SELECT DISTINCT table_schema, table_name FROM information_schema.view_table_usage"
        " WHERE view_schema = 'tables'",
    )
    assert relations == []
    assert used
    assert {schema for schema, _ in used} == {"outcomes"}
    assert {"evaluation", "event", "full_membership"}.isdisjoint(table for _, table in used)


@pytest.mark.parametrize("view", ["result", "member", "fence", "school", "trust"])
def test_the_role_of_the_performance_tables_changes_nothing(empty_url: str, view: str) -> None:
    column = rows(
        empty_url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'tables' AND table_name = %(view)s",
        view=view,
    )[0][0]
    with as_role(empty_url, "tables") as connection:
        assert impossible(connection, f"UPDATE tables.{view} SET {column} = {column}")
        assert impossible(connection, f"DELETE FROM tables.{view}")
        assert refused(connection, "CREATE TABLE tables.own (id int)")


@pytest.mark.parametrize(("schema", "table"), APPEND_ONLY, ids=[".".join(each) for each in APPEND_ONLY])
def test_an_append_only_table_is_never_updated_or_emptied(empty_url: str, schema: str, table: str) -> None:
    columns = rows(
        empty_url,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %(schema)s AND table_name = %(table)s"
        " AND is_identity = 'NO' AND is_generated = 'NEVER'",
        schema=schema,
        table=table,
    )
    assert columns
    with as_role(empty_url, schema) as connection:
        for (column,) in columns:
            assert refused(connection, f'UPDATE {schema}.{table} SET "{column}" = NULL')
        assert refused(connection, f"DELETE FROM {schema}.{table}")
        assert refused(connection, f"TRUNCATE {schema}.{table}")
        assert not refused(connection, f"SELECT * FROM {schema}.{table}")


def test_records_evidence_and_events_are_among_the_append_only_tables() -> None:
    assert {
        ("contracts", "event"),
        ("contracts", "signature"),
        ("outcomes", "evaluation"),
        ("outcomes", "observation"),
        ("outcomes", "release_file"),
        ("gateway", "milestone_record"),
        ("gateway", "leaf"),
        ("gateway", "consent"),
    } <= set(APPEND_ONLY)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_cannot_become_another(empty_url: str, role: str) -> None:
    with as_role(empty_url, role) as connection:
        for other in ROLES:
            if other != role:
                assert refused(connection, f"SET ROLE ringfence_{other}")
        found = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert found == (False, False, False, False)
