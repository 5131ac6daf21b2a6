"""Bring a database up to date: roles, schemas, then each schema's numbered migrations under one lock."""

from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from services.kernel.db import role_password

FOLDER = Path(__file__).parent
SCHEMAS = {
    "contracts": (
        "ContractsTable",
        "services.contracts.models",
        "services.contracts.accounts",
        "services.contracts.conduct",
        "services.contracts.register",
    ),
    "outcomes": (
        "OutcomesTable",
        "services.outcomes.models",
        "services.outcomes.schools",
        "services.outcomes.evidence",
    ),
    "gateway": (
        "GatewayTable",
        "services.gateway.models",
        "services.gateway.credentials",
        "services.gateway.joining",
        "services.gateway.logbook",
        "services.gateway.subscribers",
    ),
}
"""By schema, the base of its tables and the modules that hold them."""
ROLES = ("contracts", "outcomes", "gateway", "tables")
PARTS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
"""Parts of tables: the models know of the whole only, since the database makes and drops parts by itself."""
LOCK = 0x52494E47
"""Advisory lock that keeps two migrations apart."""


def metadata(schema: str) -> Any:
    """The tables of a schema as the code has them."""
    base, *modules = SCHEMAS[schema]
    first, *_ = [import_module(module) for module in modules]
    return getattr(first, base).metadata


def config(schema: str, connection: Connection | None = None) -> Config:
    """Alembic's configuration for one schema."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("version_locations", str(FOLDER / schema))
    made.set_main_option("path_separator", "newline")
    made.attributes.update(schema=schema, connection=connection, metadata=metadata(schema))
    return made


def head(schema: str) -> str:
    """The latest migration, as the HEAD file names it: two that were written apart collide there."""
    named = (FOLDER / schema / "HEAD").read_text().strip()
    found = ScriptDirectory.from_config(config(schema)).get_current_head()
    if named != found:
        raise RuntimeError(f"migrations/{schema}/HEAD says {named}, the files say {found}.")
    return named


def prepare(connection: Connection, owner_url: str) -> None:
    """Roles with their passwords, and schemas in which only their own role has rights."""
    url = make_url(owner_url)
    for name in ROLES:
        role, quoted = f"ringfence_{name}", role_password(url, f"ringfence_{name}")
        exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
        verb = "ALTER" if exists else "CREATE"
        connection.execute(text(f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{quoted}'"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {name} TO {role}"))
    connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))


def upgrade(owner_url: str) -> None:
    """Apply what is missing; safe to run at every start and from several machines at once."""
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        with engine.begin() as connection:
            prepare(connection, owner_url)
        for schema in SCHEMAS:
            with engine.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                command.upgrade(config(schema, connection), head(schema))
    engine.dispose()


def erase(owner_url: str) -> None:
    """Drop every schema with all that is in it: for databases of demonstrations and tests."""
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        for name in ROLES:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
    engine.dispose()


def differences(owner_url: str) -> list[str]:
    """What the migrated database lacks or has beyond the models; empty when they agree."""
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"))
    found: list[str] = []
    for schema in SCHEMAS:
        with engine.connect() as connection:
            parts = set(connection.execute(text(PARTS)).scalars())
            options = {
                "include_schemas": True,
                "include_name": lambda name, kind, _parents, own=schema, parts=parts: (
                    name == own if kind == "schema" else kind != "table" or name not in parts
                ),
                "version_table_schema": schema,
            }
            context = MigrationContext.configure(connection, opts=options)
            found += [f"{schema}: {change}" for change in compare_metadata(context, metadata(schema))]
    engine.dispose()
    return found
