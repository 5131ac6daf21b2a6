"""What the database itself refuses: other schemas, changes to what is append-only, and other callers' rows."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from services.demo import cast
from services.kernel.auth import Caller, service_caller
from services.kernel.db import role_url
from services.kernel.types import Kind
from tests.world import World, agreed_contract, plain_url, rows

SERVICES = ("contracts", "outcomes", "gateway")
ROLES = (*SERVICES, "tables")
TABLES_OF = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = ANY (ARRAY['contracts', 'outcomes', 'gateway', 'tables']) AND c.relkind IN ('r', 'p', 'v', 'm')"
)


@dataclass
class Recorder:
    """Stands in for Alembic's operations, to read what a migration would grant."""

    granted: dict[str, Any] = field(default_factory=dict)

    def execute(self, _statement: str) -> None:
        """Do nothing."""

    def grant(self, schema: str, **lists: Any) -> None:
        """Note what is granted."""
        self.granted[schema] = lists


def append_only() -> Iterator[tuple[str, str]]:
    """Every table that a migration names as append-only, with its schema."""
    for schema in SERVICES:
        module = importlib.import_module(f"migrations.{schema}.0002_rights")
        recorder = Recorder()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "op", recorder)
            patch.setattr(module, "grant", recorder.grant)
            patch.setattr(module, "bound", lambda *_, **__: None)
            module.upgrade()
        for table in recorder.granted[schema]["append_only"]:
            yield schema, table


APPEND_ONLY = list(append_only())


def as_role(database_url: str, role: str) -> "psycopg.Connection[Any]":
    """A connection under the role of a service."""
    url = role_url(role, database_url).render_as_string(hide_password=False)
    return psycopg.connect(plain_url(url), autocommit=True)


def refused(connection: "psycopg.Connection[Any]", statement: str) -> bool:
    """Whether PostgreSQL refuses the statement for want of a right."""
    try:
        connection.execute(statement)  # type: ignore[arg-type]
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


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


def test_every_table_that_belongs_to_a_contract_or_a_trust_is_bound_to_its_caller(empty_url: str) -> None:
    open_tables = rows(
        empty_url,
        "SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('contract_id', 'trust_uid')"
        " WHERE n.nspname IN ('contracts', 'gateway') AND c.relkind = 'r' AND NOT c.relrowsecurity",
    )
    assert open_tables == []


def caller(kind: Kind, **bounds: Any) -> Caller:
    """Somebody as row-level security sees them."""
    return Caller("somebody", "somebody", kind, bounds.pop("organisation", "somebody"), **bounds)


STRANGERS = {
    "another supplier": caller(Kind.SUPPLIER, trust_uid=cast.ANOTHER_TRUST),
    "a supplier without a trust": caller(Kind.SUPPLIER),
    "the same commissioner in another region": caller(
        Kind.COMMISSIONER, organisation="rsc-north-west", regions=("London",)
    ),
    "another commissioner of the same region": caller(Kind.COMMISSIONER, organisation="other", regions=(cast.REGION,)),
    "another responsible body": caller(Kind.RESPONSIBLE_BODY, trust_uid=cast.ANOTHER_TRUST),
    "a responsible body of another school": caller(Kind.RESPONSIBLE_BODY, urns=(cast.CLOSED_SCHOOL,)),
    "a responsible body of nothing": caller(Kind.RESPONSIBLE_BODY),
}
PARTIES = {
    "its supplier": caller(Kind.SUPPLIER, trust_uid=cast.SUPPLIER),
    "its commissioner": caller(Kind.COMMISSIONER, organisation="rsc-north-west", regions=(cast.REGION,)),
    "its responsible body by trust": caller(Kind.RESPONSIBLE_BODY, trust_uid=cast.OUTGOING),
    "its responsible body by school": caller(Kind.RESPONSIBLE_BODY, urns=(cast.SCHOOL,)),
    "DfE": caller(Kind.DFE),
    "a service": service_caller("contracts"),
}
BOUND = {
    "contracts": ("contract", "outcome", "milestone", "signature", "payment", "event"),
    "gateway": ("contract_ref",),
}


async def counts(world: World, who: Caller) -> dict[str, int]:
    """How many rows a caller sees in each table, with no where-clause at all."""
    found = {}
    for service, tables in BOUND.items():
        async with world.database(service).transaction(who) as session:
            for table in tables:
                seen = await session.execute(text(f"SELECT count(*) FROM {service}.{table}"))
                found[f"{service}.{table}"] = seen.scalar_one()
    return found


async def test_rows_of_a_contract_show_to_its_parties_and_to_nobody_else(seeded_world: World) -> None:
    await agreed_contract(await seeded_world.cast())
    await seeded_world.settle()
    for name, who in PARTIES.items():
        seen = await counts(seeded_world, who)
        assert all(seen.values()), (name, seen)
    for name, who in STRANGERS.items():
        seen = await counts(seeded_world, who)
        assert not any(seen.values()), (name, seen)


async def test_without_a_caller_no_row_shows(seeded_world: World) -> None:
    await agreed_contract(await seeded_world.cast())
    await seeded_world.settle()
    for service, tables in BOUND.items():
        with as_role(seeded_world.database_url, service) as connection:
            for table in tables:
                seen = connection.execute(f"SELECT count(*) FROM {service}.{table}").fetchone()  # type: ignore[arg-type]
                assert seen == (0,), table


async def test_a_draft_shows_to_its_commissioner_only(seeded_world: World) -> None:
    actors = await seeded_world.cast()
    await actors["rsc"].post("/v1/contracts", cast.CONTRACT)
    for name in ("its supplier", "its responsible body by trust", "its responsible body by school"):
        assert not any((await counts(seeded_world, PARTIES[name])).values()), name
    assert (await counts(seeded_world, PARTIES["its commissioner"]))["contracts.contract"] == 1


async def test_nobody_writes_a_row_into_another_ones_contract(seeded_world: World) -> None:
    path = await agreed_contract(await seeded_world.cast())
    stranger = STRANGERS["another supplier"]
    with pytest.raises(Exception, match="row-level security"):
        async with seeded_world.database("contracts").transaction(stranger) as session:
            await session.execute(
                text(
                    "INSERT INTO contracts.payment (contract_id, kind, code, amount_pence, status, updated_at)"
                    " VALUES (:id, 'fee', 'OTHER', 1, 'scheduled', now())"
                ),
                {"id": path.rpartition("/")[2]},
            )
