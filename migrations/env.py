"""Alembic's entry point, the same for every schema; `run.py` says which one and on which connection."""

from typing import Any

from alembic import context


def in_schema(schema: str) -> Any:
    """Alembic looks at the tables of one schema only."""

    def include(name: str | None, kind: str, _parents: Any) -> bool:
        return name == schema if kind == "schema" else True

    return include


schema: str = context.config.attributes["schema"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    version_table_schema=schema,
    include_schemas=True,
    include_name=in_schema(schema),
)
with context.begin_transaction():
    context.run_migrations()
